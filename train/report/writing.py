"""Writing the report: one HTML file that needs nothing else, and ``result.csv`` for each model and seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_asd.errors import DataError
from edge_asd.files import prepare_folder, write_atomically
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.figures.official_csv import write_result
from edge_asd.train.report.curves import histogram_picture, roc_picture
from edge_asd.train.report.drawing import Picture
from edge_asd.train.report.figures import Figures
from edge_asd.train.report.page import Gallery, render
from edge_asd.train.report.results import MODELS, Cell, Reproduction
from edge_asd.train.report.scatter import scatter_picture
from edge_asd.train.report.spectrogram import spectrogram_picture

Progress = Callable[[str], None]
"""Called with what is being drawn."""


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a report: `html`, and `results` by model and seed."""

    html: Path
    results: dict[tuple[str, int], Path]


def write_report(
    reproduction: Reproduction,
    out: Path,
    *,
    data: Path | None = None,
    channel: int = 0,
    heard: Sequence[Picture] = (),
    cache: FeatureCache | None = None,
    progress: Progress = lambda _: None,
) -> Written:
    """Write ``report.html``, and ``<model>/seed_<n>/result.csv`` in the published layout.

    Parameters
    ----------
    reproduction : Reproduction
    out : Path
        Folder; it is made if it is not there.
    data : Path, optional
        The data set, for the pictures of its clips (Figures 1 and 2); without it they are left
        out, and the report says so.
    channel : int
        Channel of the clips that was listened to.
    heard : sequence of Picture
        Which bands moved in flagged clips.
    cache : FeatureCache, optional
        The user's by default.
    progress : callable, optional
        See `Progress`.

    Returns
    -------
    written : Written

    Raises
    ------
    DataError
        If there is no result, or `data` is not what the results belong to.
    OutputError
        If `out` cannot be written.
    """
    if not reproduction.cells:
        raise DataError("There are no results to report. Run edge-asd reproduce on data that has test clips.")
    prepare_folder(out)
    figures = Figures(reproduction)
    spectrograms, scatters = [], []
    if data is not None:
        for machine in figures.machines:
            progress(f"pictures of {machine}")
            sections = [section for name, section in figures.sections if name == machine]
            dataset = Dataset(data, machine, sections, channel=channel)
            spectrogram, scatter = _clip_pictures(reproduction, dataset, sections, cache or FeatureCache())
            spectrograms.append(spectrogram)
            scatters.append(scatter)
    rocs: dict[str, Picture | None] = {}
    histograms: dict[str, list[Picture]] = {}
    for machine in figures.machines:
        progress(f"curves of {machine}")
        cells = [cell for cell in reproduction.cells if cell.machine == machine]
        rocs[machine] = roc_picture(cells, figures.measures)
        first = [_first_seed([cell for cell in cells if cell.model == model]) for model in MODELS]
        histograms[machine] = [picture for some in first if (picture := histogram_picture(some))]
    gallery = Gallery(
        None if data is None else [picture for picture in spectrograms if picture],
        None if data is None else [picture for picture in scatters if picture],
        rocs,
        histograms,
        heard,
    )
    html = out / "report.html"
    results = write_results_csv(figures, out)
    write_atomically(html, render(reproduction, figures, gallery).encode())
    return Written(html, results)


def write_results_csv(figures: Figures, out: Path) -> dict[tuple[str, int], Path]:
    """Write ``<model>/seed_<n>/result.csv`` below `out`; return their paths by model and seed."""
    results = {}
    for (model, seed), rows in figures.official.items():
        results[model, seed] = out / model / f"seed_{seed}" / "result.csv"
        write_result(results[model, seed], rows, figures.measures)
    return results


def _clip_pictures(
    reproduction: Reproduction, dataset: Dataset, sections: list[str], cache: FeatureCache
) -> tuple[Picture | None, Picture | None]:
    """Draw Figures 1 and 2 of a machine; labels and domains are those of the results."""
    told = {
        name: (cell.domain, label)
        for cell in reproduction.cells
        if cell.machine == dataset.machine
        for name, label in zip(cell.clips, cell.labels, strict=True)
    }
    tests = [
        replace(clip, name=replace(clip.name, domain=told[clip.path.name][0]))
        for clip in dataset.select(split="test")
        if clip.path.name in told
    ]
    labels = [told[clip.path.name][1] for clip in tests]
    return spectrogram_picture(dataset, sections), scatter_picture(dataset.machine, tests, labels, cache)


def _first_seed(cells: list[Cell]) -> list[Cell]:
    """Keep the cells of the smallest seed: scores of several trainings have no scale in common."""
    return [cell for cell in cells if cell.seed == min(one.seed for one in cells)]
