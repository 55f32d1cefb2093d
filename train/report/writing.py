"""Writing the report: one HTML file that needs nothing else, and ``result.csv`` for each model and seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_asd.errors import DataError
from edge_asd.files import prepare_folder, write_atomically
from edge_asd.train.figures.official_csv import write_result
from edge_asd.train.report.figures import Figures
from edge_asd.train.report.page import Gallery, render
from edge_asd.train.report.pictures import MachinePictures
from edge_asd.train.report.results import Reproduction


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a report: `html`, and `results` by model and seed; and the figures in them."""

    html: Path
    results: dict[tuple[str, int], Path]
    figures: Figures


def write_report(
    reproduction: Reproduction, figures: Figures, out: Path, pictures: Sequence[MachinePictures]
) -> Written:
    """Write ``report.html``, and ``<model>/seed_<n>/result.csv`` in the published layout.

    Parameters
    ----------
    reproduction : Reproduction
    figures : Figures
        Of it.
    out : Path
        Folder; it is made if it is not there.
    pictures : sequence of MachinePictures
        Of each machine in its turn (`edge_asd.train.report.figures.machines_of`). Where those of clips are left out,
        the report says so.

    Returns
    -------
    written : Written

    Raises
    ------
    DataError
        If there is no result.
    OutputError
        If `out` cannot be written.
    """
    if not reproduction.cells:
        raise DataError("There are no results to report. Run edge-asd reproduce on data that has test clips.")
    prepare_folder(out)
    of_clips = [drawn.of_clips for drawn in pictures if drawn.of_clips is not None]
    spectrograms, scatters = ([pair[i] for pair in of_clips] for i in range(2))
    gallery = Gallery(
        [picture for picture in spectrograms if picture] if of_clips else None,
        [picture for picture in scatters if picture] if of_clips else None,
        {machine: drawn.roc for machine, drawn in zip(figures.machines, pictures, strict=True)},
        {machine: drawn.histograms for machine, drawn in zip(figures.machines, pictures, strict=True)},
        [picture for drawn in pictures for picture in drawn.heard],
    )
    html = out / "report.html"
    results = write_results_csv(figures, out)
    write_atomically(html, render(reproduction, figures, gallery).encode())
    return Written(html, results, figures)


def write_results_csv(figures: Figures, out: Path) -> dict[tuple[str, int], Path]:
    """Write ``<model>/seed_<n>/result.csv`` below `out`; return their paths by model and seed."""
    results = {}
    for (model, seed), rows in figures.official.items():
        results[model, seed] = out / model / f"seed_{seed}" / "result.csv"
        write_result(results[model, seed], rows, figures.measures)
    return results
