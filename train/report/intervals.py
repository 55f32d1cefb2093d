"""95 % bootstrap intervals of means over seeds: what another choice of test clips would change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_asd.files import printable
from edge_asd.train.figures.bootstrap import Interval, cell_seed, percentile_interval, resample_figures
from edge_asd.train.report.figures import Figure, labelled
from edge_asd.train.report.results import Cell


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of one section, domain and model, by figure and column.

    Attributes
    ----------
    mean : dict of (figure, column) to Interval
        Of the mean over seeds.
    drop : dict of (figure, column) to Interval
        Of the mean over seeds of the first column's figure minus the column's, on the same clips.
    """

    mean: dict[tuple[Figure, str], Interval]
    drop: dict[tuple[Figure, str], Interval]


def intervals(cells: Sequence[Cell], columns: Sequence[str]) -> Intervals:
    """Compute intervals of cells that differ in their seeds alone.

    Every resample draws the same clips for all seeds and columns. There are no intervals where a
    class has fewer than two clips, or the cells are not of the same clips; a column that a seed
    lacks has none.
    """
    found = Intervals({}, {})
    there = [column for column in columns if all(column in cell.scores for cell in cells)]
    if not there or len({(cell.clips, cell.labels) for cell in cells}) != 1:
        return found
    first = cells[0]
    names = [(cell, column) for column in there for cell in cells]
    anomaly, _ = labelled(first, first.level_db)
    scores = [labelled(cell, cell.scores[column])[1] for cell, column in names]
    seed = cell_seed(0, printable(first.machine), first.section, first.domain)
    resampled = resample_figures(anomaly, *scores, seed=seed)
    if resampled is None:
        return found
    kinds: tuple[Figure, ...] = ("auc", "pauc")
    for figure in kinds:
        of_all = np.array([getattr(one, figure) for one in resampled]).reshape(len(there), len(cells), -1).mean(axis=1)
        for column, values in zip(there, of_all, strict=True):
            found.mean[figure, column] = percentile_interval(values)
            if there[0] == columns[0]:
                found.drop[figure, column] = percentile_interval(of_all[0] - values)
    return found
