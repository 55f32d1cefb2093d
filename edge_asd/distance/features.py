"""What a span of frames is described by: the level of each mel band, and how unsteady it is.

For a span of n frames with power sum P, level sum S and square sum Q in a band:

4. Level: 10 log10 of the mean power. l = log2(P) - power_bits - log2(n) in Q15.16, times 10 log10(2), and no less than
   the front end's floor; to Q8.7.
5. Unsteadiness: 10 log10 of the standard deviation of the decibels over time, of which `STEADY` is the least told
   apart: v = n Q - S^2 + n^2 STEADY^2 is n^2 times the variance and its floor in Q16. u = log2(v) - 2 log2(n) - 16 in
   Q15.16, times 5 log10(2); to Q8.7.
6. The features are the levels of all bands, then the unsteadinesses of all bands, int16.

Bounds: n Q <= n^2 40074^2 < 2^61 and n^2 STEADY^2 < 2^47, so v < 2^62. Levels lie between -156.54 and 51 dB, and the
standard deviation between STEADY / 256 and 104 dB: no feature leaves -157 to 51 dB, -20096 to 6528 in Q8.7.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.distance.blocks import SUM_BITS, Blocks, BlockSums, block_sums
from edge_asd.frontend.logarithm import log2
from edge_asd.frontend.spec import DB_FRACTION_BITS
from edge_asd.frontend.tables import DB_PER_LOG2, FLOOR_DB, LOG_FRACTION_BITS

FEATURE_BITS = 7
"""Features are int16 decibels in Q8.7."""

STEADY = 1
"""Added to the decibels' standard deviation, as the root of a sum of squares [dB in Q8.8]."""

_DB_BITS = 29  # of DB_PER_LOG2


def span_features(sums: BlockSums, blocks: Blocks) -> npt.NDArray[np.int16]:
    """Compute the features of each run of `blocks.count` blocks.

    Parameters
    ----------
    sums : BlockSums [shape=(n, n_mels)]
        Of consecutive blocks.
    blocks : Blocks

    Returns
    -------
    features : ndarray, int16 [shape=(max(0, n - blocks.count + 1), 2 * n_mels), dB in Q8.7]
    """
    span = sums.spans(blocks.count)
    frames = int(log2(np.array([blocks.span], dtype=np.uint64))[0])
    level = log2(span.power) - ((blocks.power_bits << LOG_FRACTION_BITS) + frames)
    level = np.maximum((level * DB_PER_LOG2 + (1 << (_DB_BITS - 1))) >> _DB_BITS, FLOOR_DB)
    down = DB_FRACTION_BITS - FEATURE_BITS
    level = (level + (1 << (down - 1))) >> down
    variance = blocks.span * span.square - span.level**2 + blocks.span**2 * STEADY**2
    unsteadiness = log2(variance.astype(np.uint64)) - ((2 * SUM_BITS << LOG_FRACTION_BITS) + 2 * frames)
    down += _DB_BITS + 1
    unsteadiness = (unsteadiness * DB_PER_LOG2 + (1 << (down - 1))) >> down
    return np.concatenate([level, unsteadiness], axis=1).astype(np.int16)


def clip_features(frames: npt.NDArray[np.int32], blocks: Blocks) -> npt.NDArray[np.int16]:
    """Compute the features of every span of a clip: one for each block from the first whole span on.

    Parameters
    ----------
    frames : ndarray, int32 [shape=(n, n_mels), dB in Q15.16]
    blocks : Blocks

    Returns
    -------
    features : ndarray, int16 [shape=(max(0, n // blocks.frames - blocks.count + 1), 2 * n_mels), dB in Q8.7]
    """
    return span_features(block_sums(frames, blocks), blocks)


class FeatureStream:
    """Features of a stream of frames: those of `clip_features`, however the stream is cut.

    Parameters
    ----------
    blocks : Blocks
    n_mels : int > 0
    """

    def __init__(self, blocks: Blocks, n_mels: int) -> None:
        self._blocks = blocks
        self._frames = np.empty((0, n_mels), dtype=np.int32)
        self._sums = block_sums(self._frames, blocks)

    def push(self, frames: npt.NDArray[np.int32]) -> npt.NDArray[np.int16]:
        """Take frames; return the features of the spans that end with them."""
        frames = np.concatenate([self._frames, frames])
        self._frames = frames[len(frames) // self._blocks.frames * self._blocks.frames :].copy()
        sums = self._sums.then(block_sums(frames, self._blocks))
        self._sums = sums.last(self._blocks.count - 1)
        return span_features(sums, self._blocks)
