"""The section classifier's score: the log-odds that a window is not its section's, in integers.

The model answers int8 logits q_j, one a class; in nats z_j = (q_j - zero_point) * scale. With p the
softmax of z at the window's own section k, the score is

    log((1 - p) / p) = log(sum of exp(z_j - z_k) over all j but k),

the "averaged negative logit" of the MIMII DUE paper (section 3) for one window. It is computed from
d_j = z_j - z_k in Q15.16, with m the largest of them, as m + log(sum of exp(d_j - m)): the sum lies
between 1 and the number of classes and needs no more than the front end's logarithm and its inverse.
Logits, not the softmax's output: that is 1/256 at its finest as int8, and would tie all clips
that are not anomalous.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.detector_model import DetectorModel
from edge_asd.detectors.scores import SCORE_FRACTION_BITS
from edge_asd.detectors.windowed import OUTPUT_BITS, WindowDetector
from edge_asd.frontend.logarithm import EXP_FRACTION_BITS, exp2, log2
from edge_asd.frontend.tables import LOG_FRACTION_BITS

_LOG2_E = round(math.log2(math.e) * 2**30)
_LN_2 = round(math.log(2) * 2**30)


class SectionDetector(WindowDetector):
    """Integer window scores of a section classifier."""

    @classmethod
    def shapes(cls, spec: DetectorModel) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (spec.window_frames, spec.features.n_mels, 1), (len(spec.classes),)

    def scores_of_outputs(
        self, windows: npt.NDArray[np.int32], outputs: npt.NDArray[np.int8], section: str
    ) -> npt.NDArray[np.int32]:
        """Compute the log-odds of the logits; `windows` play no part."""
        return integer_log_odds(outputs, self._spec.classes.index(section), self._output.multiplier)

    def float_scores(
        self, windows: npt.NDArray[np.float32], outputs: npt.NDArray[np.float32], section: str
    ) -> npt.NDArray[np.float64]:
        return log_odds(outputs, self._spec.classes.index(section))


def integer_log_odds(logits: npt.NDArray[np.int8], own: int, multiplier: int) -> npt.NDArray[np.int32]:
    """Compute log((1 - p) / p) from int8 logits.

    Parameters
    ----------
    logits : ndarray, int8 [shape=(n, classes)]
    own : int
        Class of the windows' section.
    multiplier : int, 1 to 2^31 - 1
        The logits' scale in nat, times 2^24.

    Returns
    -------
    scores : ndarray, int32 [shape=(n,), nat in Q15.16]
        For two classes, exact but for one rounding; for more, within 1e-4.
    """
    wide = logits.astype(np.int64)
    # At most 255 * 2^31 in Q24; in Q15.16 below 2^31.
    difference = (np.delete(wide, own, axis=1) - wide[:, own, None]) * multiplier
    difference = (difference + (1 << (OUTPUT_BITS - SCORE_FRACTION_BITS - 1))) >> (OUTPUT_BITS - SCORE_FRACTION_BITS)
    largest = difference.max(axis=1)
    exponents = ((difference - largest[:, None]) * _LOG2_E + (1 << 29)) >> 30
    total = exp2(exponents).sum(axis=1)  # classes * 2^30 at most
    rest = log2(total.astype(np.uint64)) - (EXP_FRACTION_BITS << LOG_FRACTION_BITS)
    # At most 255 * 2^31 / 2^8 and the logarithm of 63: below 2^31.
    scores: npt.NDArray[np.int64] = largest + ((rest * _LN_2 + (1 << 29)) >> 30)
    return scores.astype(np.int32)


def log_odds(logits: npt.NDArray[np.float32], own: int) -> npt.NDArray[np.float64]:
    """Compute log((1 - p) / p) from float logits.

    Parameters
    ----------
    logits : ndarray, float32 [shape=(n, classes)]
        Logarithms of probabilities do as well: a constant added to all classes cancels.
    own : int
        Class of the windows' section.

    Returns
    -------
    scores : ndarray, float64 [shape=(n,), nat]
    """
    wide = logits.astype(np.float64)
    scores: npt.NDArray[np.float64] = np.logaddexp.reduce(np.delete(wide, own, axis=1), axis=1) - wide[:, own]
    return scores
