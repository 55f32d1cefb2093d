"""What the monitor keeps on disk, and how much of it: the settings of `edge_asd.monitor.sinks.records`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

MIN_DATABASE_BYTES = 1 << 20

CLOCK_WAS_RIGHT = datetime(2026, 1, 1, tzinfo=UTC)
"""What is labelled as older than this program was written before the clock was set: nothing tells its age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsSettings:
    """How much is kept, and for how long.

    The default of 1 GB holds about a thousand clips of a minute (16 kHz, FLAC).

    Attributes
    ----------
    clips : bool
        Record the sound around alarms.
    pre_s, post_s : float, 0 to 600 [s]
        Sound before an alarm and after it.
    longest_s : float, `pre_s` + `post_s` to 3600 [s]
        Of a clip that further alarms draw out.
    format : {"flac", "wav"}
        Of clips that are complete.
    clips_bytes : int > 0 [bytes]
        Bound of all clips together, those that are being recorded included.
    clips_days : float > 0 [days]
        Older clips are removed.
    floor_bytes : int >= 0 [bytes]
    floor_percent : float, 0 to 100
        Free space that clips leave on their file system: the smaller of both.
    database_bytes : int >= 1 MiB [bytes]
        Bound of the database's file.
    database_days : float > 0 [days]
        Older events and minutes are removed.

    Raises
    ------
    ValueError
        If one is out of its range.
    """

    clips: bool = True
    pre_s: float = 30.0
    post_s: float = 30.0
    longest_s: float = 300.0
    format: Literal["flac", "wav"] = "flac"
    clips_bytes: int = 10**9
    clips_days: float = 90.0
    floor_bytes: int = 500 * 10**6
    floor_percent: float = 5.0
    database_bytes: int = 64 * 10**6
    database_days: float = 366.0

    def __post_init__(self) -> None:
        for name, seconds in (("before", self.pre_s), ("after", self.post_s)):
            if not 0 <= seconds <= 600:
                raise ValueError(f"a clip cannot hold {seconds} s {name} an alarm; use 0 to 600")
        if not max(1.0, self.pre_s + self.post_s) <= self.longest_s <= 3600:
            raise ValueError(
                f"the longest clip cannot last {self.longest_s} s; use the time before and after an alarm together, "
                "at least 1 s, up to 3600"
            )
        if self.format not in ("flac", "wav"):
            raise ValueError(f"clips cannot be written as {self.format!r}; use flac or wav")
        if self.clips_bytes < 1:
            raise ValueError(f"clips cannot be kept in {self.clips_bytes} bytes; use 1 or more")
        if self.floor_bytes < 0 or not 0 <= self.floor_percent <= 100:
            raise ValueError(
                f"the free space to leave cannot be {self.floor_bytes} bytes or {self.floor_percent} %; "
                "use 0 or more, and 0 to 100"
            )
        if self.database_bytes < MIN_DATABASE_BYTES:
            raise ValueError(
                f"the database cannot do with {self.database_bytes} bytes; use {MIN_DATABASE_BYTES} or more"
            )
        for name, days in (("clips", self.clips_days), ("events", self.database_days)):
            if not days > 0 or math.isinf(days):
                raise ValueError(f"{name} cannot be kept for {days} days; use a finite number above 0")
