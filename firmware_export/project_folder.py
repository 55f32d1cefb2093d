"""The folder of an exported project: written whole or not at all, and written again without losing the user's files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
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


def write_folder(out: Path, files: Mapping[str, str]) -> None:
    """Write a project; files of an earlier export that are no longer part of it go, all others stay.

    Parameters
    ----------
    out : Path
        As `check_folder` allows it.
    files : mapping of str to str
        Contents by path.

    Raises
    ------
    OutputError
        If the folder cannot be written; what was there is then still there.
    """
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(files.items())}
    contents = {**files, LIST: json.dumps(digests, indent=2) + "\n"}
    parent = prepare_folder(out.absolute().parent)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=parent) as temporary:
            new = Path(temporary) / "project"
            for name, text in contents.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_text(text, encoding="utf-8")
            if not out.exists():
                os.replace(new, out)
                return
            for name in set(_listed(out) or {}) - set(contents):
                (out / name).unlink(missing_ok=True)
            for name in contents:
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(new / name, out / name)
    except OSError as error:
        raise OutputError(
            f"Cannot write {out}: {error.strerror or error}. Choose another --out or free some space."
        ) from error
    _remove_empty(out)


def _listed(out: Path) -> dict[str, str] | None:
    """Return what an earlier export wrote; None where there was none."""
    try:
        listed = json.loads((out / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(listed, dict):
        return None
    # The list is a file that anyone may have written: no name leads out of the folder.
    names = {str(name): str(digest) for name, digest in listed.items()}
    return names if all(_is_inside(name) for name in names) else None


def _is_inside(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts and path.parts != ()


def _is_changed(path: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() != digest
    except OSError:
        return False  # it is gone


def _remove_empty(out: Path) -> None:
    for folder, _, _ in sorted(os.walk(out), reverse=True):
        if folder != str(out) and not os.listdir(folder):
            shutil.rmtree(folder)
