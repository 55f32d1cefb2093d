"""The report's tables of clips, official figures and thresholds, one line for what there is."""

from __future__ import annotations

from edge_asd.train.data.table1 import table1
from edge_asd.train.figures.means import means, official_score
from edge_asd.train.report.figures import Figures, decisions
from edge_asd.train.report.results import MODELS, NO_DOMAIN, SHORT, Reproduction
from edge_asd.train.report.tables import NONE, Table, number


def official_table(figures: Figures) -> Table:
    """Means of ``result.csv`` over all cells, by model and seed."""
    rows = []
    for (model, seed), cells in figures.official.items():
        measures = figures.measures
        arithmetic, harmonic = means(cells, "arithmetic", measures), means(cells, "harmonic", measures)
        score = official_score(cells, measures)
        rows.append([MODELS[model], str(seed), *map(number, [*arithmetic[:2], *harmonic[:2], score, *arithmetic[2:]])])
    return Table(
        "official",
        "Official figures over all machines, sections and domains",
        ["model", "seed", "AUC", "pAUC", "AUC", "pAUC", "of all AUC and pAUC", "precision", "recall", "F1"],
        rows,
        [("arithmetic mean", 2), ("harmonic mean", 2), ("official score", 1), ("arithmetic mean", 3)],
        [
            "Of what ships, or of the column nearest to it. In harmonic means, zeros count as the smallest float step, "
            "as in the published code.",
            f"Measures of {figures.measures.source}. {figures.measures.explained}",
        ],
    )


def clips_table(reproduction: Reproduction) -> Table:
    """How many clips were used, beside Table 1's."""
    kinds = ("train", "normal"), ("test", "normal"), ("test", "anomaly"), ("test", None)
    rows: dict[tuple[str, str, str], list[str]] = {}
    for one in reproduction.data.counts:
        place = (one.machine, one.section, one.domain)
        if place in rows:
            continue
        found = [c for c in reproduction.data.counts if (c.machine, c.section, c.domain) == place]
        # Training clips are normal, whatever their name says.
        counts = [
            sum(c.clips for c in found if (c.split, c.label if c.split == "test" else "normal") == k) for k in kinds
        ]
        row = table1().get(place[:2])
        of_paper = [NONE, NONE]
        if row is not None:
            expected = row.source if one.domain == "source" else row.target
            of_paper = [str(expected.train), str(expected.test)]
        rows[place] = [*place, *map(str, counts), *of_paper]
    return Table(
        "clips",
        "Clips that were used",
        ["machine", "section", "domain", "training", "test, normal", "anomaly", "unknown", "training", "test"],
        [rows[place] for place in sorted(rows)],
        [("here", 4), ("Table 1", 2)],
        heads=3,
    )


def thresholds_table(reproduction: Reproduction) -> Table | None:
    """Thresholds of the official columns, and the decisions they make; None where there are none."""
    rows = []
    for cell in sorted(reproduction.cells, key=lambda cell: (*cell.key[:4], cell.domain or "")):
        threshold = cell.thresholds.get(cell.official)
        if threshold is None:
            continue
        judged = decisions(cell, cell.official)
        rows.append(
            [cell.machine, MODELS[cell.model], str(cell.seed), cell.section, cell.domain or NO_DOMAIN]
            + [SHORT[cell.official], f"{threshold:.6g}".replace("-", "\N{MINUS SIGN}")]
            + [number(value) for value in (judged.precision, judged.recall, judged.f1)]
        )
    if not rows:
        return None
    return Table(
        "thresholds",
        "Thresholds, and the decisions they make",
        ["machine", "model", "seed", "section", "domain", "scores", "threshold", "precision", "recall", "F1"],
        rows,
        notes=["A clip is anomalous if its score lies above the threshold."],
        heads=5,
    )
