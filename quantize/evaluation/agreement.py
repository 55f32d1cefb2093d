"""How closely two scores of the same clips agree: float against shipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Agreement:
    """How closely the shipped scores follow the float scores.

    Attributes
    ----------
    score_correlation : float or None
        Pearson's, over all clips; None where either score does not vary.
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
    floating: Sequence[float], shipped: Sequence[float], thresholds: Sequence[float], *, signed: bool
) -> Agreement:
    """Compare scores, one a clip in each sequence, in one unit.

    Parameters
    ----------
    floating, shipped, thresholds : sequence of float [length n >= 1]
    signed : bool
        Scores may be negative, as log-odds are.
    """
    a, b, limits = (np.asarray(values, np.float64) for values in (floating, shipped, thresholds))
    varied = a.std() > 0 and b.std() > 0
    size = np.full(a.size, np.abs(a).mean()) if signed else np.abs(a)
    return Agreement(
        score_correlation=float(np.corrcoef(a, b)[0, 1]) if varied else None,
        max_relative_score_error=float((np.abs(b - a) / np.maximum(size, 1e-12)).max()),
        flipped_decisions=float(np.mean((a > limits) != (b > limits))),
        distinct_score_ratio=np.unique(b).size / np.unique(a).size,
    )
