"""The picture of what was heard: how the bands of flagged clips moved, and which of them their scores are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from edge_asd.heard.explaining import Explanation
from edge_asd.heard.ranges import Floats
from edge_asd.train.report.drawing import BLUE, GREY, VERMILLION, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TICKS = (100, 300, 1000, 3000, 10_000)


def heard_figure(
    sections: Mapping[str, tuple[Sequence[Explanation], Sequence[Explanation], Floats]],
    limits: Floats,
    *,
    title: str,
) -> Figure:
    """Draw a row for each section: level, unsteadiness, and how often each band is named.

    Parameters
    ----------
    sections : mapping of str to (flagged, others, named)
        Explanations of flagged clips and of some others; and the share of the flagged ones that each band is named for
        [shape=(n_mels,)].
    limits : ndarray, float64 [shape=(n_mels + 1,), Hz]
    title : str
    """
    figure = new_figure(11, 0.9 + 2.1 * len(sections))
    grid = figure.subplots(len(sections), 3, squeeze=False, sharex=True)
    middle = np.sqrt(limits[:-1] * limits[1:])
    for row, (section, (flagged, others, named)) in zip(grid, sections.items(), strict=True):
        for some, colour, label in ((others, BLUE, "not flagged"), (flagged, VERMILLION, "flagged")):
            if some:
                values = [one.level for one in some], [one.unsteadiness for one in some]
                for axes, of_clips in zip(row[:2], values, strict=True):
                    low, half, high = np.quantile(of_clips, (0.25, 0.5, 0.75), axis=0)
                    axes.fill_between(middle, low, high, color=colour, alpha=0.25, linewidth=0)
                    axes.plot(middle, half, color=colour, linewidth=1.2, label=f"{label} ({len(some)})")
        for axes in row[:2]:
            axes.axhline(0, color=GREY, linewidth=0.6)
        row[2].stairs(100 * named, limits, color=VERMILLION, fill=True)
        row[2].set_ylim(0, 100)
        row[0].set_ylabel(f"section {section}")
        row[0].legend(loc="best", frameon=False, fontsize=8)
        for axes in row:
            axes.set_xscale("log")
            axes.set_xlim(limits[1], limits[-1])
            ticks = [tick for tick in _TICKS if limits[1] < tick < limits[-1]]
            axes.set_xticks(ticks, [f"{tick / 1000:g} k" if tick >= 1000 else str(tick) for tick in ticks])
            axes.minorticks_off()
            axes.spines[["top", "right"]].set_visible(False)
    for axes, text in zip(
        grid[0],
        ("louder [dB]", "unsteadier [dB; 3 is twice]", "named by flagged clips [%]"),
        strict=True,
    ):
        axes.set_title(text, loc="left", fontsize=10)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    figure.supxlabel(
        "frequency [Hz]; against the healthy spectrum, median and middle half of the clips", fontsize=9, color=GREY
    )
    return figure
