"""Digital gain, in integer arithmetic: the same samples on every computer.

It comes last, after the channel was chosen and the sound was resampled: at one place for files, pipes and microphones,
each sample for itself, so that blocks do not matter. What it drives over full scale stays at full scale there, where
the watch for clipping sees it; a resampler behind it would smear it into waves below.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

from edge_asd.audio.stream import Pcm
from edge_asd.errors import AudioFormatError

MAX_GAIN_DB = 60.0
_SHIFT = 24  # -60 dB as 16777/2**24 is right to 0.0001 dB; 60 dB of full scale still fits into 49 bits.

_Other = TypeVar("_Other")


class Gain:
    """Makes int16 samples louder or softer.

    ``y = min(max(floor((x * factor + 2**23) / 2**24), -32768), 32767)``: rounded to the nearest, halves up.

    Parameters
    ----------
    gain_db : float, -60 to 60 [dB]

    Attributes
    ----------
    factor : int, 16777 to 16777216000
        ``10 ** (gain_db / 20)`` in Q24, rounded to the nearest, halves to even.

    Raises
    ------
    AudioFormatError
        If the gain is out of range.
    """

    def __init__(self, gain_db: float) -> None:
        if not (math.isfinite(gain_db) and abs(gain_db) <= MAX_GAIN_DB):
            raise AudioFormatError(
                f"A gain of {gain_db} dB cannot be used: give {-MAX_GAIN_DB:.0f} to {MAX_GAIN_DB:.0f} dB."
            )
        self.factor = 1 << _SHIFT if gain_db == 0 else _power(gain_db)

    def apply(self, pcm: Pcm) -> Pcm:
        """Return the samples with the gain; at 0 dB the same array.

        Parameters
        ----------
        pcm : int16 [shape=(n,)]
        """
        if self.factor == 1 << _SHIFT:
            return pcm
        wide = pcm.astype(np.int64)
        wide *= self.factor
        wide += 1 << (_SHIFT - 1)
        wide >>= _SHIFT
        np.clip(wide, -32768, 32767, out=wide)
        return wide.astype(np.int16)


def amplified(blocks: Iterable[Pcm | _Other], gain_db: float) -> Iterator[Pcm | _Other]:
    """Apply a gain to a stream's blocks; what is no block, such as a break, passes through.

    Parameters
    ----------
    blocks : iterable of int16 [shape=(n,)] or anything else
    gain_db : float, -60 to 60 [dB]

    Raises
    ------
    AudioFormatError
        At once, if the gain is out of range.
    """
    gain = Gain(gain_db)
    return (gain.apply(block) if isinstance(block, np.ndarray) else block for block in blocks)


def _power(gain_db: float) -> int:
    # No C library's power function: they differ in the last bit.
    from decimal import ROUND_HALF_EVEN, Context, Decimal

    context = Context(prec=40, rounding=ROUND_HALF_EVEN)
    power = context.power(Decimal(10), context.divide(Decimal(gain_db), Decimal(20)))
    return int(context.to_integral_value(context.multiply(power, Decimal(1 << _SHIFT))))
