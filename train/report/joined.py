"""Cells whose figures share clips, joined: from 2022 on, a domain's AUC takes the other domain's anomalies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from edge_asd.clips import Domain, Label
from edge_asd.train.figures.measures import Measures, RowClips, rows_of
from edge_asd.train.report.results import Cell


@dataclass(frozen=True)
class Joined:
    """The cells of one machine, section, model and seed, as one list of clips.

    Attributes
    ----------
    cells : tuple of Cell
        A single one where figures are of a domain's clips alone.
    measures : Measures
    """

    cells: tuple[Cell, ...]
    measures: Measures

    @cached_property
    def clips(self) -> tuple[str, ...]:
        """File names."""
        return tuple(clip for cell in self.cells for clip in cell.clips)

    @cached_property
    def labels(self) -> tuple[Label | None, ...]:
        """One for each of `clips`."""
        return tuple(label for cell in self.cells for label in cell.labels)

    @cached_property
    def domains(self) -> tuple[Domain | None, ...]:
        """One for each of `clips`."""
        return tuple(cell.domain for cell in self.cells for _ in cell.clips)

    @cached_property
    def level_db(self) -> tuple[float, ...]:
        """One for each of `clips`."""
        return tuple(level for cell in self.cells for level in cell.level_db)

    @property
    def columns(self) -> list[str]:
        """Those that all cells have."""
        return [column for column in self.cells[0].scores if all(column in cell.scores for cell in self.cells)]

    def scores(self, column: str) -> tuple[float, ...]:
        """One for each of `clips`."""
        return tuple(score for cell in self.cells for score in cell.scores[column])

    @cached_property
    def rows(self) -> list[tuple[Cell, RowClips]]:
        """Each cell's row; a cell whose clips are counted in another's has none."""
        of_domain = {row.domain: row for row in rows_of(self.labels, self.domains, self.measures)}
        return [(cell, of_domain[cell.domain]) for cell in self.cells if cell.domain in of_domain]


def join(cells: Iterable[Cell], measures: Measures) -> list[Joined]:
    """Join the cells that share clips."""
    groups: dict[object, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.key[:4] if measures.mixed else cell.key, []).append(cell)
    return [Joined(tuple(_in_order(group)), measures) for group in groups.values()]


def _in_order(cells: Sequence[Cell]) -> list[Cell]:
    return sorted(cells, key=lambda cell: cell.domain or "")
