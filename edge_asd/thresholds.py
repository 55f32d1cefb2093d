"""Decision thresholds: integers, one a section, or one a domain of it where the clips suffice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TypeVar

from edge_asd.binomial import clopper_pearson
from edge_asd.bundle.manifest import FalsePositives, Threshold, complement
from edge_asd.errors import DataError

FEW_CLIPS = 20
"""With fewer, a domain has no threshold of its own, and that of a section is called rough."""


Score = TypeVar("Score", int, float)


@dataclass(frozen=True, slots=True)
class Target:
    """What a threshold is asked to do, in the words that it was asked in.

    Attributes
    ----------
    method : {"quantile", "gamma", "false-positive-rate"}
    value : float, 0 to 1
        The rate of false positives for the last, the quantile for the others.
    """

    method: str = "quantile"
    value: float = 0.9


def is_anomalous(score: int, threshold: int) -> bool:
    """Tell whether a clip or rolling score is anomalous: strictly above the threshold."""
    return score > threshold


def quantile_threshold(scores: Mapping[str, Sequence[int]], quantile: float) -> Threshold:
    """Fit a threshold as a quantile of healthy scores, the domains weighted equally.

    The threshold is the smallest score for which at least `quantile` of the weight lies at or
    below it; each domain weighs the same, each clip the same within its domain.

    Parameters
    ----------
    scores : mapping of domain to sequence of int [Q15.16]
        Scores of healthy clips that the model was not fitted on.
    quantile : float, 0 < quantile <= 1

    Raises
    ------
    DataError
        If there is no score, or `quantile` is out of range.
    """
    counts = {domain: len(values) for domain, values in scores.items() if len(values)}
    return Threshold(weighted_quantile(scores, quantile), "quantile", quantile, counts)


def weighted_quantile(scores: Mapping[str, Sequence[Score]], quantile: float) -> Score:
    """Find the smallest score with at least `quantile` of the weight at or below it, as `quantile_threshold` has it.

    Raises
    ------
    DataError
        If there is no score, or `quantile` is out of range.
    """
    if not 0 < quantile <= 1:
        raise DataError(f"The quantile {quantile} is outside (0, 1]; use for example 0.9.")
    domains = {domain: values for domain, values in scores.items() if len(values)}
    if not domains:
        raise DataError("A threshold needs at least one healthy clip that the model was not fitted on; there is none.")
    # Weights as integers: exact, whatever the numbers of clips.
    common = math.lcm(*(len(values) for values in domains.values()))
    weighted = sorted((score, common // len(values)) for values in domains.values() for score in values)
    wanted = quantile * common * len(domains) - 1e-9 * common
    reached = accumulate(weight for _, weight in weighted)
    return next(score for (score, _), total in zip(weighted, reached, strict=True) if total >= wanted)


def false_positive_threshold(scores: Mapping[str, Sequence[int]], rate: float) -> Threshold:
    """Fit a threshold so that at most `rate` of healthy scores lie above it, the domains weighted equally.

    It is the quantile 1 - `rate`, and comes with what was achieved: how many of the scores, of all
    domains together, lie above it, and the exact 95 % interval of that rate. Where the scores are of
    one domain and independent, the interval holds for new clips although the threshold was fitted on
    the same scores: of n, k lie above the threshold, which makes the true rate beta-distributed with
    parameters k + 1 and n - k (S. S. Wilks, "Determination of sample sizes for setting tolerance
    limits", Annals of Mathematical Statistics 12, 1941), and the interval's upper limit is the
    97.5 % quantile of just this distribution.

    Parameters
    ----------
    scores : mapping of domain to sequence of int [Q15.16]
        Scores of healthy clips that the model was not fitted on.
    rate : float, 0 <= rate < 1

    Raises
    ------
    DataError
        If there is no score, or `rate` is out of range.
    """
    if not 0 <= rate < 1:
        raise DataError(f"The false-positive rate {rate:g} is outside [0, 1); use for example 0.05.")
    fitted = quantile_threshold(scores, complement(rate))
    pooled = [score for values in scores.values() for score in values]
    flagged = sum(is_anomalous(score, fitted.score) for score in pooled)
    low, high = clopper_pearson(flagged, len(pooled))
    return replace(
        fitted,
        method="false-positive-rate",
        false_positives=FalsePositives(flagged=flagged, clips=len(pooled), low=low, high=high),
    )
