"""The official figures of DCASE 2021 Task 2 from score files, whoever made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.clips import ClipName
from edge_asd.errors import DataError
from edge_asd.files import printable
from edge_asd.train.data.ground_truth import GroundTruth, ground_truth_machines, read_ground_truth
from edge_asd.train.figures.bootstrap import (
    CONFIDENCE,
    Interval,
    Resampled,
    cell_seed,
    percentile_interval,
    resample_figures,
)
from edge_asd.train.figures.metrics import DecisionFigures, decision_figures, rank_figures
from edge_asd.train.figures.official_csv import ZERO, Row, means, official_score
from edge_asd.train.figures.score_files import CellScores, read_score_files

FIGURES = ("auc", "pauc", "precision", "recall", "f1")
"""The figures in the order of ``result.csv``."""


@dataclass(frozen=True, slots=True)
class CellFigures:
    """Figures of one section and domain; None where they do not exist.

    `auc_low` to `auc_high` and `pauc_low` to `pauc_high` are 95 % intervals (`edge_asd.train.figures.bootstrap`).
    """

    machine: str
    section: str
    domain: str
    n_normal: int
    n_anomaly: int
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    pauc: float | None
    pauc_low: float | None
    pauc_high: float | None
    precision: float | None
    recall: float | None
    f1: float | None

    @property
    def row(self) -> Row:
        """The row of ``result.csv``."""
        return Row(self.machine, self.section, self.domain, (self.auc, self.pauc, self.precision, self.recall, self.f1))


@dataclass(frozen=True, slots=True)
class OfficialFigures:
    """Figures of every section and domain by machine, domain and section, and of all together.

    `official` is the harmonic mean of all AUC and pAUC, `official_low` to `official_high` its
    95 % interval.
    """

    results: list[CellFigures]
    official: float | None
    official_low: float | None
    official_high: float | None
    resamples: int
    seed: int
    notes: list[str]

    @property
    def rows(self) -> list[Row]:
        """The rows of ``result.csv``."""
        return [result.row for result in self.results]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures and their means as JSON takes them."""
        return {
            "results": [asdict(result) for result in self.results],
            "arithmetic": dict(zip(FIGURES, means(self.rows, "arithmetic"), strict=True)),
            "harmonic": dict(zip(FIGURES, means(self.rows, "harmonic"), strict=True)),
            "official": self.official,
            "official_low": self.official_low,
            "official_high": self.official_high,
            "bootstrap": {"resamples": self.resamples, "seed": self.seed, "confidence": CONFIDENCE},
            "notes": [printable(note) for note in self.notes],
        }


def official_figures(
    folders: Sequence[Path],
    *,
    ground_truth: Path | None = None,
    thresholds: Mapping[str | None, float] | None = None,
    resamples: int = 0,
    seed: int = 0,
) -> OfficialFigures:
    """Compute the official figures of score files.

    Parameters
    ----------
    folders : sequence of Path
        Folders of score files (`edge_asd.train.figures.score_files`) that make up one result.
    ground_truth : Path, optional
        File or folder with the labels of clips whose names do not tell (see `edge_asd.train.data.ground_truth`).
    thresholds : mapping of machine to float, optional
        Take scores above as anomalies instead of reading decisions; None stands for every machine
        that is not named.
    resamples : int
        Resamples of the intervals; 0 for none.
    seed : int >= 0

    Raises
    ------
    DataError
        If files are missing, damaged or contradict each other, or no clip has a label.
    """
    thresholds = thresholds or {}
    cells, notes = read_score_files(folders)
    machines = sorted({cell.machine for cell in cells})
    if unknown := sorted(machine for machine in thresholds if machine is not None and machine not in machines):
        raise DataError(
            f"There is a threshold for {', '.join(unknown)}, but no scores. There are scores of {', '.join(machines)}."
        )
    truths = _truths(machines, ground_truth)
    flaws = _Flaws()
    results = []
    official = _OfficialInterval()
    for cell in cells:
        result, drawn = _cell_figures(cell, truths.pop(cell.cell, None), thresholds, resamples, seed, flaws)
        results.append(result)
        if result.auc is not None:
            official.add(drawn)
    if not any(result.n_normal or result.n_anomaly for result in results):
        raise DataError(
            f"No clip of {', '.join(map(str, folders))} has a label: their names do not tell. "
            "Give the labels with --ground-truth."
        )
    for unscored in truths:
        flaws.add("labels, but no scores", unscored)
    low, high = official.interval()
    if resamples and low is None:
        notes.append("No interval of the official score, since some figures that it counts have none.")
    return OfficialFigures(
        results, official_score([r.row for r in results]), low, high, resamples, seed, [*notes, *flaws.notes()]
    )


class _Flaws:
    """What is wrong with which cells, told once for all of them."""

    def __init__(self) -> None:
        self._cells: dict[str, list[str]] = {}
        self._notes: list[str] = []

    def add(self, what: str, cell: tuple[str, str, str]) -> None:
        self._cells.setdefault(what, []).append(" ".join(cell))

    def note(self, text: str | None) -> None:
        self._notes += [text] if text else []

    def notes(self) -> list[str]:
        told = []
        for what, cells in self._cells.items():
            more = f" and {len(cells) - 3} more" if len(cells) > 3 else ""
            told.append(f"{', '.join(cells[:3])}{more}: {what}.")
        return [*self._notes, *told]


class _OfficialInterval:
    """Harmonic means over all cells, resample by resample; cells are drawn independently."""

    def __init__(self) -> None:
        self._count = 0
        self._inverses: npt.NDArray[np.float64] | float = 0.0
        self._complete = True

    def add(self, drawn: Resampled | None) -> None:
        """Count a cell; one that cannot vary leaves the official score without an interval."""
        if drawn is None:
            self._complete = False
            return
        self._count += 2
        self._inverses = self._inverses + 1 / np.maximum(drawn.auc, ZERO) + 1 / np.maximum(drawn.pauc, ZERO)

    def interval(self) -> Interval | tuple[None, None]:
        if not self._complete or not self._count:
            return None, None
        return percentile_interval(np.asarray(self._count / self._inverses))


def _truths(machines: Sequence[str], path: Path | None) -> dict[tuple[str, str, str], GroundTruth]:
    if path is None:
        return {}
    # Labels of some machines are enough, the clips' names may tell the others'; of none is an error.
    known = ground_truth_machines(path) & set(machines) or machines[:1]
    return {
        (machine, *cell): truth for machine in sorted(known) for cell, truth in read_ground_truth(path, machine).items()
    }


def _cell_figures(
    cell: CellScores,
    truth: GroundTruth | None,
    thresholds: Mapping[str | None, float],
    resamples: int,
    seed: int,
    flaws: _Flaws,
) -> tuple[CellFigures, Resampled | None]:
    labels = {name: _label(name, cell, truth) for name in cell.scores}
    labelled = [name for name in labels if labels[name] is not None]
    if len(labelled) < len(labels):
        flaws.add("clips without a label, left out", cell.cell)
    if truth is not None:
        flaws.note(truth.unused_note(labels))
    anomaly = [labels[name] == "anomaly" for name in labelled]
    scores = [cell.scores[name] for name in labelled]
    ranks = rank_figures(anomaly, scores)
    if ranks.auc is None:
        flaws.add("no figures, for want of labelled normal clips or anomalies", cell.cell)

    threshold = thresholds.get(cell.machine, thresholds.get(None))
    if threshold is not None:
        decisions = decision_figures(anomaly, [score > threshold for score in scores])
    elif cell.decisions is not None:
        decisions = decision_figures(anomaly, [cell.decisions[name] for name in labelled])
    else:
        decisions = DecisionFigures(None, None, None)
        flaws.add("no precision, recall and F1, for want of decisions", cell.cell)

    drawn = (
        resample_figures(anomaly, scores, resamples=resamples, seed=cell_seed(seed, *cell.cell)) if resamples else None
    )
    if resamples and not drawn and ranks.auc is not None:
        flaws.add("no intervals, for want of two normal clips and two anomalies", cell.cell)
    auc_low, auc_high = percentile_interval(drawn[0].auc) if drawn else (None, None)
    pauc_low, pauc_high = percentile_interval(drawn[0].pauc) if drawn else (None, None)
    figures = CellFigures(
        machine=cell.machine,
        section=cell.section,
        domain=cell.domain,
        n_normal=anomaly.count(False),
        n_anomaly=anomaly.count(True),
        auc=ranks.auc,
        auc_low=auc_low,
        auc_high=auc_high,
        pauc=ranks.pauc,
        pauc_low=pauc_low,
        pauc_high=pauc_high,
        precision=decisions.precision,
        recall=decisions.recall,
        f1=decisions.f1,
    )
    return figures, drawn[0] if drawn else None


def _label(name: str, cell: CellScores, truth: GroundTruth | None) -> str | None:
    clip = ClipName.parse(name)
    return clip.label if truth is None else truth.label(clip, name, f"{name} of {cell.path}")
