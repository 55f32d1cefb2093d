"""Pseudo-terminals of the tests."""

from __future__ import annotations

import fcntl
import pty
import struct
import termios


def open_terminal(rows: int = 24, columns: int = 80) -> tuple[int, int]:
    """Open one that keeps what was written to it at Ctrl-C; return master and slave.

    A terminal otherwise throws away then what was not read yet, and what comes next may begin inside a character.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    attributes = termios.tcgetattr(slave)
    attributes[3] |= termios.NOFLSH
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    return master, slave
