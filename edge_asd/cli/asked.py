"""What the user asks of a recording while it runs: to pause, to go on, to end; by keys and by signals."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from types import FrameType, TracebackType

from edge_asd.cli.keys import Keys

PAUSE_KEYS = " pP"


class Asked:
    """Notes keys and signals while it is entered, in the main thread. Nothing is raised in the middle of a write.

    On a terminal, space or P pauses and goes on. SIGUSR1 pauses and SIGUSR2 goes on, each however often it comes.
    Ctrl-C, SIGTERM and SIGHUP ask to end, but where they are ignored (``nohup``); a second Ctrl-C raises
    `KeyboardInterrupt`.

    Attributes
    ----------
    ended_by : int or None
        The signal that asked to end.
    keys : bool
        Keys are heard.
    """

    def __init__(self) -> None:
        self.ended_by: int | None = None
        self._paused = False
        self._keys = Keys()
        self._undo = ExitStack()

    def __enter__(self) -> Asked:
        self._undo.enter_context(self._keys)
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"):
            number = getattr(signal, name, None)  # Windows has but the first two
            if number is None:
                continue
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN or name.startswith("SIGUSR"):
                signal.signal(number, self._set_pause if name.startswith("SIGUSR") else self._end)
                self._undo.callback(signal.signal, number, signal.SIG_DFL if before is None else before)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._undo.close()

    @property
    def keys(self) -> bool:
        """Keys are heard."""
        return self._keys.heard

    def paused(self) -> bool:
        """Tell whether what is recorded now is to be left out."""
        for key in self._keys.pressed():
            self._paused ^= key in PAUSE_KEYS
        return self._paused

    def ended(self) -> bool:
        """Tell whether to end."""
        return self.ended_by is not None

    def _end(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.ended():
            raise KeyboardInterrupt
        self.ended_by = number

    def _set_pause(self, number: int, _frame: FrameType | None) -> None:
        self._paused = number == signal.SIGUSR1
