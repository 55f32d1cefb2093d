"""How much of the disk evidence clips take: bounds by bytes, by age, and by the space that is left free."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, timedelta
from pathlib import Path

from edge_asd.monitor.records.clip_names import stem_of, time_of
from edge_asd.monitor.records.settings import CLOCK_WAS_RIGHT, RecordsSettings
from edge_asd.monitor.reports import Clock, now

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
"""Of an `OSError`: the disk has no room, or the user has none left."""


class Retention:
    """Keeps a folder of clips within its bounds: `make_room` is asked before every write.

    The oldest clips go first, in the order of their names, which begin with the time. Never does one that is being
    written, nor a file that is not named as our clips are, nor a link.

    Parameters
    ----------
    folder : Path
    settings : RecordsSettings
    clock, monotonic : callable
        Tell the time. Ages are told by the clock at the start and the time that has passed since: a clock that is set
        forward while the monitor runs ages nothing.

    Attributes
    ----------
    writing : set of str
        Names, without endings, of clips that are being written.
    """

    def __init__(
        self,
        folder: Path,
        settings: RecordsSettings,
        *,
        clock: Clock = now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._settings = folder, settings
        self._clock, self._monotonic = clock, monotonic
        self._started = clock(), monotonic()
        self._sizes: dict[str, int] = {}  # of the files, by name
        self._stuck: set[str] = set()  # files that cannot be removed
        self.writing: set[str] = set()

    @property
    def bytes(self) -> int:
        """Of all clips' files, as far as they are known."""
        return sum(self._sizes.values())

    def look(self) -> None:
        """See what is in the folder: others may have removed clips, or put some there.

        Raises
        ------
        OSError
            If the folder cannot be read.
        """
        sizes = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # gone meanwhile
                    if stem_of(entry.name) is not None and entry.is_file(follow_symlinks=False):
                        sizes[entry.name] = entry.stat(follow_symlinks=False).st_size
        self._sizes, self._stuck = sizes, set()

    def wrote(self, name: str, size: int | None) -> None:
        """Learn the size [bytes] of a file now; None where it is gone."""
        if size is None:
            self._sizes.pop(name, None)
        else:
            self._sizes[name] = size

    def make_room(self, size: int) -> bool:
        """Remove the oldest clips until `size` more bytes fit into all bounds.

        Returns
        -------
        fits : bool
            False where they do not, whatever is removed; then nothing is.
        """
        kept = sum(size for name, size in self._sizes.items() if not self._removable(name))
        total = self.bytes
        if kept + size > self._settings.clips_bytes or not self._is_free(size - (total - kept)):
            return False
        oldest = sorted(filter(self._removable, self._sizes))
        for name in oldest:
            if total + size <= self._settings.clips_bytes:
                break
            total -= self._sizes[name]
            self._remove(name)
        if self.bytes + size > self._settings.clips_bytes:
            return False  # some could not be removed
        for name in oldest:
            if self._is_free(size):
                return True
            self._remove(name)
        return self._is_free(size)

    def remove_old(self) -> None:
        """Remove clips that are older than the settings allow."""
        clock, monotonic = self._started
        latest = min(self._clock(), clock + timedelta(seconds=self._monotonic() - monotonic)).astimezone(UTC)
        try:
            limit = latest - timedelta(days=self._settings.clips_days)
        except OverflowError:  # older than time itself
            return
        for name in sorted(filter(self._removable, self._sizes)):
            if CLOCK_WAS_RIGHT <= time_of(_stem(name)) < limit:
                self._remove(name)

    def _is_free(self, size: int) -> bool:
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError:
            return False
        floor = min(self._settings.floor_bytes, usage.total * self._settings.floor_percent / 100)
        return usage.free - size >= floor

    def _removable(self, name: str) -> bool:
        return name not in self._stuck and _stem(name) not in self.writing

    def _remove(self, name: str) -> None:
        if name not in self._sizes:
            return
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError:
            self._stuck.add(name)
        else:
            del self._sizes[name]


def _stem(name: str) -> str:
    stem = stem_of(name)
    assert stem is not None  # no other name gets in
    return stem
