"""What a recording holds as a whole, told block by block: where it is silent, dead and clipped."""

from __future__ import annotations

from edge_asd.audio.health import DeadLine, Pcm, Stretch, clipped_places, place_text


class Survey:
    """Looks through a recording that need not be in memory, and says what `edge_asd.audio.health` says of arrays.

    Parameters
    ----------
    rate : int >= 1000 [Hz]

    Attributes
    ----------
    size : int >= 0
        Samples seen.
    """

    def __init__(self, rate: int) -> None:
        self.size = 0
        self._rate, self._line = rate, DeadLine(rate)
        self._low, self._high, self._clipped = 32767, -32768, 0
        self._dead: list[Stretch] = []

    def push(self, pcm: Pcm) -> None:
        """Take the next samples [shape=(n,), n >= 1]."""
        self.size += pcm.size
        self._low, self._high = min(self._low, int(pcm.min())), max(self._high, int(pcm.max()))
        self._clipped += clipped_places(pcm).size
        self._dead += self._line.push(pcm)

    @property
    def silent(self) -> bool:
        """All samples so far lie within 1 of a constant: `edge_asd.audio.health.is_silent`."""
        return bool(place_text(self._low, self._high, None, self._rate))

    @property
    def dead(self) -> list[Stretch]:
        """The dead stretches so far, in their order: `edge_asd.audio.health.dead_stretches`."""
        return [*self._dead, *([self._line.line] if self._line.line is not None and self._line.dead else [])]

    def dead_place(self) -> str:
        """Say where it is dead so far: `edge_asd.audio.health.dead_place`."""
        longest = max(self.dead, key=lambda stretch: stretch.size, default=None)
        return place_text(self._low, self._high, longest, self._rate)

    def clipped_share(self, beyond: float = 0.0) -> float:
        """Share of the samples so far at full scale: `edge_asd.audio.health.clipped_share`."""
        return max(self._clipped / self.size, beyond)
