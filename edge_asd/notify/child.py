"""The parent's hold on the child process of `delivery`: started, heard, and killed when it makes no progress."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from edge_asd.notify.addresses import scrubbed
from edge_asd.notify.delivery import order
from edge_asd.notify.settings import URLS_VARIABLE, NotifySettings

_START_S = 60.0  # to load Apprise on the slowest board, beyond the time of a message
_MAX_LINE = 1 << 16


class Child:
    """A running child.

    Parameters
    ----------
    folder : Path
        Of the queue.
    settings : NotifySettings
    note : callable
        Takes what the child has to tell.

    Attributes
    ----------
    output : int
        The file descriptor to wait for, before `hear`.
    last_words : str
        What it last wrote that was no message: the end of a traceback.

    Raises
    ------
    OSError
        If it cannot be started.
    """

    def __init__(self, folder: Path, settings: NotifySettings, note: Callable[[str], None]) -> None:
        self._settings, self._note = settings, note
        self._buffer, self.last_words = b"", ""
        path = os.pathsep.join(entry for entry in sys.path if entry)
        environment = {name: value for name, value in os.environ.items() if name != URLS_VARIABLE}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "edge_asd.notify.delivery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment, "PYTHONPATH": path},
            start_new_session=True,  # a Ctrl-C is the parent's
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self.output = self._output.fileno()
        os.set_blocking(self.output, False)
        self._heard = time.monotonic()
        with contextlib.suppress(OSError):  # it has ended already
            self._input.write(order(folder, settings))
            self._input.flush()

    @property
    def patience_s(self) -> float:
        """Seconds after which it hangs, if nothing is heard of it; negative if it does."""
        return self._heard + self._settings.send_timeout_s + _START_S - time.monotonic()

    def hear(self) -> bool:
        """Take what it has written; tell whether it may write more."""
        try:
            data = os.read(self.output, 1 << 16)
        except BlockingIOError:
            return True
        *lines, rest = (self._buffer + data).split(b"\n")
        self._buffer = rest[-_MAX_LINE:]
        self._hear_lines(lines if data else [rest])
        return bool(data)

    def _hear_lines(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            try:
                said = json.loads(line)
                text = said.get("note")
            except (ValueError, AttributeError):
                if line.strip():
                    self.last_words = scrubbed(line.decode("utf-8", "replace").strip(), self._settings.urls)[:300]
                continue
            self._heard = time.monotonic()
            if isinstance(text, str):
                self._note(text)

    def stop(self) -> None:
        """Ask it to end after the message that it is sending."""
        with contextlib.suppress(OSError):
            self._input.close()

    def end(self, timeout: float = 0.0) -> int:
        """Wait, kill it if it has not ended by then, and return its exit code."""
        self.stop()
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        # Not to the end of the file: something that a service started may hold it open.
        while select.select([self.output], [], [], 0)[0] and self.hear():
            pass
        self._output.close()
        return code
