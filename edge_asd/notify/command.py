"""``--on-alarm CMD``: a command of the user's is run when there is an alarm."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from edge_asd.notify.message import Message
from edge_asd.notify.settings import URLS_VARIABLE

EVENTS = ("alarm", "escalated")
"""Events for which the command is run."""

_MAX_WAITING = 100
_MAX_TAIL = 4096  # of what a command prints
_MAX_SHOWN = 300
_POLL_S = 0.1


class OnAlarm:
    """Runs a command for each alarm, in threads of its own: who tells of an alarm is never delayed.

    The command is given to the shell (``/bin/sh -c``), as by cron and other programs that watch something: pipes,
    ``&&`` and ``"$EDGE_ASD_SOURCE"`` work. Nothing of an event becomes part of the command's text, so that no name of
    a source or a file can be run by mistake; the command should put quotes around the variables, as everywhere.

    It finds the event as one JSON object on its standard input (``event, source, time, title, body, severity`` and
    the details), and in the environment as ``EDGE_ASD_EVENT, _SOURCE, _TIME, _TITLE, _BODY, _SEVERITY`` and, where
    they are known, ``_SECTION, _SCORE, _THRESHOLD, _UNIT, _CLIP, _DURATION_S, _MACHINE``. The clip may not be complete
    before its last seconds were heard.

    A few may run at once, further ones wait. One that runs too long is killed with all that it started. What it prints
    is shown only if it fails.

    Parameters
    ----------
    command : str
    note : callable
        Takes a paragraph for a person, from another thread.
    timeout_s : float > 0 [s]
    at_once : int > 0
        Commands that run at a time.

    Raises
    ------
    ValueError
        If the command is empty.
    """

    def __init__(self, command: str, note: Callable[[str], None], *, timeout_s: float = 60.0, at_once: int = 3) -> None:
        if not command.strip() or "\0" in command:
            raise ValueError("the command to run on an alarm is empty")
        self._command, self._note, self._timeout = command, note, timeout_s
        self._at_once = at_once
        self._waiting: deque[Message] = deque()
        self._changed = threading.Condition()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._threads = 0
        self._closing = self._ended = self._overflowing = False

    def send(self, message: Message) -> bool:
        """Have the command run for a message, and return at once; False if it will not be."""
        if message.event not in EVENTS:
            return False
        with self._changed:
            if self._closing:
                return False
            full = len(self._waiting) >= _MAX_WAITING
            if not full:
                self._waiting.append(message)
                if self._threads < self._at_once:
                    self._threads += 1
                    threading.Thread(target=self._work, name="on-alarm", daemon=True).start()
            tell, self._overflowing = full and not self._overflowing, full
        if tell:
            self._note(f"The command {self._shown} is too slow: {_MAX_WAITING} alarms wait for it, and it misses some.")
        return not full

    def close(self, timeout: float) -> None:
        """Wait for the commands for `timeout` seconds at most, kill those that still run, and tell what was not run."""
        with self._changed:
            self._closing = True
            self._changed.wait_for(lambda: self._threads == 0, timeout)
            left = len(self._waiting)
            self._waiting.clear()
            self._ended = True
            for process in self._running:
                _kill(process)
            self._changed.wait_for(lambda: self._threads == 0, 1.0)
        if left:
            self._note(f"The command {self._shown} was not run for {left} alarms, as edge-asd ended.")

    @property
    def _shown(self) -> str:
        return repr(self._command if len(self._command) <= 60 else self._command[:57] + "...")

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._threads -= 1
                    self._changed.notify_all()
                    return
                message = self._waiting.popleft()
            try:
                told = self._run(message)
            except Exception as error:  # the next alarm is to be heard of all the same
                told = f"could not be run: {getattr(error, 'strerror', None) or error}"
            if told:
                self._note(f"The command {self._shown}, run for {message.title!r}, {told}")

    def _run(self, message: Message) -> str | None:
        """Run the command; return what went wrong."""
        process = subprocess.Popen(
            ["/bin/sh", "-c", self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(message),
            start_new_session=True,
        )
        with self._changed:
            self._running.add(process)
            if self._ended:
                _kill(process)
        try:
            in_time, tail = _attend(process, _facts(message), time.monotonic() + self._timeout)
        finally:
            with self._changed:
                _kill_if_running(process)
                self._running.discard(process)
        words = " ".join(tail.decode("utf-8", "replace").split())[-_MAX_SHOWN:].lstrip()
        said = f" Its last words: {words}" if words else ""
        if not in_time:
            return f"took longer than {self._timeout:g} s and was killed.{said}"
        if process.returncode < 0:
            return f"was ended by signal {-process.returncode}.{said}"
        return f"failed with exit code {process.returncode}.{said}" if process.returncode else None


def _facts(message: Message) -> bytes:
    told = json.loads(message.to_json())
    details: dict[str, Any] = told.pop("details")
    return json.dumps({**details, **told}).encode() + b"\n"


def _environment(message: Message) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != URLS_VARIABLE}
    facts = json.loads(_facts(message))
    for name in ("event", "source", "time", "title", "body", "severity"):
        environment[f"EDGE_ASD_{name.upper()}"] = facts[name].replace("\0", "?")
    for name in ("section", "score", "threshold", "unit", "clip", "duration_s", "machine"):
        environment.pop(f"EDGE_ASD_{name.upper()}", None)
        if isinstance(facts.get(name), str | int | float):
            environment[f"EDGE_ASD_{name.upper()}"] = str(facts[name]).replace("\0", "?")
    return environment


def _attend(process: subprocess.Popen[bytes], data: bytes, deadline: float) -> tuple[bool, bytes]:
    """Feed a process and read what it prints until it ends; return whether it did in time, and the last it printed.

    What it left running in the background may hold its output open, which is not waited for.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    tail = b""
    with process.stdin as feed, process.stdout as output, selectors.DefaultSelector() as selector:
        os.set_blocking(feed.fileno(), False)
        os.set_blocking(output.fileno(), False)
        selector.register(feed, selectors.EVENT_WRITE)
        selector.register(output, selectors.EVENT_READ)
        while True:
            ended = process.poll() is not None
            ready = [key.fileobj for key, _ in selector.select(0 if ended else _POLL_S)]
            if output in ready:
                read = os.read(output.fileno(), 1 << 16)
                tail = (tail + read)[-_MAX_TAIL:]
                if not read:
                    selector.unregister(output)
            if feed in ready and not ended:
                try:
                    data = data[os.write(feed.fileno(), data) :]
                except OSError:  # it does not want to know
                    data = b""
                if not data:
                    selector.unregister(feed)
                    feed.close()
            if ended and output not in ready:
                return True, tail
            if time.monotonic() >= deadline:
                return ended, tail


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _kill_if_running(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        _kill(process)
        process.wait()
