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
from edge_asd.train.report.results import MODELS, Cell
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


def draw_clips(
    cells: Sequence[Cell], data: Path, *, channel: int = 0, cache: FeatureCache | None = None
) -> tuple[Picture | None, Picture | None]:
    """Draw Figures 1 and 2 of the paper; labels and domains of the clips are those of the results.

    Parameters
    ----------
    cells : sequence of Cell
        Of one machine, at least one.
    data : Path
        The data set.
    channel : int
        Channel of the clips that was listened to.
    cache : FeatureCache, optional
        The user's by default.

    Raises
    ------
    DataError
        If `data` is not what the results belong to.
    """
    machine, sections = cells[0].machine, sorted({cell.section for cell in cells})
    dataset = Dataset(data, machine, sections, channel=channel)
    told = {name: (cell.domain, label) for cell in cells for name, label in zip(cell.clips, cell.labels, strict=True)}
    tests = [
        replace(clip, name=replace(clip.name, domain=told[clip.path.name][0]))
        for clip in dataset.select(split="test")
        if clip.path.name in told
    ]
    labels = [told[clip.path.name][1] for clip in tests]
    return spectrogram_picture(dataset, sections), scatter_picture(machine, tests, labels, cache or FeatureCache())


def draw_scores(cells: Sequence[Cell], year: int) -> tuple[Picture | None, tuple[Picture, ...]]:
    """Draw the ROC curves of a machine, and the histograms of each model's scores.

    Parameters
    ----------
    cells : sequence of Cell
        Of one machine.
    year : int
        Whose measures (`edge_asd.train.figures.measures`).
    """
    first = [_first_seed([cell for cell in cells if cell.model == model]) for model in MODELS]
    histograms = tuple(picture for some in first if (picture := histogram_picture(some)))
    return roc_picture(cells, measures_of(year)), histograms


def _first_seed(cells: list[Cell]) -> list[Cell]:
    """Keep the cells of the smallest seed: scores of several trainings have no scale in common."""
    return [cell for cell in cells if cell.seed == min(one.seed for one in cells)]
