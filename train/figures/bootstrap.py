"""Confidence intervals of AUC and pAUC by the bootstrap.

Each resample draws with replacement as many normal clips as there are, and as many anomalous ones
(stratified, as the set was made). Intervals lie between quantiles of the resamples' figures, the
percentile interval: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13;
for figures of diagnostic tests Carpenter and Bithell, Statistics in Medicine 19 (2000).

They tell how far the choice of test clips may carry a figure, not how much another training would
change it. Near 1 they are too narrow: where no normal clip scores above an anomaly, no resample
has one either, and the interval is (1, 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from edge_asd.train.figures.metrics import MAX_FPR

Interval = tuple[float, float]
Seed = int | Sequence[int]

RESAMPLES = 2000
CONFIDENCE = 0.95

_AT_ONCE = 2**20  # clips drawn before they are counted: bounds the memory
_COUNTED_AT_ONCE = 2**16  # clips that fit into a processor's cache


@dataclass(frozen=True, slots=True)
class Resampled:
    """Figures of every resample, both [shape=(resamples,)]."""

    auc: npt.NDArray[np.float64]
    pauc: npt.NDArray[np.float64]


def auc_interval(
    labels: Sequence[bool],
    scores: Sequence[float],
    *,
    resamples: int = RESAMPLES,
    seed: Seed = 0,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Return a confidence interval of the AUC.

    Parameters
    ----------
    labels : sequence of bool [shape=(n,)]
        True for anomalies.
    scores : sequence of finite float [shape=(n,)]
        The higher, the more anomalous; integers as well.
    resamples : int > 0
    seed : int >= 0, or a sequence of them
        The same seed gives the same interval; `cell_seed` makes one for a section and domain.
    confidence : float, 0 < confidence < 1

    Returns
    -------
    low, high : float, or None
        None where a class has fewer than two clips: one clip alone cannot vary.

    Raises
    ------
    ValueError
        If a score is not finite, or an argument is out of its range.
    """
    figures = resample_figures(labels, scores, resamples=resamples, seed=seed)
    return None if figures is None else percentile_interval(figures[0].auc, confidence)


def pauc_interval(
    labels: Sequence[bool],
    scores: Sequence[float],
    *,
    resamples: int = RESAMPLES,
    seed: Seed = 0,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Return a confidence interval of the pAUC; arguments as of `auc_interval`."""
    figures = resample_figures(labels, scores, resamples=resamples, seed=seed)
    return None if figures is None else percentile_interval(figures[0].pauc, confidence)


def paired_difference_interval(
    labels: Sequence[bool],
    scores_a: Sequence[float],
    scores_b: Sequence[float],
    *,
    figure: Literal["auc", "pauc"] = "auc",
    resamples: int = RESAMPLES,
    seed: Seed = 0,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Return a confidence interval of figure(a) - figure(b) for two scores of the same clips.

    Both figures of a resample come from the same clips: what the scores have in common cancels
    out, and the interval is narrower than two intervals apart.

    Parameters
    ----------
    labels : sequence of bool [shape=(n,)]
    scores_a, scores_b : sequence of finite float [shape=(n,)]
        Clip by clip in the order of `labels`. Their units may differ: only their order counts.
    figure : {"auc", "pauc"}
    resamples, seed, confidence
        As of `auc_interval`.

    Returns
    -------
    low, high : float, or None

    Raises
    ------
    ValueError
    """
    figures = resample_figures(labels, scores_a, scores_b, resamples=resamples, seed=seed)
    if figures is None:
        return None
    a, b = figures
    return percentile_interval(a.pauc - b.pauc if figure == "pauc" else a.auc - b.auc, confidence)


def cell_seed(seed: int, machine: str, section: str, domain: str) -> list[int]:
    """Return a seed for a section and domain, so that cells are drawn independently of each other."""
    return [seed, *f"{machine}/{section}/{domain}".encode()]


def percentile_interval(figures: npt.NDArray[np.float64], confidence: float = CONFIDENCE) -> Interval:
    """Return the quantiles of resamples' figures that hold `confidence` between them."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, outside (0, 1)")
    low, high = np.quantile(figures, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def resample_figures(
    labels: Sequence[bool], *scores: Sequence[float], resamples: int = RESAMPLES, seed: Seed = 0
) -> list[Resampled] | None:
    """Compute AUC and pAUC of resamples, the same ones for each of several scores.

    Parameters
    ----------
    labels : sequence of bool [shape=(n,)]
    *scores : sequence of finite float [shape=(n,)]
    resamples : int > 0
    seed : int >= 0, or a sequence of them

    Returns
    -------
    figures : list of Resampled, or None
        One for each of `scores`; None where a class has fewer than two clips.

    Raises
    ------
    ValueError
        If a score is not finite, or lengths differ.
    """
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}, below 1")
    anomaly = np.asarray(labels, dtype=bool)
    by_class = [(levels[~anomaly], levels[anomaly]) for levels in (_levels(one, anomaly) for one in scores)]
    sizes = np.count_nonzero(~anomaly), np.count_nonzero(anomaly)
    if min(sizes) < 2:
        return None
    rng = np.random.default_rng(seed)
    figures = [Resampled(np.empty(resamples), np.empty(resamples)) for _ in scores]
    step = max(1, min(resamples, _AT_ONCE // anomaly.size))
    block = max(1, min(step, _COUNTED_AT_ONCE // anomaly.size))
    # Made once: pages that the system hands out anew for each resample would cost as much as counting.
    drawn = [np.empty((step, size), np.intp) for size in sizes]
    ranks = [np.empty((block, size), np.intp) for size in sizes]
    for start in range(0, resamples, step):
        end = min(start + step, resamples)
        for clips in drawn:
            _draw(rng, clips[: end - start])
        for first in range(start, end, block):
            done = slice(first, min(first + block, end))
            here = slice(first - start, done.stop - start)
            for of_class, result in zip(by_class, figures, strict=True):
                taken = (
                    levels.take(clips[here], out=out[: done.stop - first], mode="clip")
                    for levels, clips, out in zip(of_class, drawn, ranks, strict=True)
                )
                result.auc[done], result.pauc[done] = figures_of_draws(*taken)
    return figures


def figures_of_draws(
    normal: npt.NDArray[np.intp], anomalous: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Compute AUC and pAUC of many sets of clips at once.

    The AUC is the share of pairs of a normal and an anomalous clip in the right order, ties half
    (Mann-Whitney), counted in integers; the pAUC the area below the ROC curve up to `MAX_FPR`,
    standardised after McClish (1989).

    Parameters
    ----------
    normal, anomalous : array of int >= 0 [shape=(sets, n_normal) and (sets, n_anomalous)]
        Scores as ranks; equal scores have equal ranks, which are best without gaps.

    Returns
    -------
    auc, pauc : array of float [shape=(sets,)]
    """
    n_levels = int(max(normal.max(), anomalous.max())) + 1
    dx, dy = _histograms(normal, n_levels), _histograms(anomalous, n_levels)
    n_normal = normal.shape[1]
    pairs = n_normal * anomalous.shape[1]
    below = dx.cumsum(axis=1)
    # Each level is a step of the ROC curve, which begins at the highest. The pAUC is of those with too few
    # normal clips above them to fill its range; it may end within a step, on a slope of ties.
    limit = MAX_FPR * n_normal
    lowest = int((below <= n_normal - limit).sum(axis=1).min())
    top, x = slice(lowest, None), n_normal - below[:, lowest:]
    below *= 2
    below -= dx
    auc = np.einsum("ij,ij->i", dy, below) / (2 * pairs)
    dx, dy = dx[:, top], dy[:, top]
    left = limit - x
    part = np.clip(left / np.maximum(dx, 1), 0, 1)
    y = dy.sum(axis=1, keepdims=True) - dy.cumsum(axis=1)
    area = (part * dx * (y + part * dy / 2)).sum(axis=1) / pairs
    chance = MAX_FPR**2 / 2
    return auc, (1 + (area - chance) / (MAX_FPR - chance)) / 2


def _draw(rng: np.random.Generator, clips: npt.NDArray[np.intp]) -> None:
    """Fill rows with indices of clips, each row as long as there are clips."""
    flat = clips.reshape(-1)
    for start in range(0, flat.size, _COUNTED_AT_ONCE):
        piece = flat[start : start + _COUNTED_AT_ONCE]
        piece[:] = rng.integers(clips.shape[1], size=piece.size)


def _histograms(levels: npt.NDArray[np.intp], n_levels: int) -> npt.NDArray[np.intp]:
    counts = np.empty((len(levels), n_levels), np.intp)
    for row, of_row in zip(levels, counts, strict=True):
        of_row[:] = np.bincount(row, minlength=n_levels)
    return counts


def _levels(scores: Sequence[float], anomaly: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return scores as ranks without gaps: as few as have the same figures, whatever is drawn.

    Equal scores have equal ranks, and so have neighbours of one class with no clip of the other
    between them: the ROC curve runs straight on from one to the next.
    """
    values = np.asarray(scores)
    if values.shape != anomaly.shape:
        raise ValueError(f"{anomaly.size} labels, and scores of shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("a score is not finite")
    unique, levels = np.unique(values, return_inverse=True)
    normal, anomalous = (np.bincount(levels[anomaly == kind], minlength=unique.size) > 0 for kind in (False, True))
    mixed = normal & anomalous
    begins = mixed | (np.diff(normal + 2 * anomalous, prepend=0) != 0)
    return (np.cumsum(begins) - 1)[levels]
