"""How long sound takes to be scored, as a share of how long it lasts."""

from __future__ import annotations

from collections import deque

SPAN_S = 10.0
"""The load is that of so much sound."""


class Load:
    """Watches one source.

    Attributes
    ----------
    share : float or None
        Time that the last `SPAN_S` seconds of sound took, as a share of their length; None before there are so many.
    """

    def __init__(self) -> None:
        self.share: float | None = None
        self._parts: deque[tuple[float, float]] = deque()
        self._sound_s = self._busy_s = 0.0

    def push(self, sound_s: float, busy_s: float) -> None:
        """Take the next sound's length and the time that it took [s]."""
        self._parts.append((sound_s, busy_s))
        self._sound_s += sound_s
        self._busy_s += busy_s
        while self._sound_s - self._parts[0][0] >= SPAN_S:
            old_sound, old_busy = self._parts.popleft()
            self._sound_s -= old_sound
            self._busy_s -= old_busy
        if self._sound_s >= SPAN_S:
            self.share = self._busy_s / self._sound_s
