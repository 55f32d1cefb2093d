"""The folder of an exported project: written whole or not at all, and written again without losing the user's files."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from edge_asd.errors import OutputError
from edge_asd.files import prepare_folder

LIST = "edge-asd-export.json"
"""Names every exported file with its SHA-256: what an earlier export wrote is known by it."""


def check_folder(out: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds anything but an earlier export as it was written.

    Raises
    ------
    OutputError
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file. Name a folder for the project with --out.")
    if not out.is_dir() or not any(out.iterdir()):
        return
    listed = _listed(out)
    if listed is None:
        raise OutputError(
            f"{out} holds other files than an earlier export, which is known by its {LIST}. Choose another --out."
        )
    if overwrite:
        return
    if changed := [name for name, digest in listed.items() if _is_changed(out / name, digest)]:
        raise OutputError(
            f"{out / changed[0]} was changed since it was exported. Keep a copy, and replace it with --overwrite, or "
            "choose another --out."
        )


def write_folder(out: Path, files: Mapping[str, str], *, overwrite: bool = False) -> None:
    """Write a project; files of an earlier export that are no longer part of it go, all others stay.

    Parameters
    ----------
    out : Path
        As `check_folder` allows it.
    files : mapping of str to str
        Contents by path.
    overwrite : bool
        Replace files of others, too, where the project has files of their names.

    Raises
    ------
    OutputError
        If the folder cannot be written, or something of another is in the way; nothing is then changed.
    """
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(files.items())}
    contents = {**files, LIST: json.dumps(digests, indent=2) + "\n"}
    out = Path(os.path.realpath(out))
    is_there = out.is_dir()
    listed = (_listed(out) or {}) if is_there else {}
    if is_there:
        _check_ways(out, contents, listed, overwrite=overwrite)
    # Within the folder where there is one: it may be a file system of its own.
    parent = out if is_there else prepare_folder(out.parent)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=parent) as temporary:
            new = Path(temporary) / "project"
            for name, text in contents.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_text(text, encoding="utf-8")
            if not is_there:
                os.replace(new, out)
                return
            for name in contents:
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(new / name, out / name)
        for name in listed:
            if name not in contents:
                _remove(out, name)
    except OSError as error:
        raise OutputError(
            f"Cannot write {out}: {error.strerror or error}. Choose another --out or free some space."
        ) from error


def _check_ways(out: Path, contents: Iterable[str], listed: Mapping[str, str], *, overwrite: bool) -> None:
    """Refuse what stands where the project's files go: links, files for folders, files of the user."""
    for name in contents:
        path = out / name
        for one in [*list(path.parents)[: len(Path(name).parts) - 1][::-1], path]:
            is_folder = one != path
            if one.is_symlink() or (one.exists() and one.is_dir() != is_folder):
                raise OutputError(
                    f"{one} is in the way: the project has a {'folder' if is_folder else 'file'} of that name. Move "
                    "it, or choose another --out."
                )
        if path.exists() and name != LIST and name not in listed and not overwrite:
            raise OutputError(
                f"{path} is none of the files that were exported, and the project has one of that name. Move it, "
                "replace it with --overwrite, or choose another --out."
            )


def _listed(out: Path) -> dict[str, str] | None:
    """Return what an earlier export wrote; None where there was none."""
    try:
        listed = json.loads((out / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(listed, dict):
        return None
    # The list is a file that anyone may have written: no name leads out of the folder.
    names = {str(name): str(digest) for name, digest in listed.items()}
    return names if all(_is_inside(name) for name in names) else None


def _is_inside(name: str) -> bool:
    path = Path(name)
    return name.isprintable() and not path.is_absolute() and ".." not in path.parts and path.parts != ()


def _is_changed(path: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() != digest
    except FileNotFoundError:
        return False  # it is gone
    except OSError:
        return True


def _remove(out: Path, name: str) -> None:
    """Remove a file of an earlier export, and the folders that hold nothing more."""
    path = out / name
    folders = list(path.parents)[: len(Path(name).parts) - 1]
    if any(one.is_symlink() for one in (path, *folders)) or not path.is_file():
        return
    path.unlink()
    for folder in folders:
        with suppress(OSError):  # not empty
            folder.rmdir()
