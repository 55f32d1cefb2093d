"""A program that writes to a pipe, with all the processes that it starts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress

from edge_asd.audio.raw import READ_BYTES
from edge_asd.monitor.sources.waiting import Waiter, until

_KEPT_BYTES = 4096  # of what it says
_MOST_CHARACTERS = 200
_READS_AT_ONCE = 16
_OWN_END_SECONDS = 0.3
_TERM_SECONDS = 0.4
_KILL_SECONDS = 0.2
_TURN_SECONDS = 0.01
_SECRETS = re.compile(r"(?<=://)[^/\s@]+@")


class Program:
    """A running program: the leader of a group of processes of its own, without standard input.

    Parameters
    ----------
    arguments : sequence of str
        The program and what it is given; no shell is in between.

    Raises
    ------
    OSError, ValueError
        If it cannot be started.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process, which then ends the group.
            bufsize=0,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._out, self._errors = self._process.stdout.fileno(), self._process.stderr.fileno()
        os.set_blocking(self._errors, False)
        self._open = {self._out, self._errors}
        self._said = b""

    def read(self, waiter: Waiter, seconds: float) -> bytes | None:
        """Read what it has written: b"" at its end, None where nothing came in time or the waiter was woken."""
        moment = time.monotonic() + seconds
        while ready := waiter.wait(self._open, until(moment)):
            if self._errors in ready:
                self._listen()
            if self._out in ready:
                data = os.read(self._out, READ_BYTES)
                if not data:
                    self._open.discard(self._out)
                return data
        return None

    def end(self) -> str:
        """End all its processes, within a second, and say how the program itself ended: "with exit code 1: no route".

        One that has closed its output is given a moment to end on its own. Processes that have left its group are not
        found.
        """
        by_itself = self._out not in self._open and self._exited(_OWN_END_SECONDS)
        # Until its leader is waited for, the group's number cannot become another's.
        self._signal(signal.SIGTERM)
        self._exited(_TERM_SECONDS)
        self._signal(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):  # in the middle of something that cannot be interrupted
            self._process.wait(_KILL_SECONDS)
        self._listen()
        for file in (self._process.stdout, self._process.stderr):
            assert file is not None
            file.close()
        manner = _manner(self._process.returncode) if by_itself else "and was killed"
        words = self._last_words()
        return f"{manner}: {words}" if words else manner

    def _listen(self) -> None:
        """Keep the last of what it has written to its standard error, which must not fill up."""
        for _ in range(_READS_AT_ONCE):
            try:
                data = os.read(self._errors, READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                self._open.discard(self._errors)
                return
            self._said = (self._said + data)[-_KEPT_BYTES:]

    def _last_words(self) -> str:
        """Return the last line of its standard error, fit to be printed; "" for none."""
        text = self._said.decode("utf-8", "replace")
        lines = ["".join(c for c in line if c.isprintable()).strip() for line in text.splitlines()]
        last = next((line for line in reversed(lines) if line), "")
        return _SECRETS.sub("***@", last)[:_MOST_CHARACTERS]

    def _exited(self, seconds: float) -> bool:
        """Wait so long for the leader's end, and leave it to be waited for again."""
        moment = time.monotonic() + seconds
        while os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if not until(moment):
                return False
            time.sleep(_TURN_SECONDS)
        return True

    def _signal(self, number: int) -> None:
        with suppress(OSError):  # none of them is left
            os.killpg(self._process.pid, number)


def _manner(code: int) -> str:
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
