"""How closely two scores of the same clips agree: float against shipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Agreement:
    """How closely the shipped scores follow the float scores.

    Attributes
    ----------
    score_correlation : float or None
        Pearson's, the least of any section; 0 where the shipped scores of a section do not vary. Sections whose float
        scores do not vary count as none; None where there is no other.
    max_relative_score_error : float
        Largest difference over the float score; where scores may have either sign, over the mean
        magnitude of all float scores.
    flipped_decisions : float, 0 to 1
        Share of clips that the two judge differently by the same threshold.
    distinct_score_ratio : float
        Distinct shipped scores over distinct float scores: ties come from saturation.
    """

    score_correlation: float | None
    max_relative_score_error: float
    flipped_decisions: float
    distinct_score_ratio: float


def agreement(
    floating: Sequence[float],
    shipped: Sequence[float],
    thresholds: Sequence[float],
    *,
    signed: bool,
    sections: Sequence[str],
) -> Agreement:
    """Compare scores, one a clip in each sequence, in one unit.

    Parameters
    ----------
    floating, shipped, thresholds : sequence of float [length n >= 1]
    signed : bool
        Scores may be negative, as log-odds are.
    sections : sequence of str [length n]
        Of the clips: what lies between sections, each with its own threshold, is no agreement.
    """
    a, b, limits = (np.asarray(values, np.float64) for values in (floating, shipped, thresholds))
    of = np.asarray(sections)
    correlations = [_correlation(a[of == one], b[of == one]) for one in np.unique(of) if np.ptp(a[of == one]) > 0]
    size = np.full(a.size, np.abs(a).mean()) if signed else np.abs(a)
    return Agreement(
        score_correlation=min(correlations, default=None),
        max_relative_score_error=float((np.abs(b - a) / np.maximum(size, 1e-12)).max()),
        flipped_decisions=float(np.mean((a > limits) != (b > limits))),
        distinct_score_ratio=np.unique(b).size / np.unique(a).size,
    )


def _correlation(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(b) > 0 else 0.0
