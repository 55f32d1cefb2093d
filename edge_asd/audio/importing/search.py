"""Recordings in files and folders of any names, told by their contents."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_asd.audio.containers import FIRST_BYTES, bytes_needed, container_of
from edge_asd.clips import SUFFIXES, Label, says_anomaly
from edge_asd.errors import DataError
from edge_asd.files import open_without_waiting, printable
from edge_asd.own_set import MARK

_HEALTHY = re.compile(r"(?<![a-z])(normal|healthy)(?![a-z])", re.IGNORECASE)


@dataclass(slots=True)
class Found:
    """What lies at some paths, and below them.

    Attributes
    ----------
    files : list of Path
        To be read: sound files by their contents, or by their names at least; each once, sorted within a folder.
    unreadable : list of (Path, str)
        Folders that cannot be listed, and why.
    passed_over : dict of str to (int, str)
        What else lies there: how many, and one of them.
    """

    files: list[Path] = field(default_factory=list)
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    passed_over: dict[str, tuple[int, str]] = field(default_factory=dict)

    def notes(self) -> list[str]:
        """Say what was passed over."""
        return [
            f"Passed over {count} {what if count == 1 else many}, such as {printable(example)!r}."
            for (what, many), (count, example) in ((_KINDS[kind], seen) for kind, seen in self.passed_over.items())
        ]


_KINDS = {
    "hidden": ("hidden file or folder", "hidden files and folders"),
    "link": ("link to a folder", "links to folders"),
    "special": ("pipe, device or broken link", "pipes, devices and broken links"),
    "other": ("file that is not sound", "files that are not sound"),
    "own": ("machine's folder of a set of your own", "machines' folders of sets of your own"),
}


def find_recordings(paths: Sequence[Path], *, own: bool = False) -> Found:
    """Find recordings: files that are named, and all sound files in and below folders.

    Below a folder, links to other folders are not followed.

    Parameters
    ----------
    paths : sequence of Path
    own : bool
        Also enter the machines' folders of sets of one's own.

    Raises
    ------
    DataError
        If a path is not there.
    """
    found, seen = Found(), set()
    counts: Counter[str] = Counter()
    for path in paths:
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError) as error:
            text = getattr(error, "strerror", None) or error
            raise DataError(f"{printable(str(path))} cannot be read: {text}. Check the path.") from error
        for file in _walk(path, found, counts, own) if stat.S_ISDIR(mode) else [path]:
            try:
                state = file.stat()
            except OSError:  # gone meanwhile
                continue
            if (key := (state.st_dev, state.st_ino)) not in seen:
                seen.add(key)
                found.files.append(file)
    found.passed_over = {kind: (count, found.passed_over[kind][1]) for kind, count in counts.items()}
    return found


def _walk(folder: Path, found: Found, counts: Counter[str], own: bool) -> list[Path]:
    files: list[Path] = []
    folders = [folder]
    while folders:
        place = folders.pop()
        try:
            with os.scandir(place) as entries:
                there = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            found.unreadable.append((place, f"cannot be listed: {error.strerror or error}"))
            continue
        below = []
        for entry in there:
            kind = _kind(entry)
            if kind == "folder" or (kind == "own" and own):
                below.append(Path(entry.path))
            elif kind == "sound":
                files.append(Path(entry.path))
            else:
                counts[kind] += 1
                found.passed_over.setdefault(kind, (1, entry.path))
        folders += reversed(below)
    return files


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.name.startswith("."):
        return "hidden"
    if entry.is_dir(follow_symlinks=False):
        return "own" if os.path.exists(os.path.join(entry.path, MARK)) else "folder"
    try:
        if entry.is_dir():
            return "link"
        if not entry.is_file():
            return "special"
    except OSError:  # links that lead in a circle
        return "special"
    return "sound" if entry.name.lower().endswith(SUFFIXES) or _holds_sound(entry.path) else "other"


def _holds_sound(path: str) -> bool:
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            first = file.read(FIRST_BYTES)
            first += file.read(bytes_needed(first) - len(first))
    except OSError:
        return False
    return container_of(first) is not None


def check_names(paths: Sequence[Path], files: Sequence[Path], label: Label) -> None:
    """Refuse files that are of another label by their names, or by those of the folders that they were found in.

    Parameters
    ----------
    paths : sequence of Path
        That were searched.
    files : sequence of Path
        That were found.
    label : {"normal", "anomaly"}

    Raises
    ------
    DataError
        If one is.
    """
    for file in files:
        root = next(path for path in paths if file.is_relative_to(path))
        # A folder's name speaks, too: sets older than MIMII DUE name the folder, not the files.
        folders = [file.absolute().parent.name] if root == file else [root.absolute().name, *_folders(root, file)]
        anomalous = any(says_anomaly(name) for name in (*folders, file.name))
        if label == "normal" and anomalous:
            raise DataError(
                f"{printable(str(file))} is an anomaly by its name, and healthy sound was asked for. Import healthy "
                "recordings by themselves, and these with --label anomaly; or rename them."
            )
        if label == "anomaly" and any(
            _HEALTHY.search(name) and not says_anomaly(name) for name in (folders[-1], file.name)
        ):
            raise DataError(
                f"{printable(str(file))} is healthy by its name, and anomalous sound was asked for. Import anomalous "
                "recordings by themselves, and these with --label normal; or rename them."
            )


def _folders(root: Path, file: Path) -> tuple[str, ...]:
    return file.relative_to(root).parts[:-1]
