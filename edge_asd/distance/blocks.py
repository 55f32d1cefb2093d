"""Sums over blocks of frames: all that is kept of a sound, and all the work there is for each frame.

A score's span is cut into blocks, ten where it has so many frames, and each block keeps three sums for each mel band:
of the power, of the decibels, and of their squares. The span's last blocks are added up where a block ends, so that
there is one decision for each block, and none depends on where else a stream was cut.

For each frame and band, with L its log-mel value in Q15.16:

1. x = floor((L + 2^7) / 2^8): decibels in Q8.8. The front end's values reach from -156.54 dB (its floor) to less than
   51 dB (a full-scale signal, all of it in the narrowest band there can be), so -40074 <= x < 13056.
2. Power p = 2^(x log2(10) / 10) by `edge_asd.frontend.logarithm.power_of_two`, with `Blocks.power_bits` fractional
   bits. The exponent in Q6.25 is x * 43541, at most 1.75e9 < 2^31; 43541 is 4e-6 too small, 6e-4 dB at the floor.
3. Power sum += p, level sum += x, square sum += x^2.

Bounds for n frames in a span, 1 <= n <= 2^15, of b bits (2^(b-1) <= n < 2^b): the exponent is below 17, and power_bits
is 45 - b, so that power sums of a span stay below n * 2^(17 + 45 - b) < 2^62; level sums stay within
n * 40074 < 2^31 (int32), square sums within n * 40074^2 < 2^46 (int64).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import EdgeAsdError
from edge_asd.frontend.logarithm import POWER_FRACTION_BITS, Int64, Uint64, power_of_two
from edge_asd.frontend.spec import DB_FRACTION_BITS

SUM_BITS = 8
"""Decibels are summed in Q8.8."""

LOG2_PER_DB = 43541
"""log2(10) / 10 in Q0.17: turns Q8.8 decibels into exponents in Q6.25."""

LOUDEST_DB = 51
"""Less than this is every value of the front end [dB]."""

MOST_FRAMES = 1 << 15
"""Longest span [frames]."""

_BLOCKS = 10
_POWER_BITS = 45


@dataclass(frozen=True, slots=True)
class Blocks:
    """How a span of frames is cut.

    Parameters
    ----------
    frames : int > 0
        In each block.
    count : int > 0
        Blocks of a span; `frames * count` is at most `MOST_FRAMES`.

    Raises
    ------
    EdgeAsdError
        If they are no such numbers.
    """

    frames: int = 31
    count: int = 10

    def __post_init__(self) -> None:
        if self.frames < 1 or self.count < 1 or self.span > MOST_FRAMES:
            raise EdgeAsdError(
                f"{self.count} blocks of {self.frames} frames are no span of 1 to {MOST_FRAMES} frames. "
                "Choose a shorter score, or a longer hop."
            )

    @classmethod
    def of_span(cls, frames: int) -> Blocks:
        """Cut a score of `frames` frames into ten blocks, or into single frames; up to nine frames are left over."""
        count = max(1, min(_BLOCKS, frames))
        return cls(frames // count, count)

    @property
    def span(self) -> int:
        """Frames of a score: 310 at the default front end and 10 s."""
        return self.frames * self.count

    @property
    def power_bits(self) -> int:
        """Fractional bits of powers: 36 for a span of 310 frames."""
        return _POWER_BITS - self.span.bit_length()


@dataclass(frozen=True, slots=True)
class BlockSums:
    """Sums over blocks of frames, or over spans of them.

    Attributes
    ----------
    power : ndarray, uint64 [shape=(n, n_mels), `Blocks.power_bits` fractional bits]
        Of mel powers of PCM scaled to [-1, 1).
    level : ndarray, int64 [shape=(n, n_mels), dB in Q8.8]
        It fits int32.
    square : ndarray, int64 [shape=(n, n_mels), dB^2 in Q16]
    """

    power: Uint64
    level: Int64
    square: Int64

    def spans(self, count: int) -> BlockSums:
        """Add up each run of `count` blocks [shape=(max(0, n - count + 1), n_mels)]."""
        return BlockSums(_runs(self.power, count), _runs(self.level, count), _runs(self.square, count))

    def then(self, later: BlockSums) -> BlockSums:
        """Append later blocks."""
        return BlockSums(
            np.concatenate([self.power, later.power]),
            np.concatenate([self.level, later.level]),
            np.concatenate([self.square, later.square]),
        )

    def last(self, count: int) -> BlockSums:
        """Keep the last `count` blocks, or as many as there are."""
        first = max(0, len(self.level) - count)
        return BlockSums(self.power[first:], self.level[first:], self.square[first:])


def _runs(sums: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    return (
        np.lib.stride_tricks.sliding_window_view(sums, count, axis=0).sum(axis=-1, dtype=sums.dtype)
        if len(sums) >= count
        else sums[:0]
    )


def block_sums(frames: npt.NDArray[np.int32], blocks: Blocks) -> BlockSums:
    """Sum over consecutive blocks of frames; what is left over counts in none.

    Parameters
    ----------
    frames : ndarray, int32 [shape=(n, n_mels), dB in Q15.16]
        Of the fixed-point front end.
    blocks : Blocks

    Returns
    -------
    sums : BlockSums [shape=(n // blocks.frames, n_mels)]
    """
    count = len(frames) // blocks.frames
    whole = frames[: count * blocks.frames].reshape(count, blocks.frames, frames.shape[1]).astype(np.int64)
    down = DB_FRACTION_BITS - SUM_BITS
    x = (whole + (1 << (down - 1))) >> down
    power = power_of_two(x * LOG2_PER_DB, blocks.power_bits)
    return BlockSums(power.sum(axis=1, dtype=np.uint64), x.sum(axis=1), (x * x).sum(axis=1))


assert POWER_FRACTION_BITS == SUM_BITS + 17  # the product's
