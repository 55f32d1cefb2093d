"""What is to be scored: the recordings below a folder, or those that a list names."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from edge_asd.audio.containers import FIRST_BYTES, container_of
from edge_asd.audio.importing.search import find_recordings
from edge_asd.errors import DataError
from edge_asd.files import open_without_waiting, printable


class Identity(NamedTuple):
    """What tells a file from another one at the same path, and from itself before a change."""

    device: int
    inode: int
    bytes: int
    modified: int


class Recording(NamedTuple):
    """A recording that may be scored.

    Attributes
    ----------
    file : str
        What the tables call it.
    path : str
    """

    file: str
    path: str


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes
    ----------
    recordings : list of Recording
        Each once.
    notes : list of str
        What was passed over.
    """

    recordings: list[Recording] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def identify(path: str) -> Identity | None:
    """Tell which file is at a path; None where there is none, or that cannot be told."""
    try:
        state = os.stat(path)
    except (OSError, ValueError):
        return None
    # Parquet has 64 bits for a time; file systems may have more.
    modified = max(-(2**63), min(state.st_mtime_ns, 2**63 - 1))
    return Identity(state.st_dev, state.st_ino, state.st_size, modified)


def any_is_there(recordings: Iterable[Recording]) -> bool:
    """Tell whether any of some recordings can be seen from here."""
    return any(identify(recording.path) is not None for recording in recordings)


def find(where: Path) -> Found:
    """Find recordings below a folder, or the ones that a list names.

    Parameters
    ----------
    where : Path
        A folder, or a text file of a path a line; relative ones are relative to the list's folder. Whether the paths of
        a list can be read turns out when they are.

    Raises
    ------
    DataError
        If there is nothing.
    """
    found = Found()
    seen: set[str] = set()
    for recording in _below(where, found) if where.is_dir() else _listed(where):
        if recording.file not in seen:
            seen.add(recording.file)
            found.recordings.append(recording)
    if not found.recordings:
        raise DataError(" ".join([f"{printable(str(where))} holds no recording.", *found.notes]))
    return found


def _below(folder: Path, found: Found) -> Iterator[Recording]:
    there = find_recordings([folder], own=True)
    found.notes += there.notes()
    found.notes += [f"{printable(str(place))} {why}. It is passed over." for place, why in there.unreadable]
    for path in there.files:
        yield Recording(printable(path.relative_to(folder).as_posix()), str(path))


def _listed(path: Path) -> Iterator[Recording]:
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DataError(f"{path} is neither a folder nor a list of recordings.")
            if container_of(file.read(FIRST_BYTES)) is not None:
                raise DataError(
                    f"{path} is a recording. Give its folder, or a list; one alone: edge-asd monitor --wav."
                )
        # A byte-order mark is no part of the first path, nor the carriage return of Windows of any.
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as lines:
            for line in lines:
                if name := line.rstrip("\n"):
                    yield Recording(printable(name), os.path.join(path.parent, name))
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or error
        raise DataError(f"{printable(str(path))} cannot be read: {text}. Check the path.") from error
