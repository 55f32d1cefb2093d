"""What a reproduction consists of: parts, each a machine's group of sections, one model and one seed.

The published systems train one model on sections 00-02 of a machine, the development data, and
another on 03-05, the evaluation data; sections are grouped by threes here, whatever they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_asd.distance.blocks import Blocks
from edge_asd.errors import DataError
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.figures.measures import RowClips, measures_of, pick, rows_of
from edge_asd.train.networks.baselines import BASELINES
from edge_asd.train.report.results import Arguments, ModelArguments, Reproduction
from edge_asd.train.report.results_json import read_results
from edge_asd.train.runs.distance_fitting import score_frames_of
from edge_asd.train.runs.fitting import SCORE_SECONDS, Settings


@dataclass(frozen=True, slots=True)
class Part:
    """What to train and score.

    Attributes
    ----------
    machine : str
    sections : tuple of str
        Trained together.
    settings : Settings
        Model and seed among them.
    year : int
        Whose measures the figures are.
    int8 : bool
        Quantise, and score in fixed point and in the shipped arithmetic too.
    """

    machine: str
    sections: tuple[str, ...]
    settings: Settings
    int8: bool
    year: int = 2021

    @property
    def name(self) -> str:
        """Name of its files."""
        sections = "-".join(dict.fromkeys((self.sections[0], self.sections[-1])))
        channel = f"_channel{self.settings.channel}" if self.settings.channel else ""
        return f"{self.machine}_{sections}_{self.settings.model}_seed{self.settings.seed}{channel}"

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"{self.machine} {','.join(self.sections)}, {self.settings.model}, seed {self.settings.seed}"

    @property
    def arguments(self) -> Arguments:
        """How it is trained and scored."""
        settings = self.settings
        return Arguments(
            command="edge-asd reproduce",
            faithful=settings.faithful,
            seeds=(settings.seed,),
            int8=self.int8,
            models={settings.model: self._model_arguments},
            year=self.year,
        )

    @property
    def _model_arguments(self) -> ModelArguments:
        settings = self.settings
        if settings.model not in BASELINES:
            frames = score_frames_of(settings.features, settings.score_seconds or SCORE_SECONDS)
            return ModelArguments(epochs=0, learning_rate=0.0, batch_size=0, window_hop=Blocks.of_span(frames).frames)
        baseline = BASELINES[settings.model]
        return ModelArguments(
            epochs=settings.epochs or baseline.epochs,
            learning_rate=settings.learning_rate or baseline.learning_rate,
            batch_size=settings.batch_size or baseline.batch_size,
            window_hop=baseline.published_test_hop if settings.faithful else baseline.test_hop,
        )


def bundle_path(out: Path, part: Part) -> Path:
    """Return the place of a part's bundle in the folder of a reproduction."""
    return out / "bundles" / f"{part.name}.easd"


def results_path(out: Path, part: Part) -> Path:
    """Return the place of a part's results in the folder of a reproduction."""
    return out / "parts" / f"{part.name}.json"


def kept_results(part: Part, dataset: Dataset, digest: str, out: Path) -> Reproduction:
    """Return what is kept of a part that is done.

    Parameters
    ----------
    part : Part
    dataset : Dataset
        The part's.
    digest : str
        `edge_asd.train.data.hashes.content_hash` of its clips.
    out : Path
        Folder of the reproduction.

    Raises
    ------
    DataError
        If what is kept cannot be read, or was made with other settings or of other data.
    """
    path = results_path(out, part)
    kept = read_results(path)
    test = dataset.select(split="test")
    here = {
        (section, row.domain): (
            tuple(test[i].path.name for i in at),
            tuple(test[i].name.label for i in at),
        )
        for section, rows in part_rows(test, part).items()
        for row, at in rows
    }
    same = here == {(cell.section, cell.domain): (cell.clips, cell.labels) for cell in kept.cells}
    if kept.arguments == part.arguments and kept.data.sha256 == {part.machine: digest} and same:
        return kept
    raise DataError(f"{path} was made with other settings or other data. Remove {out}, or choose another --out.")


def part_rows(test: Sequence[Clip], part: Part) -> dict[str, list[tuple[RowClips, list[int]]]]:
    """Return the rows of each section, with the numbers of their own clips among the test clips."""
    found = {}
    for section in part.sections:
        at = [i for i, clip in enumerate(test) if clip.name.section == section]
        names = [test[i].name for i in at]
        rows = rows_of([name.label for name in names], [name.domain for name in names], measures_of(part.year))
        found[section] = [(row, pick(at, row.own)) for row in rows]
    return found
