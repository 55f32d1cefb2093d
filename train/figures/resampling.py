"""Resamples of test clips, and AUC and pAUC of thousands of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.train.figures.metrics import MAX_FPR

Seed = int | Sequence[int]

View = tuple[int, ...]
"""Numbers of the clips that a figure is of."""

RESAMPLES = 2000

_AT_ONCE = 2**20  # clips drawn before they are counted: bounds the memory
_COUNTED_AT_ONCE = 2**16  # clips that fit into a processor's cache


@dataclass(frozen=True, slots=True)
class Resampled:
    """Figures of every resample, both [shape=(resamples,)]."""

    auc: npt.NDArray[np.float64]
    pauc: npt.NDArray[np.float64]


def resample_views(
    labels: Sequence[bool],
    strata: Sequence[int] | npt.NDArray[np.int_],
    views: Sequence[View],
    *scores: Sequence[float],
    resamples: int = RESAMPLES,
    seed: Seed = 0,
) -> dict[View, list[Resampled] | None]:
    """Compute AUC and pAUC of several selections of the same clips, which are drawn once for all of them.

    Parameters
    ----------
    labels : sequence of bool [shape=(n,)]
        True for anomalies.
    strata : sequence of int [shape=(n,)]
        As many clips as have a number are drawn from those that have it. Clips of a stratum are of
        one class; a view has all of them or none.
    views : sequence of tuple of int
        The numbers of a selection's clips.
    *scores : sequence of finite float [shape=(n,)]
    resamples, seed
        As of `resample_figures`.

    Returns
    -------
    figures : dict of view to list of Resampled, or None
        One for each of `scores`; None where a class of the view cannot vary: no stratum of it has two clips.

    Raises
    ------
    ValueError
        If a score is not finite, lengths differ, or a view has some of a stratum's clips.
    """
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}, below 1")
    anomaly, strata = np.asarray(labels, dtype=bool), np.asarray(strata)
    values = [_finite(one, anomaly.size) for one in scores]
    numbers = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    plans: dict[View, _Plan | None] = {}
    for view in views:
        inside = np.isin(np.arange(anomaly.size), view)
        # By class, whether a stratum has more than one clip to draw from.
        wide = {bool(anomaly[some[0]]) for some in numbers if some.size > 1 and inside[some[0]]}
        varies = len(wide) == 2
        plans[view] = _Plan(inside, anomaly, numbers, values, resamples) if varies else None
    used = [plan for plan in plans.values() if plan is not None]
    if used:
        rng = np.random.default_rng(seed)
        step = max(1, min(resamples, _AT_ONCE // anomaly.size))
        block = max(1, min(step, _COUNTED_AT_ONCE // anomaly.size))
        drawn = [np.empty((step, some.size), np.intp) for some in numbers]
        for start in range(0, resamples, step):
            end = min(start + step, resamples)
            for clips in drawn:
                _draw(rng, clips[: end - start])
            for first in range(start, end, block):
                done = slice(first, min(first + block, end))
                here = slice(first - start, done.stop - start)
                for plan in used:
                    plan.count([clips[here] for clips in drawn], done)
    return {view: None if plan is None else plan.figures for view, plan in plans.items()}


class _Plan:
    """What is counted of a view: its strata by class, and the ranks of their clips for each of several scores."""

    def __init__(
        self,
        inside: npt.NDArray[np.bool_],
        anomaly: npt.NDArray[np.bool_],
        strata: Sequence[npt.NDArray[np.intp]],
        scores: Sequence[npt.NDArray[Any]],
        resamples: int,
    ) -> None:
        self._classes: tuple[list[int], list[int]] = ([], [])
        for i, clips in enumerate(strata):
            if inside[clips].all():
                self._classes[bool(anomaly[clips[0]])].append(i)
            elif inside[clips].any():
                raise ValueError("a view has some clips of a stratum, and others not")
        self._ranks = []
        for values in scores:
            levels = np.zeros(anomaly.size, np.intp)
            levels[inside] = _levels(values[inside], anomaly[inside])
            self._ranks.append([levels[clips] for clips in strata])
        self._rooms: list[npt.NDArray[np.intp]] | None = None
        self.figures = [Resampled(np.empty(resamples), np.empty(resamples)) for _ in scores]

    def count(self, drawn: Sequence[npt.NDArray[np.intp]], done: slice) -> None:
        """Compute the figures of some resamples, of which there are never more than the first time."""
        rows = len(drawn[0])
        if self._rooms is None:
            # Made once: pages that the system hands out anew for each resample would cost as much as counting.
            self._rooms = [np.empty((rows, sum(drawn[i].shape[1] for i in some)), np.intp) for some in self._classes]
        for ranks, figures in zip(self._ranks, self.figures, strict=True):
            for some, room in zip(self._classes, self._rooms, strict=True):
                start = 0
                for i in some:
                    end = start + drawn[i].shape[1]
                    ranks[i].take(drawn[i], out=room[:rows, start:end], mode="clip")
                    start = end
            figures.auc[done], figures.pauc[done] = figures_of_draws(*(room[:rows] for room in self._rooms))


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


def _finite(scores: Sequence[float], count: int) -> npt.NDArray[Any]:
    values = np.asarray(scores)
    if values.shape != (count,):
        raise ValueError(f"{count} labels, and scores of shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("a score is not finite")
    return values


def _levels(values: npt.NDArray[Any], anomaly: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return scores as ranks without gaps: as few as have the same figures, whatever is drawn.

    Equal scores have equal ranks, and so have neighbours of one class with no clip of the other
    between them: the ROC curve runs straight on from one to the next.
    """
    unique, levels = np.unique(values, return_inverse=True)
    normal, anomalous = (np.bincount(levels[anomaly == kind], minlength=unique.size) > 0 for kind in (False, True))
    mixed = normal & anomalous
    begins = mixed | (np.diff(normal + 2 * anomalous, prepend=0) != 0)
    return (np.cumsum(begins) - 1)[levels]
