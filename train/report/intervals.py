"""95 % bootstrap intervals of means over seeds: what another choice of test clips would change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.files import printable
from edge_asd.train.figures.bootstrap import Interval, percentile_interval, resample_rows
from edge_asd.train.figures.measures import RowClips
from edge_asd.train.report.figures import Figure
from edge_asd.train.report.joined import Joined


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


def intervals(rows: Sequence[tuple[Joined, RowClips]], columns: Sequence[str]) -> Intervals:
    """Compute intervals of rows that differ in their seeds alone (`Figures.rows`).

    Every resample draws the same clips for all seeds and columns. There are no intervals where a
    class has fewer than two clips, or the rows are not of the same clips; a column that a seed
    lacks has none.
    """
    found = Intervals({}, {})
    there = [column for column in columns if all(column in joined.columns for joined, _ in rows)]
    if not there or len({(joined.clips, joined.labels, row) for joined, row in rows}) != 1:
        return found
    first, row = rows[0]
    scores = [joined.scores(column) for column in there for joined, _ in rows]
    place = (printable(first.cells[0].machine), first.cells[0].section)
    (drawn,) = resample_rows(place, [row], first.labels, first.domains, *scores, measures=first.measures)
    figures: tuple[tuple[Figure, list[npt.NDArray[np.float64]] | None], ...] = (
        ("auc", drawn.auc),
        ("pauc", drawn.pauc),
    )
    for figure, values in figures:
        if values is None:
            continue
        of_all = np.array(values).reshape(len(there), len(rows), -1).mean(axis=1)
        for column, of_column in zip(there, of_all, strict=True):
            found.mean[figure, column] = percentile_interval(of_column)
            if there[0] == columns[0]:
                found.drop[figure, column] = percentile_interval(of_all[0] - of_column)
    return found
