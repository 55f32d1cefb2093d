"""Messages that wait, on disk: bounded, each for every URL by itself, with what was lost counted."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from edge_asd.notify import limits
from edge_asd.notify.message import Message
from edge_asd.notify.settings import NotifySettings
from edge_asd.notify.store import transaction


@dataclass(frozen=True, slots=True)
class Job:
    """A message that is due at a URL.

    Attributes
    ----------
    message : int
        Its number.
    recipient : str
        The URL's key (`addresses.key_of`).
    text : str
        As it was put; not checked.
    lost : int
        Messages before it of which the URL is yet to be told that they were lost.
    failures : int
        Failures in a row that the URL has behind it.
    """

    message: int
    recipient: str
    text: str
    lost: int
    failures: int


class Queue:
    """The messages that wait. Two processes may use it at a time: one that puts, one that takes.

    Each change is on the disk when its method returns. All methods may raise `sqlite3.Error`, such as of a full disk,
    and have then changed nothing.

    Parameters
    ----------
    store : sqlite3.Connection
        From `store`; the queue closes it.
    settings : NotifySettings
    """

    def __init__(self, store: sqlite3.Connection, settings: NotifySettings) -> None:
        self._store, self._settings = store, settings

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    # What the side that puts calls.

    def set_recipients(self) -> int:
        """Bring the file's URLs in line with the settings'.

        What waits for a URL that is gone goes to the new ones, as who mends a URL expects. Without new ones it goes
        to nobody; return the number of such messages.
        """
        store, keys = self._store, self._settings.keys
        with transaction(store):
            known = {key for (key,) in store.execute("SELECT key FROM recipient")}
            gone, new = known - set(keys), [key for key in keys if key not in known]
            store.executemany("INSERT INTO recipient (key) VALUES (?)", [(key,) for key in new])
            for old in sorted(gone):
                (lost,) = store.execute("SELECT lost FROM recipient WHERE key = ?", (old,)).fetchone()
                for key in new:
                    store.execute(
                        "INSERT OR IGNORE INTO pending SELECT message, ? FROM pending WHERE recipient = ?", (key, old)
                    )
                    store.execute("UPDATE recipient SET lost = max(lost, ?) WHERE key = ?", (lost, key))
                store.execute("DELETE FROM pending WHERE recipient = ?", (old,))
                store.execute("DELETE FROM recipient WHERE key = ?", (old,))
            return self._forget_delivered()

    def put(self, message: Message, now: float) -> None:
        """Let a message wait, or count it where there are too many of its source; drop the oldest if it is too much.

        Raises
        ------
        ValueError
            As `Message.to_json`.
        """
        text = message.to_json()
        with transaction(self._store):
            # What was held back before it goes before it.
            if message.source in limits.held_sources(self._store):
                self._summarise(message.source, now)
            if limits.wait_for_room(self._store, self._settings, message.source, now) > 0:
                limits.hold(self._store, message)
                return
            limits.admit(self._store, self._settings, message.source, now)
            self._append(text)

    def summarise(self, now: float, *, at_once: bool = False) -> None:
        """Let the summaries of what was held back wait, once there is room, or `at_once`."""
        sources = limits.held_sources(self._store)
        if not sources:
            return
        with transaction(self._store):
            for source in sources:
                self._summarise(source, now, at_once=at_once)

    def next_summary(self, now: float) -> float | None:
        """Return in how many seconds a summary is due."""
        sources = limits.held_sources(self._store)
        return min((limits.wait_for_room(self._store, self._settings, one, now) for one in sources), default=None)

    def add_lost(self, count: int) -> None:
        """Count messages that never came here; each URL will be told."""
        self._store.execute("UPDATE recipient SET lost = lost + ?", (count,))

    def waiting(self) -> int:
        """Return how many messages wait."""
        (count,) = self._store.execute("SELECT count(*) FROM message").fetchone()
        return int(count)

    # What both call.

    def next_due(self, now: float) -> float | None:
        """Return in how many seconds something is due at a URL, 0 if it is now, None if nothing waits."""
        due = self._due(now)
        return min((wait for _, wait in due), default=None)

    # What the side that takes calls.

    def take(self, now: float) -> Job | None:
        """Return the oldest message that is due anywhere, each URL's in their order; it goes on to wait."""
        keys = [key for key, wait in self._due(now) if wait == 0]
        row = self._store.execute(
            "SELECT message, recipient, text, lost, failures "
            "FROM pending JOIN message ON id = message JOIN recipient ON key = recipient "
            f"WHERE key IN ({','.join('?' * len(keys))}) ORDER BY message, key LIMIT 1",
            keys,
        ).fetchone()
        return None if row is None else Job(*row)

    def failed(self, job: Job, now: float) -> None:
        """Let its URL rest.

        Also called before a message is sent, so that a URL at which the sender dies does not keep the others waiting
        when it is started again.
        """
        failures = job.failures + 1
        self._store.execute(
            "UPDATE recipient SET failures = ?, next_try = ? WHERE key = ?",
            (failures, now + self._settings.retry_after(failures), job.recipient),
        )

    def delivered(self, job: Job) -> None:
        """Forget a message at a URL, and the losses that it told."""
        store = self._store
        with transaction(store):
            there = store.execute(
                "DELETE FROM pending WHERE message = ? AND recipient = ?", (job.message, job.recipient)
            ).rowcount
            # Dropped and counted in the meantime: it is not lost after all.
            told = job.lost + (0 if there else 1)
            store.execute(
                "UPDATE recipient SET failures = 0, next_try = 0, lost = max(0, lost - ?) WHERE key = ?",
                (told, job.recipient),
            )
            self._forget_delivered()

    def discard(self, job: Job) -> None:
        """Take away a message that cannot be read, as lost at all URLs where it waits."""
        with transaction(self._store):
            self._drop(job.message)

    def _due(self, now: float) -> list[tuple[str, float]]:
        """Return the URLs for which something waits, and in how many seconds it is due there."""
        rows = self._store.execute(
            "SELECT key, next_try FROM recipient WHERE EXISTS (SELECT 1 FROM pending WHERE recipient = key)"
        )
        # No longer than the longest pause: the clock may have been put back.
        return [(key, max(0.0, min(due - now, self._settings.retry_max_s))) for key, due in rows]

    def _summarise(self, source: str, now: float, *, at_once: bool = False) -> None:
        if not at_once and limits.wait_for_room(self._store, self._settings, source, now) > 0:
            return
        summary = limits.take_summary(self._store, self._settings, source)
        if summary is not None:
            limits.admit(self._store, self._settings, source, now)
            self._append(summary.to_json())

    def _append(self, text: str) -> None:
        number = self._store.execute("INSERT INTO message (text) VALUES (?)", (text,)).lastrowid
        self._store.execute("INSERT INTO pending SELECT ?, key FROM recipient", (number,))
        while True:
            count, size, oldest = self._store.execute(
                "SELECT count(*), sum(length(text)), min(id) FROM message"
            ).fetchone()
            if count <= self._settings.max_queue and size <= self._settings.max_queue_bytes:
                return
            self._drop(oldest)

    def _drop(self, number: int) -> None:
        self._store.execute(
            "UPDATE recipient SET lost = lost + 1 WHERE key IN (SELECT recipient FROM pending WHERE message = ?)",
            (number,),
        )
        self._store.execute("DELETE FROM pending WHERE message = ?", (number,))
        self._store.execute("DELETE FROM message WHERE id = ?", (number,))

    def _forget_delivered(self) -> int:
        return self._store.execute("DELETE FROM message WHERE id NOT IN (SELECT message FROM pending)").rowcount
