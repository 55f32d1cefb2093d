"""Keys that are pressed on the terminal while a command works."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from types import TracebackType

if sys.platform != "win32":
    import termios

    _LINES = termios.ICANON | termios.ECHO
    """A terminal that hands on whole lines, and prints what is typed."""


class Keys:
    """Hears keys of the terminal at the standard input while it is entered, without printing them.

    Who reads a terminal, or sets it, from the background is stopped: so it does neither until the program is in front.

    Attributes
    ----------
    heard : bool
        There is a terminal.
    """

    def __init__(self) -> None:
        self.heard = sys.platform != "win32" and sys.stdin.isatty()

    def __enter__(self) -> Keys:
        if self.heard:
            self._terminal = sys.stdin.fileno()
            self._before = termios.tcgetattr(self._terminal)
            self.pressed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        with suppress(OSError, termios.error):  # it may be gone
            if self.heard and self._is_in_front():
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._before)

    def pressed(self) -> str:
        """Return the keys since the last call."""
        if not self.heard:
            return ""
        try:
            if not self._is_in_front():
                return ""
            attributes = termios.tcgetattr(self._terminal)
            # Again whenever a shell has had the terminal meanwhile: not all put back what a stopped program had set.
            if attributes[3] & _LINES:
                attributes[3] &= ~_LINES
                termios.tcsetattr(self._terminal, termios.TCSANOW, attributes)
            if not select.select([self._terminal], [], [], 0)[0]:
                return ""
            keys = os.read(self._terminal, 64)
        except (OSError, termios.error):
            keys = b""
        self.heard = bool(keys)  # nothing, where something can be read, is its end
        return keys.decode("ascii", "replace")

    def _is_in_front(self) -> bool:
        return os.tcgetpgrp(self._terminal) == os.getpgrp()
