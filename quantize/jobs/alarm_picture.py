"""The picture of the demonstration: a machine that fails, its sound and its score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.scores import score_value
from edge_asd.frontend import log_mel
from edge_asd.frontend.spec import DB_FRACTION_BITS
from edge_asd.frontend.tables import mel_edges
from edge_asd.monitor.decisions import Decision
from edge_asd.train.report.drawing import BLUE, GREY, VERMILLION, new_figure


def alarm_picture(
    path: Path,
    pcm: npt.NDArray[np.int16],
    bundle: Bundle,
    decisions: Sequence[Decision],
    *,
    change_s: float,
    alarm_s: float | None,
) -> None:
    """Draw the score over time with its threshold, and the log-mel spectrogram under it.

    Parameters
    ----------
    path : Path
        PNG to write.
    pcm : ndarray, int16 [shape=(n,)]
        What was monitored, at the bundle's sample rate.
    bundle : Bundle
    decisions : sequence of Decision [length n >= 1]
        What the bundle's engine said of `pcm`.
    change_s, alarm_s : float [s]
        When the fault begins, and the first decision over the threshold (None: never).
    """
    figure = new_figure(10, 6)
    grid = figure.add_gridspec(2, 2, width_ratios=[1, 0.02], height_ratios=[1, 1.1])
    top = figure.add_subplot(grid[0, 0])
    bottom = figure.add_subplot(grid[1, 0], sharex=top)

    spec = bundle.features
    seconds = pcm.size / spec.sample_rate
    span = spec.sample_count(bundle.score_window_frames) / spec.sample_rate
    times = [d.time_s for d in decisions]
    top.plot(times, [score_value(d.score) for d in decisions], color=BLUE, marker="o", markersize=3, label="score")
    threshold = score_value(decisions[0].threshold)
    top.axhline(threshold, color=VERMILLION, linestyle="--", linewidth=1, label="threshold")
    top.axvline(change_s, color=GREY, linestyle=":", label="the fault begins")
    if alarm_s is not None:
        late = alarm_s - change_s
        when = f"{late:.1f} s later" if late >= 0 else f"{-late:.1f} s before"
        label = f"first decision over the threshold, {when}"
        top.axvline(alarm_s, color=VERMILLION, linewidth=1.5, label=label)
    top.set_ylabel(f"score of the last {span:.3g} s [{bundle.kind.unit}]")
    top.set_title(f"Monitoring a synthetic {bundle.machine} that turns from healthy to faulty", loc="left")
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
    figure.savefig(path, dpi=120)
