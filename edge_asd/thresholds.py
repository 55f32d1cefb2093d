"""Decision thresholds: integers, one a section."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate

from edge_asd.errors import DataError
from edge_asd.manifest import Threshold


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
    score = next(score for (score, _), total in zip(weighted, reached, strict=True) if total >= wanted)
    return Threshold(score, "quantile", quantile, {domain: len(values) for domain, values in domains.items()})
