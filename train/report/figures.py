"""The figures of a reproduction: AUC and pAUC by cell and column, over the seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Literal

from edge_asd.clips import DOMAINS, Domain
from edge_asd.files import printable
from edge_asd.train.data.table1 import MACHINES
from edge_asd.train.figures.means import Row
from edge_asd.train.figures.measures import RowClips, measures_of
from edge_asd.train.figures.metrics import DecisionFigures, decision_figures, row_figures
from edge_asd.train.report.joined import Joined, join
from edge_asd.train.report.results import COLUMNS, MODELS, Cell, Reproduction

Figure = Literal["auc", "pauc"]
Place = tuple[str, str]
"""Machine and section."""


@dataclass(frozen=True, slots=True)
class Key:
    """Whose figure: a cell's, whatever the seed, in one column of `COLUMNS`."""

    machine: str
    section: str
    domain: Domain | None
    model: str
    column: str


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean over seeds; `sd` is the sample's standard deviation, None for a single seed."""

    mean: float
    sd: float | None


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """How many test clips a section and domain has."""

    normal: int
    anomaly: int
    unlabelled: int


class Figures:
    """Everything that the tables need, computed once.

    Parameters
    ----------
    reproduction : Reproduction

    Attributes
    ----------
    measures : Measures
        Whose figures these are.
    sections : list of (machine, section)
        Those with test clips, the paper's machines first.
    domains : list of {"source", "target"} or None
        Those that rows can have; None for a row of a whole section.
    models, columns : list of str
        Those that occur, in the order of `MODELS` and `COLUMNS`.
    seeds : list of int
    by_seed : dict of Figure to dict of Key to dict of int to float
        Figures of each seed that has them.
    level : dict of (machine, section, domain) to float or None
        AUC of the clips' RMS level alone.
    clips : dict of (machine, section, domain) to LabelCounts
    official : dict of (model, seed) to list of Row
        The rows of ``result.csv``, in each cell's column `Cell.official`.
    """

    def __init__(self, reproduction: Reproduction) -> None:
        cells = reproduction.cells
        self.measures = measures_of(reproduction.arguments.year)
        there = {cell.domain for cell in cells}
        self.domains: list[Domain | None] = [*(DOMAINS if there - {None} else ()), *([None] if None in there else [])]
        self.sections = sorted({(cell.machine, cell.section) for cell in cells}, key=_order)
        self.models = [model for model in MODELS if any(cell.model == model for cell in cells)]
        self.columns = [column for column in COLUMNS if any(column in cell.scores for cell in cells)]
        self.seeds = sorted({cell.seed for cell in cells})
        self.by_seed: dict[Figure, dict[Key, dict[int, float]]] = {"auc": {}, "pauc": {}}
        self.level: dict[tuple[str, str, Domain | None], float | None] = {}
        self.clips: dict[tuple[str, str, Domain | None], LabelCounts] = {}
        self.official: dict[tuple[str, int], list[Row]] = {
            (model, seed): [] for model in self.models for seed in self.seeds if _occurs(cells, model, seed)
        }
        self._rows: dict[tuple[str, str, Domain | None, str], list[tuple[Joined, RowClips]]] = {}
        found = [(cell, joined, row) for joined in join(cells, self.measures) for cell, row in joined.rows]
        for one in sorted(found, key=lambda one: (*_order((one[0].machine, one[0].section)), one[0].domain or "")):
            self._add(*one)

    @property
    def machines(self) -> list[str]:
        """Machines with test clips, the paper's first."""
        return list(dict.fromkeys(machine for machine, _ in self.sections))

    def _add(self, cell: Cell, joined: Joined, row: RowClips) -> None:
        place = (cell.machine, cell.section, cell.domain)
        self._rows.setdefault((*place, cell.model), []).append((joined, row))
        if place not in self.clips:
            counts = [cell.labels.count(label) for label in ("normal", "anomaly", None)]
            self.clips[place] = LabelCounts(*counts)
            self.level[place] = row_figures(row, joined.labels, joined.level_db).auc
        for column in joined.columns:
            key = Key(*place, cell.model, column)
            found = row_figures(row, joined.labels, joined.scores(column))
            pairs: tuple[tuple[Figure, float | None], ...] = (("auc", found.auc), ("pauc", found.pauc))
            for figure, value in pairs:
                if value is not None:
                    self.by_seed[figure].setdefault(key, {})[cell.seed] = value
            if column == cell.official:
                judged = decisions(cell, column)
                values = (found.auc, found.pauc, judged.precision, judged.recall, judged.f1)
                official = Row(printable(cell.machine), cell.section, cell.domain, values)
                self.official[cell.model, cell.seed].append(official)

    def rows(self, machine: str, section: str, domain: Domain | None, model: str) -> list[tuple[Joined, RowClips]]:
        """Return what differs in its seed alone: the clips of each, and which of them the row's figures are of."""
        return self._rows.get((machine, section, domain, model), [])

    def spread(self, figure: Figure, key: Key) -> Spread | None:
        """Return a figure over the seeds that have it; None where none has."""
        return spread(self.by_seed[figure].get(key, {}).values())

    def difference(self, figure: Figure, key: Key, other: Key) -> Spread | None:
        """Return `key`'s figure minus `other`'s, seed by seed."""
        a, b = (self.by_seed[figure].get(one, {}) for one in (key, other))
        return spread(a[seed] - b[seed] for seed in a if seed in b)


def machines_of(cells: Iterable[Cell]) -> list[str]:
    """Return the machines that cells are of, in the turn of `Figures.machines`."""
    return sorted({cell.machine for cell in cells}, key=lambda machine: _order((machine, "")))


def spread(values: Iterable[float]) -> Spread | None:
    """Return mean and standard deviation of figures; None where there is none."""
    values = list(values)
    if not values:
        return None
    return Spread(fmean(values), stdev(values) if len(values) > 1 else None)


def labelled(cell: Cell, scores: Sequence[float]) -> tuple[list[bool], list[float]]:
    """Return which clips are anomalies, and their scores, of the clips whose label is known."""
    pairs = [(label == "anomaly", score) for label, score in zip(cell.labels, scores, strict=True) if label is not None]
    return [anomaly for anomaly, _ in pairs], [score for _, score in pairs]


def decisions(cell: Cell, column: str) -> DecisionFigures:
    """Return precision, recall and F1 by the column's threshold; None where there is no threshold or class."""
    threshold = cell.thresholds.get(column)
    if threshold is None:
        return DecisionFigures(None, None, None)
    anomaly, scores = labelled(cell, cell.scores[column])
    return decision_figures(anomaly, [score > threshold for score in scores])


def _occurs(cells: Iterable[Cell], model: str, seed: int) -> bool:
    return any((cell.model, cell.seed) == (model, seed) for cell in cells)


def _order(place: Place) -> tuple[bool, str, str]:
    return place[0] not in MACHINES, *place
