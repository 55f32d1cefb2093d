"""The picture of an evaluation: what the shipped arithmetic says of each clip against what floats say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_asd.clips import UNKNOWN_DOMAIN
from edge_asd.train.report.drawing import DOMAIN_COLOURS, GREY, new_figure

_MARKERS = {"source": "o", "target": "x", UNKNOWN_DOMAIN: "+"}


def agreement_picture(path: Path, scores: Sequence[tuple[str, float, float]], *, unit: str, title: str) -> None:
    """Draw shipped against float scores, given as (domain, float score, shipped score) a clip."""
    figure = new_figure(6, 6)
    axes = figure.add_subplot()
    values = [value for _, *pair in scores for value in pair]
    low, high = min(values), max(values)
    margin = 0.04 * (high - low or 1)
    ends = (low - margin, high + margin)
    axes.plot(ends, ends, color=GREY, linewidth=1, label="equal")
    for domain, colour in DOMAIN_COLOURS.items():
        pairs = [pair for name, *pair in scores if name == domain]
        if pairs:
            x, y = zip(*pairs, strict=True)
            axes.scatter(x, y, color=colour, marker=_MARKERS[domain], s=18, linewidths=1, label=domain)
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.set_xlabel(f"float features, float model [{unit}]")
    axes.set_ylabel(f"shipped: fixed point, int8 [{unit}]")
    axes.set_title(title, loc="left")
    axes.legend(loc="upper left", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
