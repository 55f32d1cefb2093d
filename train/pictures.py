"""Pictures for people, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.detectors.scores import score_value
from edge_asd.frontend import log_mel
from edge_asd.frontend.spec import DB_FRACTION_BITS, FeatureSpec
from edge_asd.frontend.tables import mel_edges
from edge_asd.monitor.engine import Decision

_RED, _BLUE, _GREY = "#c0392b", "#1f4e79", "#666666"


def alarm_picture(
    path: Path,
    pcm: npt.NDArray[np.int16],
    spec: FeatureSpec,
    decisions: Sequence[Decision],
    *,
    change_s: float,
    alarm_s: float | None,
) -> None:
    """Draw the score over time with its threshold, and the log-mel spectrogram under it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, width_ratios=[1, 0.02], height_ratios=[1, 1.1])
    top = figure.add_subplot(grid[0, 0])
    bottom = figure.add_subplot(grid[1, 0], sharex=top)

    seconds = pcm.size / spec.sample_rate
    times = [d.time_s for d in decisions]
    top.plot(times, [score_value(d.score) for d in decisions], color=_BLUE, marker="o", markersize=3, label="score")
    threshold = score_value(decisions[0].threshold)
    top.axhline(threshold, color=_RED, linestyle="--", linewidth=1, label="threshold")
    top.axvline(change_s, color=_GREY, linestyle=":", label="the fault begins")
    if alarm_s is not None:
        top.axvline(alarm_s, color=_RED, linewidth=1.5, label=f"alarm, {alarm_s - change_s:.1f} s later")
    top.set_ylabel("score of the last 10 s [dB²]")
    top.set_title("Monitoring a synthetic fan that turns from healthy to faulty", loc="left")
    top.legend(loc="upper left", frameon=False)
    top.spines[["top", "right"]].set_visible(False)
    top.tick_params(labelbottom=False)

    db = log_mel(pcm, spec).T / (1 << DB_FRACTION_BITS)
    low, high = np.percentile(db, [2, 99.8])
    image = bottom.imshow(
        db, origin="lower", aspect="auto", extent=(0, seconds, 0, spec.n_mels), vmin=low, vmax=high, cmap="magma"
    )
    bottom.axvline(change_s, color="white", linestyle=":")
    centres = mel_edges(spec)[1:-1]
    ticks = [hz for hz in (250, 500, 1000, 2000, 4000, 8000) if centres[0] <= hz <= centres[-1]]
    bottom.set_yticks(np.interp(ticks, centres, np.arange(spec.n_mels) + 0.5), [str(hz) for hz in ticks])
    bottom.set_ylabel("frequency, mel scale [Hz]")
    bottom.set_xlabel("time [s]")
    bottom.set_xlim(0, seconds)
    figure.colorbar(image, cax=figure.add_subplot(grid[1, 1]), label="log-mel power [dB]")
    figure.savefig(path)


def agreement_picture(path: Path, scores: Sequence[tuple[str, float, float]], *, unit: str, title: str) -> None:
    """Draw shipped against float scores, given as (domain, float score, shipped score) a clip."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    values = [value for _, *pair in scores for value in pair]
    low, high = min(values), max(values)
    margin = 0.04 * (high - low or 1)
    ends = (low - margin, high + margin)
    axes.plot(ends, ends, color=_GREY, linewidth=1, label="equal")
    for domain, colour, marker in (("source", _BLUE, "o"), ("target", _RED, "x")):
        pairs = [pair for name, *pair in scores if name == domain]
        if pairs:
            axes.scatter(*zip(*pairs, strict=True), color=colour, marker=marker, s=18, linewidths=1, label=domain)
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.set_xlabel(f"float features, float model [{unit}]")
    axes.set_ylabel(f"shipped: fixed point, int8 [{unit}]")
    axes.set_title(title, loc="left")
    axes.legend(loc="upper left", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
