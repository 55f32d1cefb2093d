"""ROC curves and score histograms of one machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_asd.bundle.kinds import KINDS
from edge_asd.clips import DOMAINS
from edge_asd.train.figures.measures import Measures, pick
from edge_asd.train.figures.metrics import MAX_FPR
from edge_asd.train.report.drawing import BLUE, GREY, MODEL_COLOURS, ORANGE, Picture, as_svg, new_figure
from edge_asd.train.report.joined import join
from edge_asd.train.report.results import MODELS, SHORT, Cell

_ACROSS = 3
_BINS = 24
_STYLES = {"source": "-", "target": (0, (4, 2)), None: "-"}


def roc_picture(cells: Sequence[Cell], measures: Measures) -> Picture | None:
    """Draw the ROC curves of a machine, one panel a section, one line a model, domain and seed.

    Parameters
    ----------
    cells : sequence of Cell
        Of one machine, in their columns `Cell.official`.
    measures : Measures
        Tell which clips a domain's curve is of: those of its AUC.

    Returns
    -------
    picture : Picture or None
        None where no cell has both classes.
    """
    from sklearn.metrics import roc_curve

    drawn = [
        (
            cell,
            [label == "anomaly" for label in pick(joined.labels, row.auc)],
            pick(joined.scores(cell.official), row.auc),
        )
        for joined in join(cells, measures)
        for cell, row in joined.rows
    ]
    drawn = [(cell, anomaly, scores) for cell, anomaly, scores in drawn if len(set(anomaly)) == 2]
    sections = sorted({cell.section for cell, _, _ in drawn})
    if not sections:
        return None
    figure, panels = _panels(sections, height=3.1)
    for section, axes in panels.items():
        axes.axvspan(0, MAX_FPR, color=GREY, alpha=0.15, linewidth=0, label=f"range of the pAUC, up to {MAX_FPR:g}")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":", label="chance")
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        axes.set_title(f"section {section}", fontsize=10, loc="left")
        axes.set_xlabel("false-positive rate")
        axes.set_ylabel("true-positive rate")
    seeds = len({cell.seed for cell, _, _ in drawn})
    order = list(MODELS)
    for cell, anomaly, scores in sorted(drawn, key=lambda one: (order.index(one[0].model), one[0].domain or "")):
        x, y, _ = roc_curve(anomaly, scores)
        panels[cell.section].plot(
            x,
            y,
            color=MODEL_COLOURS[cell.model],
            linestyle=_STYLES[cell.domain],
            linewidth=1.5 if seeds == 1 else 1,
            alpha=1 if seeds == 1 else 0.75,
            label=f"{MODELS[cell.model]}, {cell.domain}" if cell.domain else MODELS[cell.model],
        )
    _legend(figure, panels.values(), columns=3 if len(sections) > 1 else 2)
    alt = f"ROC curves of {cells[0].machine}, sections {', '.join(sections)}; the AUC are in the tables above."
    return Picture(as_svg(figure), alt, _seeds_note(seeds))


def histogram_picture(cells: Sequence[Cell]) -> Picture | None:
    """Draw the score histograms of a machine and model, a row of panels a section, source beside target.

    Parameters
    ----------
    cells : sequence of Cell
        Of one machine, model and seed, in their columns `Cell.official`.

    Returns
    -------
    picture : Picture or None
        None where there is no clip.
    """
    cells = [cell for cell in cells if cell.clips]
    sections = sorted({cell.section for cell in cells})
    if not sections:
        return None
    domains = [domain for domain in (*DOMAINS, None) if any(cell.domain == domain for cell in cells)]
    figure = new_figure(0.3 + 3.2 * len(domains), 0.9 + 1.8 * len(sections))
    grid = figure.subplots(len(sections), len(domains), squeeze=False, sharex="row")
    panels = []
    for row, section in zip(grid, sections, strict=True):
        edges = _edges([cell for cell in cells if cell.section == section])
        for axes, domain in zip(row, domains, strict=True):
            cell = next((one for one in cells if (one.section, one.domain) == (section, domain)), None)
            axes.set_title(_place(section, domain), fontsize=10, loc="left")
            axes.spines[["top", "right"]].set_visible(False)
            if cell is None:
                axes.text(0.5, 0.5, "no test clips", ha="center", va="center", color=GREY, transform=axes.transAxes)
                axes.set_axis_off()
                continue
            panels.append(axes)
            _histogram(axes, cell, edges)
        row[0].set_ylabel("clips")
    for column in grid.T:
        [axes for axes in column if axes in panels][-1].set_xlabel(f"score [{KINDS[cells[0].model].unit}]")
    _legend(figure, panels, columns=2 * len(domains))
    first = cells[0]
    alt = (
        f"Histograms of the scores of {first.machine}, {MODELS[first.model]}: " + "; ".join(map(_in_words, cells)) + "."
    )
    return Picture(as_svg(figure), alt, f"{MODELS[first.model]}, seed {first.seed}, {SHORT[first.official]} scores")


def _histogram(axes: Any, cell: Cell, edges: Any) -> None:
    scores = np.array(cell.scores[cell.official])
    for label, style in (
        ("normal", {"color": BLUE, "alpha": 0.55, "fill": True}),
        ("anomaly", {"facecolor": ORANGE, "alpha": 0.6, "fill": True, "hatch": "///", "edgecolor": "#8a5a00"}),
        (None, {"color": GREY, "linewidth": 1.2}),
    ):
        mine = scores[[one == label for one in cell.labels]]
        if mine.size:
            axes.stairs(np.histogram(mine, edges)[0], edges, label=label or "label unknown", **style)
        if label == "normal" and mine.size:
            # Its outline stays in sight under the anomalies, where a printer knows no transparency.
            axes.stairs(np.histogram(mine, edges)[0], edges, color=BLUE, zorder=3)
    threshold = cell.thresholds.get(cell.official)
    if threshold is not None:
        axes.axvline(threshold, color="black", linestyle="--", linewidth=1.2, label="threshold")
    axes.set_ylim(bottom=0)
    axes.yaxis.get_major_locator().set_params(integer=True)
    # Scores that hardly differ: few long numbers, not an offset written across the axis's name.
    axes.ticklabel_format(axis="x", useOffset=False)
    if np.ptp(edges) < 0.01 * np.abs(edges).max():
        axes.xaxis.get_major_locator().set_params(nbins=2)


def _edges(cells: Sequence[Cell]) -> Any:
    """Return equal bins over the scores of a section, wide enough to be told apart."""
    scores = np.concatenate([cell.scores[cell.official] for cell in cells])
    low, high = float(scores.min()), float(scores.max())
    least = max(abs(low), abs(high), 1e-6) * 1e-6
    if high - low < least:
        low, high = low - least, high + least
    return np.linspace(low, high, _BINS + 1)


def _in_words(cell: Cell) -> str:
    scores = np.array(cell.scores[cell.official])
    parts = []
    for label in ("normal", "anomaly", None):
        mine = scores[[one == label for one in cell.labels]]
        if mine.size:
            parts.append(f"{mine.size} {label or 'of unknown label'}, median {np.median(mine):.4g}")
    threshold = cell.thresholds.get(cell.official)
    parts += [f"threshold {threshold:.4g}"] if threshold is not None else []
    return f"{_place(cell.section, cell.domain)}: {', '.join(parts)}"


def _place(section: str, domain: str | None) -> str:
    return f"section {section}, {domain}" if domain else f"section {section}"


def _panels(sections: Sequence[str], *, height: float) -> tuple[Any, dict[str, Any]]:
    """Return a figure of one panel a section, up to three in a row."""
    across = min(_ACROSS, len(sections))
    down = -(-len(sections) // across)
    figure = new_figure(max(3.2 * across, 4.6), 0.9 + height * down)
    return figure, {section: figure.add_subplot(down, across, i + 1) for i, section in enumerate(sections)}


def _legend(figure: Any, panels: Any, *, columns: int) -> None:
    """Name each kind of line once, below all panels."""
    handles: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=columns, frameon=False, fontsize=9
    )


def _seeds_note(seeds: int) -> str:
    return "" if seeds == 1 else f"One line for each of {seeds} seeds."
