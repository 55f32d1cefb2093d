"""The monitor's side: messages go to the queue on disk, and a child process is kept that delivers them."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import selectors
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from edge_asd.errors import DependencyError, EdgeAsdError, OutputError
from edge_asd.notify import store
from edge_asd.notify.child import Child
from edge_asd.notify.delivery import CANNOT, DAMAGED
from edge_asd.notify.message import Message
from edge_asd.notify.queue import Queue
from edge_asd.notify.sender import missing_apprise
from edge_asd.notify.settings import NotifySettings

_IN_MEMORY = 1000  # messages that wait for a disk that is full or stuck
_RETRY_DISK_S = 2.0
_RETRY_CHILD_S = (1.0, 300.0)  # the pause before a child that failed is started again, and the longest
_LAST_MOMENT_S = 0.2
_BETWEEN_S = 0.1  # two children


def check_apprise() -> None:
    """Refuse to notify anybody without Apprise, which is not loaded.

    Raises
    ------
    DependencyError
    """
    if importlib.util.find_spec("apprise") is None:
        raise DependencyError(missing_apprise("it is not installed"))


class Dispatcher:
    """Takes messages, and sees to it that they are delivered. Who sends is never delayed: a thread does all the rest.

    A message of a chosen event is delivered at least once to each URL, or told as lost in the next message there. It
    is safe from the program's end once its thread has written it to the disk, milliseconds after `send`.

    Parameters
    ----------
    settings : NotifySettings
    folder : Path
        Of the queue; one program at a time. What an earlier one left there is delivered, too.
    note : callable
        Takes a paragraph for a person, from another thread. It shows no URL.

    Raises
    ------
    DependencyError
        If Apprise is not installed.
    OutputError
        If the folder cannot be used, or another program uses it.
    """

    def __init__(self, settings: NotifySettings, folder: Path, note: Callable[[str], None]) -> None:
        check_apprise()
        self._settings, self._folder, self._note = settings, folder, note
        self._inbox: deque[Message] = deque()
        self._lost_in_memory = 0
        self._disk_failed = self._damaged = self._closing = False
        self._deadline = float("inf")
        self._child: Child | None = None
        self._failures, self._not_before = 0, 0.0  # of the child
        self._last_note = ""
        self._lock = store.lock_folder(folder)
        try:
            self._queue = self._opened()
        except BaseException:
            os.close(self._lock)
            raise
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)
        self._thread.start()

    def __enter__(self) -> Dispatcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(0.0 if kind else 1.0)

    def send(self, message: Message) -> bool:
        """Have a message delivered, and return at once; False if its event is not told or it cannot be kept."""
        if self._closing or message.event not in self._settings.events:
            return False
        try:
            message.to_json()
        except ValueError as error:
            self._note(f"The notification {message.title!r:.100} cannot be sent: {error}.")
            return False
        self._inbox.append(message)
        self._wake()
        return True

    def close(self, timeout: float) -> None:
        """Deliver what is due within `timeout` seconds, then end; what is left waits for the next start."""
        if self._closing:
            return
        self._deadline = time.monotonic() + timeout
        self._closing = True
        self._wake()
        self._thread.join(timeout + 10)  # the disk may be stuck
        if not self._thread.is_alive():
            os.close(self._wake_write)
        else:
            self._note("Notifications could not be ended in time; some of the last ones may be lost.")

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):  # it has been woken, or has ended
            os.write(self._wake_write, b"!")

    # All that follows runs in the thread.

    def _run(self) -> None:
        try:
            while not self._done():
                try:
                    pause = self._turn()
                except Exception as error:  # a thread that ended would tell nobody anything
                    pause = self._unexpected(error)
                self._wait(pause)
        finally:
            self._end()

    def _turn(self) -> float | None:
        """Do what is due; return the seconds until there is more."""
        if self._damaged:
            self._reopen()
        now, pauses = time.time(), []
        try:
            self._store(now)
            self._queue.summarise(now, at_once=self._closing)
            self._disk_failed = False
        except sqlite3.Error as error:  # what is on the disk already goes on being delivered
            self._disk_error(error)
            pauses.append(_RETRY_DISK_S)
        due, summary = self._queue.next_due(now), self._queue.next_summary(now)
        if summary:
            pauses.append(summary)
        if self._child is not None:
            if self._child.patience_s <= 0:
                self._tell("Sending notifications made no progress; it is started anew.")
                self._end_child()
                return 0.0
            pauses.append(self._child.patience_s)
        elif due is not None:
            rest = max(due, self._not_before - time.monotonic())
            if rest <= 0:
                return self._start_child()
            pauses.append(rest)
        return min(pauses, default=None)

    def _store(self, now: float) -> None:
        while len(self._inbox) > _IN_MEMORY:
            self._inbox.popleft()
            self._lost_in_memory += 1
        if self._lost_in_memory:
            self._queue.add_lost(self._lost_in_memory)
            self._lost_in_memory = 0
        while self._inbox:
            try:
                self._queue.put(self._inbox[0], now)
            except ValueError as error:  # its details were changed behind our back
                self._tell(f"A notification cannot be kept: {error}.")
            self._inbox.popleft()

    def _disk_error(self, error: sqlite3.Error) -> None:
        if store.is_damage(error):
            raise error
        if not self._disk_failed:
            self._disk_failed = True
            self._tell(
                f"Notifications cannot be written to {self._folder} ({error}): is the disk full? "
                f"The last {_IN_MEMORY} are kept in memory until they can be."
            )
        while len(self._inbox) > _IN_MEMORY:
            self._inbox.popleft()
            self._lost_in_memory += 1

    def _reopen(self) -> None:
        self._damaged = True  # until it is open again
        if self._child is not None:
            self._end_child()
        self._queue.close()
        self._queue = self._opened()
        self._damaged = False

    def _opened(self) -> Queue:
        queue = Queue(store.open_store(self._folder, self._tell), self._settings)
        try:
            gone = queue.set_recipients()
        except sqlite3.Error as error:
            queue.close()
            raise OutputError(
                f"The queue of notifications in {self._folder} cannot be written: {error}. Free some space."
            ) from error
        if gone:
            self._tell(
                f"{gone} notifications waited for URLs that are not in the settings any more; they will not be sent."
            )
        return queue

    def _start_child(self) -> float | None:
        try:
            self._child = Child(self._folder, self._settings, self._tell)
        except OSError as error:
            self._rest_child(f"The process that sends notifications cannot be started: {error.strerror or error}")
            return 0.0
        self._selector.register(self._child.output, selectors.EVENT_READ)
        return 0.0

    def _end_child(self, timeout: float = 0.0) -> None:
        assert self._child is not None
        child, self._child = self._child, None
        self._selector.unregister(child.output)
        code, words = child.end(timeout), child.last_words
        if code == 0:
            self._failures, self._not_before = 0, time.monotonic() + _BETWEEN_S
        elif code == DAMAGED:
            self._damaged = True
        elif code == CANNOT:
            self._rest_child(None)
        elif not self._closing:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            self._rest_child(f"The process that sends notifications {how}" + (f" ({words})" if words else ""))

    def _rest_child(self, what: str | None) -> None:
        first, longest = _RETRY_CHILD_S
        pause = min(longest, first * 2.0 ** min(self._failures, 20))
        self._failures += 1
        self._not_before = time.monotonic() + pause
        if what is not None:
            self._tell(f"{what}. It is started again after {pause:g} s; nothing that waits is lost.")

    def _wait(self, pause: float | None) -> None:
        left = self._deadline - time.monotonic()
        seconds = left if pause is None else min(pause, left)
        for key, _ in self._selector.select(None if seconds == float("inf") else max(0.0, seconds)):
            if key.fd == self._wake_read:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 1 << 16)
            elif self._child is not None and not self._child.hear():
                self._end_child(_LAST_MOMENT_S)

    def _done(self) -> bool:
        if not self._closing:
            return False
        left = self._deadline - time.monotonic()
        if left <= 0:
            return True
        if self._inbox or self._child is not None:
            return False
        try:
            due = self._queue.next_due(time.time())
        except sqlite3.Error:
            return False
        return due is None or due > left

    def _unexpected(self, error: Exception) -> float:
        if store.is_damage(error):
            self._damaged = True
            return 0.0
        kind = "" if isinstance(error, EdgeAsdError) else f"{type(error).__name__}: "
        self._tell(f"Notifications are in trouble, and go on trying: {kind}{error}")
        return _RETRY_DISK_S

    def _tell(self, text: str) -> None:
        """Pass on what differs from the last that was told."""
        if text != self._last_note:
            self._last_note = text
            self._note(text)

    def _end(self) -> None:
        """Write what is left to the disk, end the child, and tell what waits."""
        with contextlib.suppress(sqlite3.Error, EdgeAsdError):
            if self._damaged:
                self._reopen()
            self._store(time.time())
        if self._child is not None:
            self._end_child(_LAST_MOMENT_S)
        waiting = len(self._inbox)
        if waiting:
            self._note(f"{waiting} notifications could not be written to {self._folder} and are lost.")
        with contextlib.suppress(sqlite3.Error):
            if left := self._queue.waiting():
                self._note(f"{left} notifications wait in {self._folder}; they are sent at the next start.")
            self._queue.close()
        self._selector.close()
        os.close(self._lock)
        os.close(self._wake_read)
