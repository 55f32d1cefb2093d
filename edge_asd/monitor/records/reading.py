"""Reading what the monitor has recorded: events, minutes, clips. Every value is checked: the file may be anybody's."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

from edge_asd.detectors.scores import SCORE_MAX
from edge_asd.errors import DataError
from edge_asd.monitor.records.clip_names import find_clip
from edge_asd.monitor.records.database import read_database

_EVENTS = """
    SELECT events.id, events.time, events.offset_s, runs.source, events.section, events.event, events.state,
        events.place, runs.rate, events.score, events.threshold, runs.unit, events.duration_s, events.text, events.clip,
        events.clip_place, clips.samples, clips.missing, runs.machine, runs.bundle
    FROM events JOIN runs ON runs.id = events.run LEFT JOIN clips ON clips.name = events.clip"""

_MINUTES = """
    SELECT minutes.id, minutes.time, minutes.offset_s, runs.source, runs.section, minutes.place, runs.rate,
        minutes.samples, minutes.count, minutes.over, minutes.minimum, minutes.mean, minutes.maximum,
        minutes.threshold, runs.unit, minutes.states, runs.machine, runs.bundle
    FROM minutes JOIN runs ON runs.id = minutes.run"""

_MOST = 2**63 - 1
_PAGE = 1000  # rows read at a time


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows to read; None wants any.

    Attributes
    ----------
    source, section, event : str, optional
    since, until : datetime with a zone, optional
        From then on; before then.
    after : int >= 0
        Of rows with greater numbers only.
    number : int, optional
        The row's own.
    last : int > 0, optional
        Of the rows that fit.
    """

    source: str | None = None
    section: str | None = None
    event: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int = 0
    number: int | None = None
    last: int | None = None


def read_events(database: sqlite3.Connection, wanted: Wanted, note: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Read events in the order in which they were written.

    Parameters
    ----------
    database : Connection
        As `edge_asd.monitor.database.read_database` gives it.
    wanted : Wanted
    note : callable
        Told at the end of rows that were left out, because they hold what they cannot.

    Yields
    ------
    event : dict
        For programs: the keys of ``edge-asd monitor --json``'s events, and `id`, `unit`, `clip` (its name without the
        ending), `clip_time_s` (where in it the alarm is), `clip_s` and `clip_missing_s` (its length, and how much of it
        is zeros for lack of sound), `machine`, `bundle`. What is absent is None.
    """
    return _checked(_rows(database, _EVENTS, "events", wanted), _event, "events", note)


def read_minutes(database: sqlite3.Connection, wanted: Wanted, note: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Read the summaries of minutes as `read_events` reads events; `Wanted.event` counts for nothing.

    Yields
    ------
    minute : dict
        For programs: `id`, `time` (of its beginning), `source`, `section`, `time_s`, `seconds`, `decisions`, `over`,
        `minimum`, `mean`, `maximum`, `threshold` (Q15.16), `unit`, `states` (seconds in each), `machine`, `bundle`.
    """
    return _checked(_rows(database, _MINUTES, "minutes", wanted), _minute, "minutes", note)


def newest(database: sqlite3.Connection, table: Literal["events", "minutes"]) -> int:
    """Return the number of the last row ever written to a table; numbers only grow. 0 where there was none."""
    found = database.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return found[0] if found is not None and type(found[0]) is int else 0


def clip_of_event(path: Path, clips: Path, number: int) -> tuple[Path, float]:
    """Find the clip of an event.

    Parameters
    ----------
    path, clips : Path
        The database, and the folder of the clips.
    number : int
        The event's.

    Returns
    -------
    clip : Path
    time_s : float [s]
        Where in it the alarm is.

    Raises
    ------
    DataError
        If there is no such event, or it has no clip, or that is gone.
    """

    def refuse(text: str) -> None:
        raise DataError(text)

    with read_database(path) as database:
        event = next(read_events(database, Wanted(number=number), refuse), None)
    if event is None:
        raise DataError(f"There is no event {number} in {path}. edge-asd events lists them.")
    if event["clip"] is None:
        raise DataError(f"Event {number} ({event['event']}) has no clip; alarms have.")
    clip = find_clip(clips, event["clip"])
    if clip is None:
        raise DataError(
            f"The clip of event {number} is gone: the oldest are removed to keep the bounds of space and age."
        )
    return clip, event["clip_time_s"] or 0.0


def _rows(database: sqlite3.Connection, query: str, table: str, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
    choices: list[tuple[str, object]] = [
        (f"{table}.id > ?", wanted.after),
        (f"{table}.id = ?", wanted.number),
        ("runs.source = ?", wanted.source),
        (f"{'events' if table == 'events' else 'runs'}.section = ?", wanted.section),
        (f"{table}.time >= ?", _milliseconds(wanted.since)),
        (f"{table}.time < ?", _milliseconds(wanted.until)),
    ]
    if table == "events":
        choices.append(("events.event = ?", wanted.event))
    chosen = [(condition, value) for condition, value in choices if value is not None]
    where = " AND ".join(condition for condition, _ in chosen)
    parameters = [value for _, value in chosen]
    # Never a long query: a reader that lingers would keep the monitor's log from being emptied.
    if wanted.last is not None and wanted.last <= _PAGE:
        last = f"{query} WHERE {where} ORDER BY {table}.id DESC LIMIT ?"
        yield from database.execute(last, (*parameters, wanted.last)).fetchall()[::-1]
        return
    if wanted.last is not None:
        skipped = f"SELECT {table}.id {query[query.index('FROM') :]} WHERE {where} ORDER BY {table}.id DESC"
        found = database.execute(f"{skipped} LIMIT 1 OFFSET ?", (*parameters, wanted.last)).fetchone()
        parameters[0] = max(wanted.after, found[0]) if found else wanted.after
    reached = wanted.after
    page = f"{query} WHERE {where} ORDER BY {table}.id LIMIT {_PAGE}"
    while rows := database.execute(page, parameters).fetchall():
        yield from rows
        if type(rows[-1][0]) is not int or rows[-1][0] <= reached:
            raise DataError(f"The database is damaged: the numbers of its {table} do not grow.")
        parameters[0] = reached = rows[-1][0]


def _checked(
    rows: Iterable[tuple[Any, ...]], parse: Callable[[_Cells], dict[str, Any]], table: str, note: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    first, count = "", 0
    for row in rows:
        try:
            yield parse(_Cells(row, table))
        except DataError as error:
            first, count = first or str(error), count + 1
    if count:
        note(f"{first} Left out, such rows in all: {count}.")


def _event(cells: _Cells) -> dict[str, Any]:
    number, time = cells.integer(1), cells.time()
    source, section, event, state = (cells.text() for _ in range(4))
    place, rate = cells.integer(), cells.integer(1, 10**6)
    score, threshold = cells.maybe_score(), cells.maybe_score()
    unit, duration, text, clip = cells.text(), cells.maybe_seconds(), cells.maybe_text(), cells.maybe_text()
    clip_place, samples, missing = (cells.maybe_integer() for _ in range(3))
    return {
        "id": number,
        "time": time.isoformat(timespec="milliseconds"),
        "source": source,
        "section": section,
        "event": event,
        "state": state,
        "time_s": place / rate,
        "score": score,
        "threshold": threshold,
        "unit": unit,
        "duration_s": duration,
        "text": text,
        "clip": clip,
        "clip_time_s": None if clip_place is None else clip_place / rate,
        "clip_s": None if samples is None else samples / rate,
        "clip_missing_s": None if missing is None else missing / rate,
        "machine": cells.text(),
        "bundle": cells.text(),
    }


def _minute(cells: _Cells) -> dict[str, Any]:
    number, time = cells.integer(1), cells.time()
    source, section = cells.text(), cells.text()
    place, rate = cells.integer(), cells.integer(1, 10**6)
    samples, count, over = (cells.integer() for _ in range(3))
    minimum, mean, maximum, threshold = (cells.maybe_score() for _ in range(4))
    return {
        "id": number,
        "time": time.isoformat(timespec="milliseconds"),
        "source": source,
        "section": section,
        "time_s": place / rate,
        "seconds": samples / rate,
        "decisions": count,
        "over": over,
        "minimum": minimum,
        "mean": mean,
        "maximum": maximum,
        "threshold": threshold,
        "unit": cells.text(),
        "states": cells.states(),
        "machine": cells.text(),
        "bundle": cells.text(),
    }


def _milliseconds(time: datetime | None) -> int | None:
    return None if time is None else round(time.timestamp() * 1000)


class _Cells:
    """The cells of a row, taken one after another and checked."""

    def __init__(self, row: tuple[Any, ...], table: str) -> None:
        self._cells, self._table, self._number = iter(row), table, row[0]

    def integer(self, least: int = 0, most: int = _MOST) -> int:
        value = next(self._cells)
        if type(value) is not int or not least <= value <= most:
            raise self._refusal(value)
        return value

    def maybe_integer(self) -> int | None:
        value = next(self._cells)
        if value is not None and (type(value) is not int or value < 0):
            raise self._refusal(value)
        return value

    def maybe_score(self) -> int | None:
        value = next(self._cells)
        if value is not None and (type(value) is not int or not -SCORE_MAX <= value <= SCORE_MAX):
            raise self._refusal(value)
        return value

    def text(self) -> str:
        value = next(self._cells)
        if type(value) is not str:
            raise self._refusal(value)
        return value

    def maybe_text(self) -> str | None:
        value = next(self._cells)
        if value is not None and type(value) is not str:
            raise self._refusal(value)
        return value

    def maybe_seconds(self) -> float | None:
        value = next(self._cells)
        if value is not None and (type(value) is not float or not math.isfinite(value)):
            raise self._refusal(value)
        return value

    def time(self) -> datetime:
        milliseconds, offset = self.integer(-_MOST), self.integer(-86_399, 86_399)
        try:
            time = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
            return time.astimezone(timezone(timedelta(seconds=offset)))
        except (OverflowError, ValueError):
            raise self._refusal(milliseconds) from None

    def states(self) -> dict[str, float]:
        text = self.text()
        try:
            states = json.loads(text)
        except (ValueError, RecursionError):
            raise self._refusal(text) from None
        if type(states) is not dict or not all(
            type(seconds) is float and math.isfinite(seconds) for seconds in states.values()
        ):
            raise self._refusal(text)
        return states

    def _refusal(self, value: object) -> DataError:
        return DataError(
            f"The database is damaged, or was changed by another program: row {self._number!r} of {self._table} holds "
            f"{ascii(value)[:80]}."
        )
