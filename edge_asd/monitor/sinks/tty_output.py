"""Writes to a terminal without ever waiting for it."""

from __future__ import annotations

import contextlib
import os
import select
import time
from typing import TextIO

_CHUNK = 256  # a terminal that tells that it takes something takes so much


class TtyOutput:
    """Keeps back what a terminal does not take yet: one that is stopped (Ctrl-S), or whose connection stalls.

    The terminal is opened anew for it, for who would make the stream itself non-blocking would do so for all programs
    that share it, the shell among them. Where that is forbidden, little is written at a time.

    Parameters
    ----------
    stream : text file
        A terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        stream.flush()
        self._waits = b""
        self._encoding = stream.encoding
        try:
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            self._file = os.open(os.ttyname(stream.fileno()), flags)
        except OSError:
            self._file = os.dup(stream.fileno())

    def write(self, text: str) -> None:
        """Write it now or later.

        Raises
        ------
        OSError
            If the terminal is gone.
        """
        self._waits += text.encode(self._encoding, "replace")
        self.proceed()

    def proceed(self) -> bool:
        """Write what waits, as far as the terminal takes it; return whether that was all.

        Raises
        ------
        OSError
            If the terminal is gone.
        """
        while self._waits and select.select([], [self._file], [], 0)[1]:
            try:
                self._waits = self._waits[os.write(self._file, self._waits[:_CHUNK]) :]
            except BlockingIOError:
                break
        return not self._waits

    def close(self, patience_s: float = 1.0) -> None:
        """Write what waits, if it is taken in time, and let the terminal go."""
        end = time.monotonic() + patience_s
        with contextlib.suppress(OSError):
            while not self.proceed() and time.monotonic() < end:
                time.sleep(0.01)
        os.close(self._file)
