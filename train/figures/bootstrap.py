"""Confidence intervals of AUC and pAUC by the bootstrap.

Each resample draws with replacement as many normal clips as there are, and as many anomalous ones,
of each domain (stratified, as the sets were made). Intervals lie between quantiles of the resamples'
figures, the percentile interval: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993),
chapter 13; for figures of diagnostic tests Carpenter and Bithell, Statistics in Medicine 19 (2000).

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

from edge_asd.clips import Domain, Label
from edge_asd.train.figures.measures import Measures, RowClips, drawn_together, pick, strata
from edge_asd.train.figures.resampling import RESAMPLES, Resampled, Seed, resample_views

Interval = tuple[float, float]

CONFIDENCE = 0.95


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
    within: Sequence[int] | None = None,
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
    within : sequence of int [shape=(n,)], optional
        As of `resample_figures`.
    resamples, seed, confidence
        As of `auc_interval`.

    Returns
    -------
    low, high : float, or None

    Raises
    ------
    ValueError
    """
    figures = resample_figures(labels, scores_a, scores_b, within=within, resamples=resamples, seed=seed)
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
    labels: Sequence[bool],
    *scores: Sequence[float],
    within: Sequence[int] | None = None,
    resamples: int = RESAMPLES,
    seed: Seed = 0,
) -> list[Resampled] | None:
    """Compute AUC and pAUC of resamples, the same ones for each of several scores.

    Parameters
    ----------
    labels : sequence of bool [shape=(n,)]
    *scores : sequence of finite float [shape=(n,)]
    within : sequence of int [shape=(n,)], optional
        Draw within the clips that have a number, all of one class; within the classes by default.
    resamples : int > 0
    seed : int >= 0, or a sequence of them

    Returns
    -------
    figures : list of Resampled, or None
        One for each of `scores`; None where a class has fewer than two clips, or `within` none with two.

    Raises
    ------
    ValueError
        If a score is not finite, or lengths differ.
    """
    everything = tuple(range(len(labels)))
    numbers = [int(label) for label in labels] if within is None else within
    return resample_views(labels, numbers, [everything], *scores, resamples=resamples, seed=seed)[everything]


@dataclass(frozen=True, slots=True)
class RowDraws:
    """Figures of every resample of one row, one array for each of several scores; None where they cannot vary."""

    auc: list[npt.NDArray[np.float64]] | None
    pauc: list[npt.NDArray[np.float64]] | None


def resample_rows(
    place: tuple[str, str],
    rows: Sequence[RowClips],
    labels: Sequence[Label | None],
    domains: Sequence[Domain | None],
    *scores: Sequence[float],
    measures: Measures,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[RowDraws]:
    """Resample the clips of a section, and compute what a year's measures make of them.

    Clips are drawn within their class and domain, and once for all rows that share some: figures of
    one resample belong together, as those of the section do.

    Parameters
    ----------
    place : (machine, section)
        Names the draws, see `cell_seed`.
    rows : sequence of RowClips
        `rows_of` these clips.
    labels, domains : sequence [length n]
    *scores : sequence of finite float [length n]
    measures : Measures
    resamples : int > 0
    seed : int >= 0

    Returns
    -------
    draws : list of RowDraws
        In the order of `rows`.
    """
    draws = {}
    for together in drawn_together(rows, measures):
        clips = sorted({i for row in together for i in (*row.auc, *row.pauc)})
        number = {clip: i for i, clip in enumerate(clips)}
        views = [tuple(number[i] for i in view) for row in together for view in (row.auc, row.pauc)]
        named = "" if measures.mixed else together[0].domain or ""
        found = resample_views(
            [label == "anomaly" for label in pick(labels, clips)],
            strata(pick(labels, clips), pick(domains, clips)),
            views,
            *(pick(one, clips) for one in scores),
            resamples=resamples,
            seed=cell_seed(seed, *place, named),
        )
        for row, auc, pauc in zip(together, views[::2], views[1::2], strict=True):
            of_auc, of_pauc = found[auc], found[pauc]
            draws[row] = RowDraws(
                None if of_auc is None else [one.auc for one in of_auc],
                None if of_pauc is None else [one.pauc for one in of_pauc],
            )
    return [draws[row] for row in rows]
