"""A file by which others see that the monitor's loop goes on: for containers, where no systemd watches."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from edge_asd.errors import OutputError
from edge_asd.files import open_without_waiting, printable

EVERY_S = 5.0
"""Time between two beats; the file is best where no disk wears, as in /run or /tmp."""

_LENGTH = 256  # the file never shrinks, so that a reader finds a whole line at any moment


_LONGEST_NS = 1 << 63


@dataclass(frozen=True, slots=True)
class Beat:
    """The last beat.

    Attributes
    ----------
    age_s : float >= 0 [s]
    status : str
        What the monitor did then.
    """

    age_s: float
    status: str


class Heartbeat:
    """Renews the file when the loop calls.

    The beat's time is the monotonic clock's, which all processes of a computer share and no time step moves.

    Parameters
    ----------
    path : Path
        Its folder is made where it is missing. What is there from before goes.

    Raises
    ------
    OutputError
        If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: float | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            self._write("starting")
        except OSError as error:
            raise OutputError(
                f"Cannot write the heartbeat {printable(str(path))}: {error.strerror or error}. Choose another place."
            ) from error

    def beat(self, status: str) -> None:
        """Tell that the loop goes on; most calls do nothing. A write that fails is tried again at the next one."""
        now = time.monotonic()
        if self._last is not None and now - self._last < EVERY_S:
            return
        try:
            self._write(status)
        except OSError:
            return
        self._last = now

    def _write(self, status: str) -> None:
        line = f"{time.monotonic_ns()} {' '.join(status.split())}".encode()[: _LENGTH - 1].ljust(_LENGTH - 1) + b"\n"
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)


def last_beat(path: Path) -> Beat | None:
    """Return the last beat of this boot; None where there is none to be read."""
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            at, _, status = file.read(_LENGTH).decode("utf-8", "replace").partition(" ")
        age = time.monotonic_ns() - int(at)
    except (OSError, ValueError):
        return None
    # One from the future is from before this boot.
    return Beat(age / 1e9, printable(status.strip())) if 0 <= age < _LONGEST_NS else None
