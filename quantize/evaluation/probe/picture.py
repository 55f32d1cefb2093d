"""The picture of what a detector would hear: a field for each fault and band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edge_asd.quantize.evaluation.probe.detection import Hearing
from edge_asd.quantize.evaluation.probe.faults import BANDS, FAULTS
from edge_asd.quantize.evaluation.probe.levels import LEVELS_DB
from edge_asd.train.report.drawing import GREY, new_figure

_LIGHT = -9  # dB: from here up the fields are light, and their letters dark


def hears_picture(path: Path, sections: Mapping[str, Sequence[Hearing]], *, title: str) -> None:
    """Draw the level from which on half of the clips are flagged, the nine tenths' level in letters beside it."""
    figure = new_figure(9, 0.9 + 1.9 * len(sections))
    low, high = LEVELS_DB[-1], LEVELS_DB[0]
    grid = figure.subplots(len(sections), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (section, group) in zip(grid, sections.items(), strict=True):
        levels = np.full((len(FAULTS), len(BANDS)), np.nan)
        for hearing in group:
            place = FAULTS.index(hearing.fault), BANDS.index(hearing.band)
            half = hearing.level_half_db
            if half is not None:
                levels[place] = half
            axes.text(
                place[1],
                place[0],
                hearing.levels_text,
                ha="center",
                va="center",
                fontsize=9,
                color="black" if half is None or half >= _LIGHT else "white",
            )
        image = axes.imshow(levels, cmap="viridis", vmin=low, vmax=high, aspect="auto")
        axes.set_facecolor("#dddddd")
        axes.set_yticks(range(len(FAULTS)), FAULTS)
        axes.set_xticks(range(len(BANDS)), [band.name for band in BANDS])
        axes.set_title(f"section {section}", loc="left", fontsize=10)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    figure.supxlabel(
        "level of a fault against the machine's own [dB] at which half / nine tenths of the clips are flagged; "
        "grey: not heard, or not tried",
        fontsize=9,
        color=GREY,
    )
    figure.colorbar(image, ax=list(grid), label="half [dB]")
    figure.savefig(path, dpi=120)
