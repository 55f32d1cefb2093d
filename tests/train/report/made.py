"""Made-up results: scores that overlap, of any machines, sections and seeds; and a reader of the page's tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from edge_asd.clips import Domain
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.report.drawing import Picture
from edge_asd.train.report.figures import Figures, machines_of
from edge_asd.train.report.page import Gallery, render
from edge_asd.train.report.pictures import MachinePictures, draw_clips, draw_scores
from edge_asd.train.report.results import Arguments, Cell, DataDescription, ModelArguments, Reproduction
from edge_asd.train.report.writing import Written, write_report

COLUMNS = ("float", "fixed", "shipped")


def write(
    made: Reproduction,
    out: Path,
    *,
    data: Path | None = None,
    heard: Sequence[Picture] = (),
    cache: FeatureCache | None = None,
) -> Written:
    """Draw and write the report; what was heard is the first machine's."""
    pictures = []
    for number, machine in enumerate(machines_of(made.cells)):
        cells = [cell for cell in made.cells if cell.machine == machine]
        of_clips = None if data is None else draw_clips(cells, data, cache=cache)
        of_scores = draw_scores(cells, made.arguments.year)
        pictures.append(MachinePictures(of_clips, *of_scores, () if number else tuple(heard)))
    return write_report(made, Figures(made), out, pictures)


def make_cell(
    machine: str = "fan",
    model: str = "ae",
    seed: int = 0,
    section: str = "00",
    domain: Domain | None = "source",
    *,
    labels: Sequence[str | None] = ("normal",) * 12 + ("anomaly",) * 10,
    columns: Sequence[str] = COLUMNS,
) -> Cell:
    """Make a cell; the same arguments make the same one, and all seeds have the same clips."""
    rng = np.random.default_rng([seed, *f"{machine}{model}{section}{domain}".encode("utf-8", "replace")])
    n = len(labels)
    base = rng.gamma(4, 2, n) + [3.0 * (label == "anomaly") for label in labels]
    return Cell(
        machine=machine,
        model=model,
        seed=seed,
        section=section,
        domain=domain,
        clips=tuple(f"section_{section}_{domain}_test_{i:04d}.wav" for i in range(n)),
        labels=tuple(labels),  # type: ignore[arg-type]
        scores={column: tuple((base + rng.normal(0, i, n)).tolist()) for i, column in enumerate(columns)},
        level_db=tuple(np.random.default_rng([7, int(section), len(domain or "")]).normal(-30, 2, n).tolist()),
        thresholds=dict.fromkeys(columns, 10.0),
    )


def make_reproduction(
    cells: Sequence[Cell], *, name: str = "made_up", not_mimii_due: str | None = "It is made up.", year: int = 2021
) -> Reproduction:
    """Make results of some cells."""
    return Reproduction(
        data=DataDescription(name, (), {cell.machine: "0f" * 32 for cell in cells}, not_mimii_due),
        arguments=Arguments(
            "edge-asd reproduce made_up",
            False,
            tuple(sorted({cell.seed for cell in cells})),
            True,
            {"ae": ModelArguments(100, 1e-3, 512, 1), "mobilenetv2": ModelArguments(20, 1e-5, 32, 8)},
            year,
        ),
        cells=tuple(cells),
        versions={"edge-asd": "0.1.0"},
    )


def with_labels(cell: Cell, labels: Sequence[str | None]) -> Cell:
    """Return a cell with other labels."""
    return replace(cell, labels=tuple(labels))  # type: ignore[arg-type]


def tables_page(reproduction: Reproduction) -> Page:
    """Return the page without its pictures, which take most of the time."""
    figures = Figures(reproduction)
    nothing = Gallery(None, None, dict.fromkeys(figures.machines), {machine: [] for machine in figures.machines})
    return Page(render(reproduction, figures, nothing))


class Page(HTMLParser):
    """What tests look at: tables by their names as rows of text, the attributes of every tag, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._rows: list[list[str]] = []
        self._cell = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag == "table":
            self._rows = self.tables[attributes["id"] or ""] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("th", "td"):
            self._cell = True
            self._rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._cell:
            self._rows[-1][-1] += data

    def row(self, table: str, *heads: str) -> list[str]:
        """Return what stands in the row of a table with these headings."""
        (found,) = [row for row in self.tables[table] if row[: len(heads)] == list(heads)]
        return found[len(heads) :]
