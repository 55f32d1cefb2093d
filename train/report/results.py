"""What `edge-asd reproduce` has found: the report's input, and ``results.json``.

A `Reproduction` is a data set's description, what was asked for, and one `Cell` for each machine,
model, seed, section and domain that has test clips. `Reproduction.merged` joins finished parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from edge_asd.bundle.kinds import KINDS
from edge_asd.clips import DOMAINS, Domain, Label
from edge_asd.errors import DataError

COLUMNS: Mapping[str, str] = {
    "float": "float features, float model",
    "fixed": "fixed-point features, float model",
    "shipped": "fixed-point features, int8 model",
}
"""Ways to score a clip, from the published to the shipped one."""

SHORT: Mapping[str, str] = {"float": "float", "fixed": "fixed point", "shipped": "shipped"}
"""Names of the columns in tables."""

MODELS: Mapping[str, str] = {kind.name: kind.title for kind in KINDS.values()}
"""Models by the names that `edge-asd train --model` takes, as Table 4 calls them."""

NO_DOMAIN = "\N{EN DASH}"
"""What stands for the domain of clips that have none, or whose is not known."""

_LARGEST = 1e100  # no model comes near; differences and squares of such values are finite


@dataclass(frozen=True, slots=True)
class Cell:
    """The test clips of one machine, section and domain, scored by one model of one seed.

    Attributes
    ----------
    machine : str
    model : str, one of `MODELS`
    seed : int >= 0
    section : str
        Two digits.
    domain : {"source", "target"} or None
        None where the year has no domains, or they are not known (`edge_asd.train.figures.measures.RowClips`).
    clips : tuple of str [length n]
        File names, each once.
    labels : tuple of {"normal", "anomaly"} or None [length n]
        None where the label is unknown.
    scores : dict of str to tuple of finite float [length n]
        By column, one or more of `COLUMNS`; the higher, the more anomalous. The autoencoder's in
        dB^2 (shipped integers by `edge_asd.detectors.scores.score_value`, which is exact), MobileNetV2's
        as log-odds or in the published code's form.
    level_db : tuple of finite float [length n, dB re full scale]
        RMS of the clips: the score that ours must beat.
    thresholds : dict of str to float
        By column, in the unit of its scores; a clip is anomalous if its score lies above. Columns
        without a threshold are missing.

    Raises
    ------
    DataError
        If lengths, names or values do not fit.
    """

    machine: str
    model: str
    seed: int
    section: str
    domain: Domain | None
    clips: tuple[str, ...]
    labels: tuple[Label | None, ...]
    scores: Mapping[str, tuple[float, ...]]
    level_db: tuple[float, ...]
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        values = [*self.scores.values(), self.level_db, tuple(self.thresholds.values())]
        for ok, what in (
            (self.model in MODELS, f"the model {self.model!r}"),
            (re.fullmatch("[0-9]{2}", self.section), f"the section {self.section!r}"),
            (self.domain in (None, *DOMAINS), f"the domain {self.domain!r}"),
            (self.seed >= 0, f"the seed {self.seed}"),
            (self.scores and set(self.scores) <= set(COLUMNS), f"the scores' columns {sorted(self.scores)}"),
            (set(self.thresholds) <= set(self.scores), f"the thresholds' columns {sorted(self.thresholds)}"),
            (len(set(self.clips)) == len(self.clips), "a clip that occurs twice"),
            (set(self.labels) <= {"normal", "anomaly", None}, "a label that is neither normal nor anomaly"),
            (
                {len(self.labels), len(self.level_db), *map(len, self.scores.values())} == {len(self.clips)},
                "labels or scores that are not one a clip",
            ),
            (all(abs(value) < _LARGEST for part in values for value in part), "a value that is not finite, or huge"),
        ):
            if not ok:
                raise DataError(
                    f"Results of {self.machine}, section {self.section}, {self.domain or NO_DOMAIN}, have {what}. "
                    "Delete the results of this machine, and run it again."
                )

    @property
    def key(self) -> tuple[str, str, int, str, str | None]:
        """Machine, model, seed, section and domain."""
        return self.machine, self.model, self.seed, self.section, self.domain

    @property
    def official(self) -> str:
        """The column of the official figures: the last of `COLUMNS` that there is."""
        return [column for column in COLUMNS if column in self.scores][-1]


@dataclass(frozen=True, slots=True)
class ClipCount:
    """How many clips of a kind the data set has; `label` is None where the names do not tell."""

    machine: str
    section: str
    domain: str
    split: str
    label: Label | None
    clips: int


@dataclass(frozen=True, slots=True)
class DataDescription:
    """What the results belong to; `edge_asd.train.report.describe.describe_data` makes it.

    Attributes
    ----------
    name : str
        The folder's name, without its path.
    counts : tuple of ClipCount
    sha256 : dict of str to str
        By machine, of the names and contents of the clips used (`edge_asd.train.data.dataset.content_hash`).
    not_mimii_due : str or None
        Why these clips are not MIMII DUE's; None where their counts are those of its Table 1.
    notes : tuple of str
        What else the reader should know, such as machines that are not here.
    """

    name: str
    counts: tuple[ClipCount, ...]
    sha256: Mapping[str, str]
    not_mimii_due: str | None
    notes: tuple[str, ...] = ()

    @property
    def is_mimii_due(self) -> bool:
        """True where machines, sections and counts are those of Table 1."""
        return self.not_mimii_due is None


@dataclass(frozen=True, slots=True)
class ModelArguments:
    """How a model was trained and scored.

    Attributes
    ----------
    epochs, batch_size : int
        0 of a detector that is fitted in one step.
    window_hop : int > 0
        Frames between windows of a test clip.
    learning_rate : float
    """

    epochs: int
    learning_rate: float
    batch_size: int
    window_hop: int


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was asked for.

    Attributes
    ----------
    command : str
        The command line, without paths.
    faithful : bool
        True for the published code with its quirks, False for ours.
    seeds : tuple of int
    int8 : bool
    models : dict of str to ModelArguments
        By model, one or more of `MODELS`.
    year : int
        Whose measures the figures are (`edge_asd.train.figures.measures`).
    """

    command: str
    faithful: bool
    seeds: tuple[int, ...]
    int8: bool
    models: Mapping[str, ModelArguments]
    year: int = 2021


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Everything that the report shows, pictures of the clips themselves aside.

    It holds nothing that changes with who computes it, how many at once, and when: no times.

    Attributes
    ----------
    data : DataDescription
    arguments : Arguments
    cells : tuple of Cell
        No two of one `Cell.key`, in any order.
    versions : dict of str to str
        Of edge-asd and the packages that count, and of Python.
    notes : tuple of str

    Raises
    ------
    DataError
        If two cells have one key.
    """

    data: DataDescription
    arguments: Arguments
    cells: tuple[Cell, ...]
    versions: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        seen = set()
        for cell in self.cells:
            if cell.key in seen:
                raise DataError(
                    f"Results of {', '.join(map(str, cell.key))} occur twice. Delete one of them, or run it again."
                )
            seen.add(cell.key)

    def merged(self, others: Iterable[Reproduction]) -> Reproduction:
        """Join parts of one run: cells, counts, hashes, versions and notes.

        What they cannot share (name, arguments) is this one's; so is `not_mimii_due`, unless a
        part has a reason of its own.
        """
        parts = [self, *others]
        data = DataDescription(
            self.data.name,
            tuple(dict.fromkeys(count for part in parts for count in part.data.counts)),
            {machine: value for part in parts for machine, value in part.data.sha256.items()},
            next((part.data.not_mimii_due for part in parts if part.data.not_mimii_due is not None), None),
            tuple(dict.fromkeys(note for part in parts for note in part.data.notes)),
        )
        return replace(
            self,
            data=data,
            cells=tuple(cell for part in parts for cell in part.cells),
            versions={name: value for part in parts for name, value in part.versions.items()},
            notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        )
