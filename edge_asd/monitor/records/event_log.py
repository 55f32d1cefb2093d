"""Writing events and minutes into the database: events at once, minutes together once a minute."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_asd import __version__
from edge_asd.files import printable
from edge_asd.monitor.records.database import DatabaseFault, is_damage, open_database
from edge_asd.monitor.records.minutes import Minute
from edge_asd.monitor.records.origin import Origin
from edge_asd.monitor.records.settings import CLOCK_WAS_RIGHT, RecordsSettings
from edge_asd.monitor.reports import Clock, now

_COLUMNS = {
    "events": "run, place, time, offset_s, section, event, state, score, threshold, duration_s, text, clip, clip_place",
    "minutes": "run, place, time, offset_s, samples, count, over, minimum, mean, maximum, threshold, states",
    "clips": "run, name, place, samples, missing, whole",
}
_MOST = {"events": 20_000, "minutes": 5_000, "clips": 5_000}
"""Rows that wait while nothing can be written; older ones are given up."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 10_000  # characters of a text
_COMMIT_S = 60.0
_RETRY_S = 10.0
_FULL = 0.9  # share of the largest size from where on the oldest rows go
_OLD_ROWS = 1000  # looked at for their age at a time

Row = tuple[Origin, tuple[object, ...]]
"""Whose run a row belongs to, and its cells but the first, which is the run."""


def stamp(when: datetime) -> tuple[int, int]:
    """Return a time as milliseconds since 1970 (UTC), and its zone's offset [s]."""
    offset = when.utcoffset()
    if offset is None:
        raise ValueError("a time without a zone")
    # Cut off, not rounded, as `Report.for_programs` does: an event has one time.
    return (when - _EPOCH) // timedelta(milliseconds=1), round(offset.total_seconds())


class EventLog:
    """Keeps rows until they are written. No disk error leaves it: it is told once, and writing is tried again.

    Parameters
    ----------
    path : Path
        Of the database.
    settings : RecordsSettings
    note : callable
    clock, monotonic : callable
        Tell the time. Ages are told as in `edge_asd.monitor.retention.Retention`.
    """

    def __init__(
        self,
        path: Path,
        settings: RecordsSettings,
        note: Callable[[str], None],
        *,
        clock: Clock = now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._settings, self._note = path, settings, note
        self._clock, self._monotonic = clock, monotonic
        self._started = clock(), monotonic()
        self._db: sqlite3.Connection | None = None
        self._file: os.stat_result | None = None
        self._runs: dict[Origin, int] = {}
        self._begun: dict[Origin, tuple[int, int]] = {}
        self._waiting: dict[str, deque[Row]] = {table: deque(maxlen=most) for table, most in _MOST.items()}
        self._lost = 0
        self._failing = False
        self._due = self._retry = monotonic()
        self.commit()

    def begin(self, origin: Origin) -> None:
        """Begin a run of a source. It is written with its first row."""
        if any(self._waiting.values()):
            self.commit()  # rows of an earlier run that looks the same
        self._begun[origin] = stamp(self._clock())
        self._runs.pop(origin, None)

    def add(self, table: str, origin: Origin, cells: Sequence[object]) -> None:
        """Let a row wait."""
        waiting = self._waiting[table]
        self._lost += len(waiting) == waiting.maxlen
        waiting.append((origin, tuple(_text(cell) if isinstance(cell, str) else cell for cell in cells)))

    def add_minutes(self, origin: Origin, minutes: Sequence[Minute]) -> None:
        """Let minutes wait, for a minute at most."""
        for one in minutes:
            states = json.dumps({state: samples / origin.rate for state, samples in one.states.items()})
            scores = (one.minimum, one.mean, one.maximum, one.threshold)
            cells = (one.place, *stamp(one.time), one.samples, one.count, one.over, *scores, states)
            self.add("minutes", origin, cells)
        if len(self._waiting["minutes"]) >= _MOST["minutes"] // 2:
            self.commit()

    def tick(self) -> None:
        """Write what has waited long enough."""
        if self._monotonic() >= self._due:
            self.commit()

    def commit(self) -> None:
        """Write all that waits, unless that failed just now."""
        if self._monotonic() < self._retry:
            return
        try:
            db = self._opened()
            self._write(db)
        except (*DatabaseFault, OSError) as error:
            self._failed(error)
            return
        self._due = self._monotonic() + _COMMIT_S
        if self._failing:
            lost = f"{self._lost} row(s) were given up meanwhile" if self._lost else "nothing was lost"
            self._note(f"Events are written to {self._path} again; {lost}.")
            self._failing, self._lost = False, 0

    def close(self) -> None:
        """Write what waits, and close the database; what cannot be written is told."""
        self._retry = self._monotonic()
        self.commit()
        if left := sum(map(len, self._waiting.values())):
            self._note(f"{left} row(s) could not be written to {self._path}.")
        self._disconnect()

    def _opened(self) -> sqlite3.Connection:
        if self._db is not None:
            with suppress(FileNotFoundError):
                if self._file is not None and os.path.samestat(self._file, os.stat(self._path)):
                    return self._db
            self._disconnect()  # it was taken away; what is written would go with it
        self._db = open_database(self._path, self._settings.database_bytes, self._note)
        self._file = os.stat(self._path)
        for orphans in (
            "clips WHERE name NOT IN (SELECT clip FROM events WHERE clip IS NOT NULL)",
            "runs WHERE id NOT IN (SELECT run FROM events UNION SELECT run FROM minutes UNION SELECT run FROM clips)",
        ):
            self._db.execute(f"DELETE FROM {orphans}")
        return self._db

    def _write(self, db: sqlite3.Connection) -> None:
        self._prune(db)
        if not any(self._waiting.values()):
            return
        # Only what is written is taken from what waits, and only when it is.
        rows = {table: list(waiting) for table, waiting in self._waiting.items()}
        runs = dict(self._runs)
        with _Transaction(db):
            for table, columns in _COLUMNS.items():
                marks = ", ".join("?" * (columns.count(",") + 1))
                verb = "INSERT OR IGNORE" if table == "clips" else "INSERT"
                cells = [(self._run(db, runs, origin), *cells) for origin, cells in rows[table]]
                db.executemany(f"{verb} INTO {table} ({columns}) VALUES ({marks})", cells)
        self._runs = runs
        for waiting in self._waiting.values():
            waiting.clear()

    def _run(self, db: sqlite3.Connection, runs: dict[Origin, int], origin: Origin) -> int:
        if origin not in runs:
            policy = json.dumps(origin.policy.as_json())
            texts = map(_text, (origin.source, origin.section, origin.machine, origin.bundle, origin.unit))
            source, section, machine, bundle, unit = texts
            begun = self._begun.get(origin) or stamp(self._clock())
            found = db.execute(
                "INSERT INTO runs (time, offset_s, source, section, rate, machine, bundle, unit, policy, version) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*begun, source, section, origin.rate, machine, bundle, unit, policy, __version__),
            )
            assert found.lastrowid is not None
            runs[origin] = found.lastrowid
        return runs[origin]

    def _prune(self, db: sqlite3.Connection) -> None:
        """Remove what is too old; and the oldest tenth of all where the file is nearly as large as it may be."""
        clock, monotonic = self._started
        latest = min(self._clock(), clock + timedelta(seconds=self._monotonic() - monotonic))
        limit = stamp(latest)[0] - round(self._settings.database_days * 86_400_000)
        size, free, most = (_number(db, name) for name in ("page_count", "freelist_count", "max_page_count"))
        full = size - free > _FULL * most
        with _Transaction(db):
            for table in _COLUMNS:
                first, last = db.execute(f"SELECT min(id), max(id) FROM {table}").fetchone()
                if first is None:
                    continue
                if table != "clips":  # they have no time of their own, and are few
                    db.execute(
                        f"DELETE FROM {table} WHERE id < ? AND time >= ? AND time < ?",
                        (first + _OLD_ROWS, stamp(CLOCK_WAS_RIGHT)[0], limit),
                    )
                if full:
                    db.execute(f"DELETE FROM {table} WHERE id <= ?", (first + (last - first) // 10,))

    def _failed(self, error: Exception) -> None:
        self._retry = self._monotonic() + _RETRY_S
        self._due = self._retry
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        if not full:
            self._disconnect()  # opening it anew looks at it closely
        if is_damage(error) and not self._failing:
            self._retry = self._monotonic()  # it will be set aside
        if not self._failing:
            self._failing = True
            self._note(
                f"Events cannot be written to {self._path} now: {getattr(error, 'strerror', None) or error}. "
                "Monitoring goes on, events are kept in memory, and writing is tried again. Free some space, or look "
                "at the disk."
            )

    def _disconnect(self) -> None:
        db, self._db, self._file = self._db, None, None
        self._runs.clear()
        if db is not None:
            with suppress(sqlite3.Error):
                db.close()


class _Transaction:
    """All or nothing."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        if kind is None:
            try:
                self._db.execute("COMMIT")
                return
            except sqlite3.Error:
                self._back()
                raise
        self._back()

    def _back(self) -> None:
        with suppress(sqlite3.Error):  # SQLite may have done it by itself
            self._db.execute("ROLLBACK")


def _text(text: str) -> str:
    """Make what is not UTF-8 visible, for SQLite takes nothing else, and cut what nobody reads."""
    return printable(text)[:_LONGEST]


def _number(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])
