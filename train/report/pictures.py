"""The report's pictures of one machine, which need nothing of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_asd.train.data.dataset import Dataset
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.figures.measures import measures_of
from edge_asd.train.report.curves import histogram_picture, roc_picture
from edge_asd.train.report.drawing import Picture
from edge_asd.train.report.results import MODELS, Cell, Reproduction
from edge_asd.train.report.scatter import scatter_picture
from edge_asd.train.report.spectrogram import spectrogram_picture


@dataclass(frozen=True, slots=True)
class MachinePictures:
    """What is drawn of a machine.

    Attributes
    ----------
    of_clips : (Picture or None, Picture or None), or None
        Figures 1 and 2 of the paper; None where the clips were not at hand.
    roc : Picture or None
        None where a class is missing.
    histograms : tuple of Picture
        One per model.
    heard : tuple of Picture
        Which bands moved in flagged clips.
    """

    of_clips: tuple[Picture | None, Picture | None] | None
    roc: Picture | None
    histograms: tuple[Picture, ...]
    heard: tuple[Picture, ...] = ()


def draw_machine(
    reproduction: Reproduction,
    machine: str,
    *,
    data: Path | None = None,
    channel: int = 0,
    heard: Sequence[Picture] = (),
    cache: FeatureCache | None = None,
) -> MachinePictures:
    """Draw what the report shows of a machine.

    Parameters
    ----------
    reproduction : Reproduction
    machine : str
    data : Path, optional
        The data set, for the pictures of its clips (Figures 1 and 2).
    channel : int
        Channel of the clips that was listened to.
    heard : sequence of Picture
        What was drawn already.
    cache : FeatureCache, optional
        The user's by default.

    Raises
    ------
    DataError
        If `data` is not what the results belong to.
    """
    cells = [cell for cell in reproduction.cells if cell.machine == machine]
    first = [_first_seed([cell for cell in cells if cell.model == model]) for model in MODELS]
    return MachinePictures(
        None if data is None else _of_clips(cells, machine, data, channel, cache or FeatureCache()),
        roc_picture(cells, measures_of(reproduction.arguments.year)),
        tuple(picture for some in first if (picture := histogram_picture(some))),
        tuple(heard),
    )


def _of_clips(
    cells: Sequence[Cell], machine: str, data: Path, channel: int, cache: FeatureCache
) -> tuple[Picture | None, Picture | None]:
    """Draw Figures 1 and 2 of a machine; labels and domains are those of the results."""
    sections = sorted({cell.section for cell in cells})
    dataset = Dataset(data, machine, sections, channel=channel)
    told = {name: (cell.domain, label) for cell in cells for name, label in zip(cell.clips, cell.labels, strict=True)}
    tests = [
        replace(clip, name=replace(clip.name, domain=told[clip.path.name][0]))
        for clip in dataset.select(split="test")
        if clip.path.name in told
    ]
    labels = [told[clip.path.name][1] for clip in tests]
    return spectrogram_picture(dataset, sections), scatter_picture(machine, tests, labels, cache)


def _first_seed(cells: list[Cell]) -> list[Cell]:
    """Keep the cells of the smallest seed: scores of several trainings have no scale in common."""
    return [cell for cell in cells if cell.seed == min(one.seed for one in cells)]
