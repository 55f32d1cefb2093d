"""Thresholds of a bundle's sections, fitted on shipped scores of clips held back from fitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge_asd.bundle.manifest import Threshold
from edge_asd.detectors.scores import SCORE_FRACTION_BITS, SCORE_MAX
from edge_asd.errors import DataError
from edge_asd.thresholds import FEW_CLIPS, false_positive_threshold, quantile_threshold

METHODS = ("quantile", "gamma", "false-positive-rate")


def check_threshold(method: str, quantile: float) -> None:
    """Refuse a method or quantile that no threshold can be fitted with.

    Raises
    ------
    DataError
    """
    if method not in METHODS:
        raise DataError(f"There is no threshold method {method!r}; use one of: {', '.join(METHODS)}.")
    if method == "gamma" and not 0 < quantile < 1:
        raise DataError(f"The quantile {quantile} is outside (0, 1), where a gamma distribution has one; use 0.9.")
    if method == "false-positive-rate" and not 0 < quantile <= 1:
        raise DataError(f"The false-positive rate {1 - quantile:g} is outside [0, 1); use for example 0.05.")
    if not 0 < quantile <= 1:
        raise DataError(f"The quantile {quantile} is outside (0, 1]; use for example 0.9.")


def fit_threshold(scores: Mapping[str, Sequence[int]], method: str, quantile: float) -> Threshold:
    """Fit a section's threshold on healthy scores.

    Parameters
    ----------
    scores : mapping of domain to sequence of int [Q15.16]
    method : {"quantile", "gamma", "false-positive-rate"}
        "gamma": a three-parameter gamma distribution fitted to all scores, and its ppf, as the
        published baselines do (there, one for a whole machine).
    quantile : float, 0 to 1
        One less the false-positive rate that is wanted.

    Raises
    ------
    DataError
        If the method is unknown, or the scores are too few or too alike for it.
    """
    check_threshold(method, quantile)
    if method == "quantile":
        return quantile_threshold(scores, quantile)
    if method == "false-positive-rate":
        return false_positive_threshold(scores, round(1 - quantile, 12))
    pooled = [score / 2**SCORE_FRACTION_BITS for values in scores.values() for score in values]
    if len(set(pooled)) < 3:
        raise DataError(
            f"A gamma distribution has three parameters, and there are {len(pooled)} held-back clips. "
            "Use --threshold quantile, or record more healthy clips."
        )
    import numpy as np
    from scipy.stats import gamma

    with np.errstate(all="ignore"):
        value = float(gamma.ppf(quantile, *gamma.fit(pooled)))
    if not np.isfinite(value):
        raise DataError("The gamma distribution could not be fitted to these scores. Use --threshold quantile.")
    counts = {domain: len(values) for domain, values in scores.items() if len(values)}
    return Threshold(min(max(-SCORE_MAX, round(value * 2**SCORE_FRACTION_BITS)), SCORE_MAX), "gamma", quantile, counts)


def with_domains(
    threshold: Threshold, scores: Mapping[str, Sequence[int]], clips: Mapping[str, int]
) -> tuple[Threshold, list[str]]:
    """Give a section's threshold those of its domains, fitted in the same way on each domain's scores alone.

    Parameters
    ----------
    threshold : Threshold
        The section's.
    scores : mapping of domain to sequence of int [Q15.16]
    clips : mapping of domain to int
        Number of clips that the scores come from; a domain with fewer than
        `edge_asd.thresholds.FEW_CLIPS` gets no threshold of its own.

    Returns
    -------
    threshold : Threshold
    without : list of str
        Domains that have too few clips.
    """
    own = {
        domain: fit_threshold({domain: scores[domain]}, threshold.method, threshold.quantile)
        for domain, count in clips.items()
        if count >= FEW_CLIPS
    }
    return replace(threshold, domains=own), [domain for domain in clips if domain not in own]
