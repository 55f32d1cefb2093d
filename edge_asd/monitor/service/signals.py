"""What the operating system asks of the monitor: to end, or to read its configuration again."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any


class Signals:
    """Notes SIGTERM and SIGHUP while it is entered; the loop asks each turn.

    Nothing is raised in the middle of a write, and nothing is done in the handler: a loop that waits for sound for a
    quarter of a second at most ends well within a second, with everything flushed by the ordinary way out. Enter
    it in the main thread, before the first lengthy work.

    Parameters
    ----------
    reload : bool
        SIGHUP asks to read the configuration again. Otherwise it asks to end, as SIGTERM does, unless it is ignored
        (``nohup``).

    Attributes
    ----------
    ending : bool
        It is to end.
    """

    def __init__(self, *, reload: bool = True) -> None:
        self.ending = False
        self._reloads = reload
        self._reload = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Signals:
        self._before = {signal.SIGTERM: signal.signal(signal.SIGTERM, self._end)}
        if self._reloads:
            self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._read_again)
        elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def take_reload(self) -> bool:
        """Tell whether SIGHUP has come since the last call."""
        asked, self._reload = self._reload, False
        return asked

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.ending = True

    def _read_again(self, _number: int, _frame: FrameType | None) -> None:
        self._reload = True
