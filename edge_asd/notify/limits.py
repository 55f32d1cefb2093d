"""At most so many messages of a source in a time; those beyond are counted, and summed up in one."""

from __future__ import annotations

import sqlite3

from edge_asd.errors import DataError
from edge_asd.notify.message import Message, Severity
from edge_asd.notify.settings import NotifySettings
from edge_asd.notify.wording import summary_message

_MAX_COUNT = 2**62


def wait_for_room(store: sqlite3.Connection, settings: NotifySettings, source: str, now: float) -> float:
    """Return after how many seconds another message of the source may go; 0 for now.

    Messages of a time to come do not count: the clock was put back.
    """
    since = now - settings.period_s
    row = store.execute(
        "SELECT time FROM admitted WHERE source = ? AND time > ? AND time <= ? ORDER BY time DESC LIMIT 1 OFFSET ?",
        (source, since, now, settings.max_per_source - 1),
    ).fetchone()
    return 0.0 if row is None else float(row[0]) - since


def admit(store: sqlite3.Connection, settings: NotifySettings, source: str, now: float) -> None:
    """Count a message that goes."""
    store.execute("DELETE FROM admitted WHERE time <= ? OR time > ?", (now - settings.period_s, now))
    store.execute("INSERT INTO admitted VALUES (?, ?)", (source, now))


def hold(store: sqlite3.Connection, message: Message) -> None:
    """Count a message that does not go."""
    row = store.execute(
        "SELECT severity FROM held WHERE source = ? AND event = ?", (message.source, message.event)
    ).fetchone()
    severity = max([message.severity, *_severities(row)], key=list(Severity).index)
    store.execute(
        "INSERT INTO held VALUES (?, ?, 1, ?, ?) ON CONFLICT DO UPDATE SET "
        f"count = min(count + 1, {_MAX_COUNT}), last = excluded.last, severity = excluded.severity",
        (message.source, message.event, message.to_json(), str(severity)),
    )


def held_sources(store: sqlite3.Connection) -> list[str]:
    """Name the sources of which messages were held back."""
    return [source for (source,) in store.execute("SELECT DISTINCT source FROM held ORDER BY source")]


def take_summary(store: sqlite3.Connection, settings: NotifySettings, source: str) -> Message | None:
    """Take all that was held back of a source; None where nothing of it can be read."""
    counts: dict[str, int] = {}
    severities, last = [Severity.info], None
    for event, count, text, severity in store.execute(
        "SELECT event, count, last, severity FROM held WHERE source = ? ORDER BY event", (source,)
    ):
        try:
            message = Message.from_json(text)
        except DataError:  # changed by hand
            continue
        counts[event] = max(1, count)
        severities += _severities([severity])
        if last is None or message.time >= last.time:
            last = message
    store.execute("DELETE FROM held WHERE source = ?", (source,))
    if last is None:
        return None
    highest = max(severities, key=list(Severity).index)
    return summary_message(source, counts, highest, last, limit=settings.max_per_source, period_s=settings.period_s)


def _severities(values: list[str] | tuple[str] | None) -> list[Severity]:
    return [Severity(value) for value in values or () if value in list(Severity)]
