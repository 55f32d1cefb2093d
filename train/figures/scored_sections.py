"""Score files gathered into sections, with the labels and domains of their clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_asd.clips import ClipName, Domain, Label
from edge_asd.errors import DataError
from edge_asd.train.data.ground_truth import GroundTruth, Place, ground_truth_machines, read_ground_truth, truth_place
from edge_asd.train.figures.bootstrap import RowDraws, resample_rows
from edge_asd.train.figures.measures import Measures, RowClips
from edge_asd.train.figures.score_files import Cell, CellScores


class Flaws:
    """What is wrong with which cells, told once for all of them; `unscored` have labels and no scores."""

    def __init__(self) -> None:
        self.unscored: list[Cell] = []
        self._cells: dict[str, list[str]] = {}
        self._notes: list[str] = []

    def add(self, what: str, cell: Cell) -> None:
        """Say what is wrong with a cell."""
        self._cells.setdefault(what, []).append(" ".join(filter(None, cell)))

    def note(self, text: str | None) -> None:
        """Say something else; nothing where `text` is None."""
        self._notes += [text] if text else []

    def notes(self) -> list[str]:
        """Return them as sentences."""
        for cell in self.unscored:
            self.add("labels, but no scores", cell)
        told = []
        for what, cells in self._cells.items():
            more = f" and {len(cells) - 3} more" if len(cells) > 3 else ""
            told.append(f"{', '.join(cells[:3])}{more}: {what}.")
        return [*self._notes, *told]


@dataclass(slots=True)
class ScoredSection:
    """The clips of a machine's section, in the order of the files."""

    machine: str
    section: str
    labels: list[Label | None] = field(default_factory=list)
    domains: list[Domain | None] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    decisions: list[bool | None] = field(default_factory=list)

    def resampled(
        self, rows: Sequence[RowClips], measures: Measures, resamples: int, seed: int
    ) -> Sequence[RowDraws | None]:
        if not resamples:
            return [None] * len(rows)
        return resample_rows(
            (self.machine, self.section),
            rows,
            self.labels,
            self.domains,
            self.scores,
            measures=measures,
            resamples=resamples,
            seed=seed,
        )


def gather(cells: Sequence[CellScores], ground_truth: Path | None, flaws: Flaws) -> list[ScoredSection]:
    """Gather the clips of each section, with what their names and the ground truth tell of them.

    Parameters
    ----------
    cells : sequence of CellScores
    ground_truth : Path, optional
    flaws : Flaws
        Gets what does not fit.

    Raises
    ------
    DataError
        If the ground truth cannot be read, or contradicts the clips' names.
    """
    truths = _truths(sorted({cell.machine for cell in cells}), ground_truth)
    sections: dict[tuple[str, str], ScoredSection] = {}
    used: dict[Cell, tuple[GroundTruth, list[str]]] = {}
    for cell in cells:
        section = sections.setdefault((cell.machine, cell.section), ScoredSection(cell.machine, cell.section))
        of_machine = truths.get(cell.machine, {})
        for file, score in cell.scores.items():
            clip, place = ClipName.parse(file), f"{file} of {cell.path}"
            label, domain = clip.label, clip.domain
            if key := truth_place(of_machine, cell.section, clip.domain):
                truth = of_machine[key]
                label, domain = truth.label(clip, file, place), truth.domain(clip, file, place)
                used.setdefault((cell.machine, *key), (truth, []))[1].append(file)
            section.labels.append(label)
            section.domains.append(domain)
            section.scores.append(score)
            section.decisions.append(None if cell.decisions is None else cell.decisions[file])
    for truth, files in used.values():
        flaws.note(truth.unused_note(files))
    flaws.unscored = [(machine, *key) for machine in truths for key in truths[machine] if (machine, *key) not in used]
    return list(sections.values())


def year_of(cells: Sequence[CellScores]) -> int:
    """Tell the year from the files' names.

    Raises
    ------
    DataError
        If they are of years that do not belong together.
    """
    by_year = {cell.year: cell for cell in cells}
    if len(by_year) > 1:
        one, other = (by_year[year] for year in sorted(by_year)[:2])
        raise DataError(
            f"{one.path} is named as in {one.year}, {other.path} as in {other.year}. Give --year to say whose measures "
            "are meant, or one year's files."
        )
    return next(iter(by_year))


def _truths(machines: Sequence[str], path: Path | None) -> dict[str, dict[Place, GroundTruth]]:
    if path is None:
        return {}
    # Labels of some machines are enough, the clips' names may tell the others'; of none is an error.
    known = ground_truth_machines(path) & set(machines) or machines[:1]
    return {machine: read_ground_truth(path, machine) for machine in sorted(known)}
