"""How loud live sound is now, and its peak: what a person watches while setting a microphone's gain."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from edge_asd.audio.loudness import db_of_power, energies
from edge_asd.audio.stream import Pcm

NOW_SECONDS = 0.4
"""Span of the level that is "now": the momentary loudness of EBU Tech 3341."""

HOLD_SECONDS = 10.0
"""How long a peak is held."""

_LOWEST_DB = -60.0  # at the left end of a bar


class _Block(NamedTuple):
    samples: int
    energy: int
    peak: int


class Meter:
    """Measures a stream's last moments.

    Parameters
    ----------
    rate : int > 0 [Hz]
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._blocks: deque[_Block] = deque()
        self._held = 0

    def push(self, pcm: Pcm) -> None:
        """Take the next samples, int16 [shape=(n,), n >= 1]."""
        self._blocks.append(_Block(pcm.size, int(energies(pcm).sum()), int(np.abs(pcm.astype(np.int32)).max())))
        self._held += pcm.size
        while self._held - self._blocks[0].samples >= HOLD_SECONDS * self._rate:
            self._held -= self._blocks.popleft().samples

    @property
    def level_db(self) -> float:
        """RMS level of the last `NOW_SECONDS` [dB re full scale]; -inf for nothing."""
        samples = energy = 0
        for block in reversed(self._blocks):
            samples += block.samples
            energy += block.energy
            if samples >= NOW_SECONDS * self._rate:
                break
        return db_of_power(energy // samples) if samples else -math.inf

    @property
    def peak_db(self) -> float:
        """Largest magnitude of the last `HOLD_SECONDS` [dB re full scale]; -inf for nothing."""
        return peak_db(max((block.peak for block in self._blocks), default=0))

    def text(self) -> str:
        """Say both, for people."""
        if not self._blocks:
            return "nothing heard yet"
        return f"now {_db(self.level_db)}, peak {_db(self.peak_db)}"

    def bar(self, width: int) -> str:
        """Draw both from -60 to 0 dB in `width` plain characters: ``######....|...``."""
        now, peak = (round(width * (1 - max(db, _LOWEST_DB) / _LOWEST_DB)) for db in (self.level_db, self.peak_db))
        cells = list("#" * now + "." * (width - now))
        if peak:
            cells[peak - 1] = "|"
        return "".join(cells)


def peak_db(magnitude: int) -> float:
    """Return a sample's magnitude, 0 to 32768, in dB re full scale; -inf for 0."""
    return 20 * math.log10(magnitude / 32768) if magnitude else -math.inf


def _db(level: float) -> str:
    return "-inf dB" if math.isinf(level) else f"{round(level)} dB"
