"""Is there room? Asked before anything is fetched, and again before anything is unpacked."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from edge_asd.errors import OutputError

UNPACKED = 1.25
"""What an archive of these sets unpacks to, at a guess, for one byte of it: noise of 16 bits hardly shrinks."""

_MARGIN = 1 << 26  # bytes


def room_needed(sizes: Sequence[int], come: int, *, keep: bool, jobs: int) -> int:
    """Return how many bytes are needed at the most, by an estimate of what the archives unpack to.

    Parameters
    ----------
    sizes : sequence of int [bytes]
        Of the archives that are still to be placed.
    come : int [bytes]
        What is on the disk of them already.
    keep : bool
        Whether the archives stay; else each goes once its files are placed.
    jobs : int
        How many are worked on at once.
    """
    packed = sum(sizes) if keep else sum(sorted(sizes)[-jobs:])
    return max(0, packed - come) + round(UNPACKED * sum(sizes))


def check_room(folder: Path, needed: int, what: str) -> None:
    """Refuse what has no room.

    Raises
    ------
    OutputError
        If fewer than `needed` bytes, and some to spare, are free where `folder` is.
    """
    if needed == 0:
        return
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    if free < needed + _MARGIN:
        raise OutputError(
            f"{folder} has {size_text(free)} free, and {what} needs {size_text(needed + _MARGIN)}. Free some space, "
            "choose fewer machines or parts, or another --out."
        )


def size_text(size: int) -> str:
    """Write a size for a person.

    >>> size_text(1_300_000_000), size_text(5_100_000), size_text(900)
    ('1.3 GB', '5.1 MB', '900 bytes')
    """
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"
