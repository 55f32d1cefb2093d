"""Power of int16 sound as integers, so that every device draws the same line between loud and quiet."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]

FULL_SCALE_POWER = 2**30
"""Mean square of a square wave at int16's full scale: 0 dB."""

SILENCE_DB = -80.0
"""A converter's own noise: three units of the last bit. No machine's sound is as quiet."""


def energies(pcm: Pcm) -> npt.NDArray[np.int64]:
    """Square each sample; sums of fewer than 2^33 squares cannot overflow."""
    squares = pcm.astype(np.int64)
    squares *= squares
    return squares


def block_power(pcm: Pcm) -> int:
    """Return the mean square of samples [shape=(n,), n >= 1], rounded down."""
    return int(energies(pcm).sum()) // pcm.size


def power_of_db(level_db: float) -> int:
    """Return the least mean square that is not below a level [dB re full scale]."""
    return math.ceil(FULL_SCALE_POWER * 10 ** (level_db / 10))


def db_of_power(power: float) -> float:
    """Return a power [LSB^2] in dB re full scale; -inf where there is none."""
    return 10 * math.log10(power / FULL_SCALE_POWER) if power > 0 else -math.inf
