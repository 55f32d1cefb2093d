"""The child process that delivers: it takes what is due from the queue, sends it, and ends when nothing is.

`child` starts it with ``python -m edge_asd.notify.delivery``. It reads one line of JSON on the standard input (the
queue's folder and the settings: URLs are in no argument, variable or file), and stops, after the message that it is
sending, when the standard input ends. It writes a line of JSON for each sign of life, with a ``note`` where there is
something to tell.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_asd.errors import DataError, DependencyError
from edge_asd.notify import store
from edge_asd.notify.addresses import label
from edge_asd.notify.message import Message
from edge_asd.notify.queue import Job, Queue
from edge_asd.notify.sender import Sender
from edge_asd.notify.settings import NotifySettings

DAMAGED, CANNOT = 4, 5
"""Exit codes: the queue's file is damaged; nothing can be sent here, as a note has told."""

LOCK = "delivery.lock"
_LINGER_S = 10.0  # what is due later than that is another child's: nobody keeps Apprise in memory meanwhile
_LOCK_POLL_S = 0.2
_REMIND_FAILURES = 50  # told again after as many


def order(folder: Path, settings: NotifySettings) -> bytes:
    """Write the line that the child reads."""
    return json.dumps({"folder": str(folder), "settings": asdict(settings)}).encode() + b"\n"


def main() -> None:
    """Deliver, and end the process at once, whatever threads a service has left."""
    with contextlib.suppress(OSError):
        os.nice(10)  # the sound comes first
    # A service manager signals all processes; the end of the input is the sign to stop after the message being sent.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 1 << 16)
        if not more:
            os._exit(0)
        line += more
    given = json.loads(line)
    values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in given["settings"].items()}
    code = _run(Path(given["folder"]), NotifySettings(**values))
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(code)


def _tell(text: str | None = None) -> None:
    with contextlib.suppress(OSError):  # the parent has gone
        print(json.dumps({} if text is None else {"note": text}), flush=True)


def _stopped(seconds: float = 0.0) -> bool:
    """Wait for as long; tell whether the parent wants an end, or has gone."""
    return bool(select.select([0], [], [], seconds)[0])


def _run(folder: Path, settings: NotifySettings) -> int:
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    # Another's child may still be sending: what it is about to mark as delivered would be sent twice.
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            _tell()
            if _stopped(_LOCK_POLL_S):
                return 0
    try:
        senders = dict(zip(settings.keys, (Sender(url, settings.send_timeout_s) for url in settings.urls), strict=True))
        queue = Queue(store.connect(folder / store.NAME), settings)
        deliver(queue, settings, senders, _tell, _stopped)
    except DependencyError as error:
        _tell(str(error))
        return CANNOT
    except (sqlite3.Error, store.ForeignFileError) as error:
        if store.is_damage(error):
            return DAMAGED
        _tell(f"The queue of notifications in {folder} cannot be used now ({error}); it is tried again.")
        return CANNOT
    return 0


def deliver(
    queue: Queue,
    settings: NotifySettings,
    senders: dict[str, Any],
    tell: Callable[..., None],
    stopped: Callable[..., bool],
) -> None:
    """Send what is due, until nothing is for a while.

    Parameters
    ----------
    queue : Queue
    settings : NotifySettings
    senders : dict of str to Sender
        By the keys of their URLs.
    tell : callable
        Takes a text for a person, or nothing as a sign of life.
    stopped : callable
        Waits for so many seconds, and tells whether to end.
    """
    labels = {key: label(i, url) for i, (key, url) in enumerate(zip(settings.keys, settings.urls, strict=True), 1)}
    while not stopped():
        tell()
        job = queue.take(time.time())
        if job is None:
            wait = queue.next_due(time.time())
            if wait is None or wait > _LINGER_S or stopped(max(wait, 0.01)):
                return
            continue
        if job.recipient not in senders:  # another program has changed the URLs
            return
        try:
            message = Message.from_json(job.text, f"Message {job.message} of the queue")
        except DataError as error:
            queue.discard(job)
            tell(f"{error} It is not sent, and counts as lost.")
            continue
        _rest(queue, job)
        reason = senders[job.recipient].send(message, job.lost)
        if reason is None:
            _mark(queue, job, tell, stopped)
            if job.failures:
                tell(f"The {labels[job.recipient]} works again; what waited for it is being sent.")
            continue
        resting = _rest(queue, job)
        if job.failures % _REMIND_FAILURES == 0:
            pause = settings.retry_after(job.failures + 1)
            tell(
                f"The {labels[job.recipient]} did not take {message.title!r}: {reason.rstrip('.')}. "
                f"It is tried again, first after {pause:g} s, at last every {settings.retry_max_s:g} s; "
                "`edge-asd notify` tests it."
            )
        if not resting and stopped(settings.retry_after(job.failures + 1)):
            return


def _rest(queue: Queue, job: Job) -> bool:
    """Let a URL rest, unless the disk is full, which is no reason to send nothing."""
    try:
        queue.failed(job, time.time())
    except sqlite3.OperationalError as error:
        if store.is_damage(error):
            raise
        return False
    return True


def _mark(queue: Queue, job: Job, tell: Callable[..., None], stopped: Callable[..., bool]) -> None:
    """Mark a message as delivered, for as long as it takes: on a full disk, nothing else is sent until it is."""
    told = False
    while True:
        try:
            queue.delivered(job)
            return
        except sqlite3.OperationalError as error:
            if store.is_damage(error):
                raise
            tell(None if told else f"A delivered notification cannot be marked as such ({error}): is the disk full?")
            told = True
            if stopped(1.0):
                return


if __name__ == "__main__":
    main()
