"""What is still to be scored, in partitions: what a process does at a time, and what is lost at most when it is killed.

A partition is there when both its tables are; that of recordings is written last. One whose recordings have changed
since, or could not be read then, is written anew as a whole: what has not changed is copied from before, be the
recordings still there or not.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from edge_asd.archive.recordings import Recording, identify
from edge_asd.archive.tables import FILES, SCORES, FileRow, part_name, part_number, read_files
from edge_asd.errors import OutputError
from edge_asd.files import is_held

_MOST_FILES = 20_000  # of a partition, however small they are
_POLL_S = 0.1


class Part(NamedTuple):
    """A partition, or some of its recordings, to be scored."""

    number: int
    recordings: tuple[Recording, ...]


class _Known(NamedTuple):
    part: int
    bytes: int | None
    modified: int | None


@dataclass(slots=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    parts : list of Part
    new, again, before : int >= 0
        Recordings that are in no partition yet; that are scored anew; and that need not be.
    """

    parts: list[Part] = field(default_factory=list)
    new: int = 0
    again: int = 0
    before: int = 0


def plan(out: Path, recordings: list[Recording], part_bytes: int) -> Plan:
    """Find out what is to be done, beside what the partitions in a folder hold.

    Parameters
    ----------
    out : Path
    recordings : list of Recording
        In their order.
    part_bytes : int > 0
        A new partition is full when its recordings have so many bytes.

    Raises
    ------
    DataError
        If a partition's table is damaged.
    """
    known: dict[str, _Known] = {}
    last = 0
    for number, rows in part_tables(out):
        last = max(last, number)
        known |= {row.file: _Known(number, row.bytes, row.modified) for row in rows}
    done = Plan()
    again: dict[int, list[Recording]] = defaultdict(list)
    new: list[Recording] = []
    size = 0
    for recording in recordings:
        now, before = identify(recording.path), known.get(recording.file)
        if before is None:
            new.append(recording)
            size += now.bytes if now else 0
            done.new += 1
            if size >= part_bytes or len(new) == _MOST_FILES:
                last, size = last + 1, 0
                done.parts.append(Part(last, tuple(new)))
                new.clear()
        elif ((now.bytes, now.modified) if now else (None, None)) != (before.bytes, before.modified):
            again[before.part].append(recording)
            done.again += 1
        else:
            done.before += 1
    if new:
        done.parts.append(Part(last + 1, tuple(new)))
    done.parts += [Part(number, tuple(some)) for number, some in sorted(again.items())]
    return done


def part_tables(out: Path) -> Iterator[tuple[int, list[FileRow]]]:
    """Give the number of each partition that is whole, and its table of recordings."""
    for path in sorted((out / FILES).glob("part-*.parquet")):
        yield part_number(path), read_files(path)


def tidy(out: Path, waiting: Callable[[], None] | None = None) -> None:
    """Remove what killed processes left behind.

    Parameters
    ----------
    out : Path
    waiting : callable, optional
        Called once before it waits for a process that outlived the one that started it. Without it, what such a process
        is at stays.

    Raises
    ------
    OutputError
        If the folder cannot be changed.
    """
    told = at_work = False
    try:
        for path in [path for table in (SCORES, FILES) for path in (out / table).glob(".part-*")]:
            while (held := is_held(path)) and waiting is not None:
                if not told:
                    told = True
                    waiting()
                time.sleep(_POLL_S)
            if not held:
                path.unlink(missing_ok=True)
            at_work |= held
        if at_work:  # a partition may have the first of its files just now
            return
        # A power failure may lose the one that was written first.
        for table, other in ((SCORES, FILES), (FILES, SCORES)):
            for path in (out / table).glob("part-*.parquet"):
                if not (out / other / part_name(part_number(path))).exists():
                    path.unlink()
    except OSError as error:
        raise OutputError(f"Cannot tidy up {out}: {error.strerror or error}.") from error
