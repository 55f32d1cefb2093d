"""The official figures of DCASE Task 2 from score files, whoever made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_asd.errors import DataError
from edge_asd.files import printable
from edge_asd.train.figures.bootstrap import CONFIDENCE, Interval, RowDraws, percentile_interval
from edge_asd.train.figures.means import ZERO, Row, counted_once, means, official_score
from edge_asd.train.figures.measures import Measures, RowClips, measures_of, pick, rows_of
from edge_asd.train.figures.metrics import DecisionFigures, decision_figures, row_figures
from edge_asd.train.figures.score_files import read_score_files
from edge_asd.train.figures.scored_sections import Flaws, ScoredSection, gather, year_of

FIGURES = ("auc", "pauc", "precision", "recall", "f1")
"""The figures in the order of ``result.csv``."""


@dataclass(frozen=True, slots=True)
class CellFigures:
    """Figures of one section and domain; None where they do not exist.

    `domain` is None where a row is of the whole section; `n_normal` and `n_anomaly` are the clips that
    the AUC is of, from 2022 on the anomalies of both domains (`edge_asd.train.figures.measures`).
    `auc_low` to `auc_high` and `pauc_low` to `pauc_high` are 95 % intervals (`edge_asd.train.figures.bootstrap`).
    """

    machine: str
    section: str
    domain: str | None
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

    `official` is the harmonic mean of all AUC and pAUC (`edge_asd.train.figures.means.official_score`),
    `official_low` to `official_high` its 95 % interval.
    """

    measures: Measures
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
            "year": self.measures.year,
            "results": [asdict(result) for result in self.results],
            "arithmetic": dict(zip(FIGURES, means(self.rows, "arithmetic", self.measures), strict=True)),
            "harmonic": dict(zip(FIGURES, means(self.rows, "harmonic", self.measures), strict=True)),
            "official": self.official,
            "official_low": self.official_low,
            "official_high": self.official_high,
            "bootstrap": {"resamples": self.resamples, "seed": self.seed, "confidence": CONFIDENCE},
            "notes": [printable(note) for note in self.notes],
        }


def official_figures(
    folders: Sequence[Path],
    *,
    year: int | None = None,
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
    year : int, optional
        Whose measures (`edge_asd.train.figures.measures`); told from the files' names by default.
    ground_truth : Path, optional
        File or folder with what the clips' names do not tell (see `edge_asd.train.data.ground_truth`).
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
    measures = measures_of(year_of(cells) if year is None else year)
    machines = sorted({cell.machine for cell in cells})
    if unknown := sorted(machine for machine in thresholds if machine is not None and machine not in machines):
        raise DataError(
            f"There is a threshold for {', '.join(unknown)}, but no scores. There are scores of {', '.join(machines)}."
        )
    flaws = Flaws()
    sections = gather(cells, ground_truth, flaws)
    if not any(label for section in sections for label in section.labels):
        raise DataError(
            f"No clip of {', '.join(map(str, folders))} has a label: their names do not tell. "
            "Give the labels with --ground-truth."
        )
    found: list[tuple[ScoredSection, RowClips, RowDraws | None]] = []
    for section in sections:
        rows = rows_of(section.labels, section.domains, measures)
        draws = section.resampled(rows, measures, resamples, seed)
        found += [(section, row, drawn) for row, drawn in zip(rows, draws, strict=True)]
    found.sort(key=lambda one: (one[0].machine, one[1].domain or "", one[0].section))
    results = [_row_figures(*one, thresholds, measures, flaws) for one in found]
    official = official_score([r.row for r in results], measures)
    if measures.official and official is None and any(r.domain is None and r.auc is not None for r in results):
        notes.append(
            "No official score, which is of figures by domain, and the domain of some clips is not known. "
            "--ground-truth gives it: the folder that holds ground_truth_data and ground_truth_domain."
        )
    low, high = (
        _official_interval(results, [drawn for _, _, drawn in found], measures)
        if resamples and official is not None
        else (None, None)
    )
    if resamples and low is None and official is not None:
        notes.append("No interval of the official score, since some figures that it counts have none.")
    return OfficialFigures(measures, results, official, low, high, resamples, seed, [*notes, *flaws.notes()])


def _official_interval(
    results: Sequence[CellFigures], draws: Sequence[RowDraws | None], measures: Measures
) -> Interval | tuple[None, None]:
    """Return the interval of the harmonic mean over all figures that count; sections are drawn independently.

    None where a figure that counts cannot vary.
    """
    once = list(counted_once([result.row for result in results], measures))
    count, inverses = 0, np.zeros(1)
    for result, drawn in zip(results, draws, strict=True):
        figures = [(result.auc, drawn and drawn.auc)]
        figures += [(result.pauc, drawn and drawn.pauc)] if result.row in once else []
        for figure, values in figures:
            if figure is None:
                continue
            if not values:
                return None, None
            count += 1
            inverses = inverses + 1 / np.maximum(values[0], ZERO)
    return percentile_interval(count / inverses) if count else (None, None)


def _row_figures(
    section: ScoredSection,
    row: RowClips,
    drawn: RowDraws | None,
    thresholds: Mapping[str | None, float],
    measures: Measures,
    flaws: Flaws,
) -> CellFigures:
    cell = section.machine, section.section, row.domain
    if any(section.labels[i] is None for i in row.own):
        flaws.add("clips without a label, left out", cell)
    ranks = row_figures(row, section.labels, section.scores)
    if ranks.auc is None:
        flaws.add("no figures, for want of labelled normal clips or anomalies", cell)
    decisions = _decisions(section, row, thresholds)
    if decisions is None and measures.decisions:
        flaws.add("no precision, recall and F1, for want of decisions", cell)
    judged = decisions or DecisionFigures(None, None, None)
    if drawn and not drawn.auc and ranks.auc is not None:
        apart = " of one domain" if measures.mixed and row.domain else ""
        flaws.add(f"no intervals, for want of two normal clips and two anomalies{apart}", cell)
    auc_low, auc_high = percentile_interval(drawn.auc[0]) if drawn and drawn.auc else (None, None)
    pauc_low, pauc_high = percentile_interval(drawn.pauc[0]) if drawn and drawn.pauc else (None, None)
    labels = pick(section.labels, row.auc)
    return CellFigures(
        machine=section.machine,
        section=section.section,
        domain=row.domain,
        n_normal=labels.count("normal"),
        n_anomaly=labels.count("anomaly"),
        auc=ranks.auc,
        auc_low=auc_low,
        auc_high=auc_high,
        pauc=ranks.pauc,
        pauc_low=pauc_low,
        pauc_high=pauc_high,
        precision=judged.precision,
        recall=judged.recall,
        f1=judged.f1,
    )


def _decisions(section: ScoredSection, row: RowClips, thresholds: Mapping[str | None, float]) -> DecisionFigures | None:
    """Judge a row's decisions; None where there are none."""
    threshold = thresholds.get(section.machine, thresholds.get(None))
    decided: list[bool | None] = (
        pick(section.decisions, row.decisions)
        if threshold is None
        else [score > threshold for score in pick(section.scores, row.decisions)]
    )
    known = [flag for flag in decided if flag is not None]
    if len(known) < len(decided) or (threshold is None and not known and None in section.decisions):
        return None
    return decision_figures([label == "anomaly" for label in pick(section.labels, row.decisions)], known)
