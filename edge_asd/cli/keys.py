"""Keys that are pressed on the terminal while a command works."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from types import TracebackType

if sys.platform != "win32":
    import termios


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
        self._in_front = False

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
            in_front, self._in_front = self._in_front, self._is_in_front()
            if not self._in_front:
                return ""
            if not in_front:
                attributes = termios.tcgetattr(self._terminal)
                attributes[3] &= ~(termios.ICANON | termios.ECHO)
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
