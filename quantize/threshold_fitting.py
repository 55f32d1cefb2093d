"""Thresholds of a bundle's sections, fitted on shipped scores of clips held back from fitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge_asd.bundle.manifest import Threshold
from edge_asd.clips import DOMAINS
from edge_asd.detectors.scores import SCORE_FRACTION_BITS, SCORE_MAX, score_value
from edge_asd.errors import DataError
from edge_asd.thresholds import FEW_CLIPS, Target, false_positive_threshold, quantile_threshold

METHODS = ("quantile", "gamma", "false-positive-rate")


def check_target(target: Target) -> None:
    """Refuse what no threshold can be fitted to, before anything is scored.

    Raises
    ------
    DataError
    """
    if target.method == "gamma":
        _check_gamma(target.value)
    else:
        fit_threshold({DOMAINS[0]: [0]}, target)


def fit_threshold(scores: Mapping[str, Sequence[int]], target: Target) -> Threshold:
    """Fit a section's threshold on healthy scores.

    Parameters
    ----------
    scores : mapping of domain to sequence of int [Q15.16]
    target : Target
        Of "gamma", see `gamma_quantile`.

    Raises
    ------
    DataError
        If the method is unknown, its value out of range, or the scores are too few or too alike for it.
    """
    if target.method not in METHODS:
        raise DataError(f"There is no threshold method {target.method!r}; use one of: {', '.join(METHODS)}.")
    if target.method == "quantile":
        return quantile_threshold(scores, target.value)
    if target.method == "false-positive-rate":
        return false_positive_threshold(scores, target.value)
    try:
        value = gamma_quantile([score_value(score) for values in scores.values() for score in values], target.value)
    except DataError as error:
        raise DataError(f"{error} Use --threshold quantile.") from error
    counts = {domain: len(values) for domain, values in scores.items() if len(values)}
    score = min(max(-SCORE_MAX, round(value * 2**SCORE_FRACTION_BITS)), SCORE_MAX)
    return Threshold(score, "gamma", target.value, counts)


def gamma_quantile(scores: Sequence[float], quantile: float) -> float:
    """Fit a three-parameter gamma distribution to scores, and return its ppf.

    The published baselines do so, with one threshold for a whole machine.

    Raises
    ------
    DataError
        If `quantile` is not between 0 and 1, or the scores are too few or too alike.
    """
    _check_gamma(quantile)
    if len(scores) < 3:
        raise DataError(
            f"A gamma distribution has three parameters, and there are {len(scores)} held-back clips: record more "
            "healthy ones."
        )
    if len(set(scores)) < 3:
        raise DataError(
            f"The scores of the {len(scores)} held-back clips are equal or nearly so, and no gamma distribution can be "
            "fitted to them. The clips may be copies of one another: edge-asd data verify finds those."
        )
    import numpy as np
    from scipy.stats import gamma

    with np.errstate(all="ignore"):
        value = float(gamma.ppf(quantile, *gamma.fit(scores)))
    if not np.isfinite(value):
        raise DataError("The gamma distribution could not be fitted to these scores.")
    return value


def _check_gamma(quantile: float) -> None:
    if not 0 < quantile < 1:
        raise DataError(f"The quantile {quantile} is outside (0, 1), where a gamma distribution has one; use 0.9.")


def with_domains(
    threshold: Threshold, target: Target, scores: Mapping[str, Sequence[int]], clips: Mapping[str, int]
) -> tuple[Threshold, list[str]]:
    """Give a section's threshold those of its domains, fitted in the same way on each domain's scores alone.

    Parameters
    ----------
    threshold : Threshold
        The section's.
    target : Target
        What it was fitted to.
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
        domain: fit_threshold({domain: scores[domain]}, target) for domain, count in clips.items() if count >= FEW_CLIPS
    }
    return replace(threshold, domains=own), [domain for domain in clips if domain not in own]
