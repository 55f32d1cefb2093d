"""The demonstration: synthetic data through every stage, and a picture of a machine that fails."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.audio.recording_file import read_recording
from edge_asd.audio.stream import from_recording
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import OutputError
from edge_asd.files import prepare_folder
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.engine import Engine
from edge_asd.quantize.evaluation.cost import evaluate
from edge_asd.quantize.evaluation.cost_rows import Result
from edge_asd.quantize.jobs.alarm_picture import alarm_picture
from edge_asd.quantize.pipeline import quantise_run
from edge_asd.thresholds import Target
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.runs.fitting import Settings, train
from edge_asd.train.synthesis import make_dataset, make_turning_file

MACHINE, SECTION = "fan", "00"

FIT = Settings(epochs=5, batch_size=128, learning_rate=0.002)
"""As good on so few clips as thirty epochs of the published schedule, in a third of the time."""

_MARK = ".edge-asd-demo"

Step = Callable[..., None]
"""Called with a stage and, where they are known, (steps done, steps, detail)."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demonstration found and left.

    Attributes
    ----------
    results : list of Result
    auc_float, auc_shipped : float
        Means over sections and domains.
    change_s, alarm_s : float [s]
        When the monitored machine turns faulty, and the first decision over the threshold (None: never).
    bundle, csv_folder, picture : Path
    """

    results: list[Result]
    auc_float: float
    auc_shipped: float
    change_s: float
    alarm_s: float | None
    bundle: Path
    csv_folder: Path
    picture: Path

    @property
    def monitored_text(self) -> str:
        """What became of the monitored machine, in a sentence."""
        fault = f"the fault begins at {self.change_s:.1f} s"
        if self.alarm_s is None:
            return f"{fault}, and no decision was over the threshold."
        return f"{fault}, the first decision over the threshold came at {self.alarm_s:.1f} s."


def run(out: Path, *, seed: int = 0, progress: Step = lambda *_: None) -> Demo:
    """Make the data, train, quantise, evaluate and monitor, all below `out`.

    Raises
    ------
    OutputError
        If `out` holds something that no demo made, or cannot be written.
    """
    _clear(out)
    data, bundle_path, csv_folder = out / "data", out / "fan.easd", out / "results"
    make_dataset(
        data, preset="tiny", machine=MACHINE, seed=seed,
        progress=lambda done, total: progress("making a data set", done, total),
    )  # fmt: skip
    cache = FeatureCache(out / "cache")
    train(
        data, MACHINE, out / "run", replace(FIT, seed=seed), cache=cache,
        progress=lambda what, done, total, detail: progress(f"training: {what}", done, total, detail),
    )  # fmt: skip
    # The strictest quantile of few clips is their maximum: a decision over it should mean something.
    quantise_run(
        out / "run", data, bundle_path, target=Target("quantile", 1.0), cache=cache,
        progress=lambda step: progress(f"quantising: {step}"),
    )  # fmt: skip
    bundle = Bundle.load(bundle_path)
    evaluation = evaluate(
        bundle, data, csv_folder, cache=cache,
        progress=lambda what, done, total: progress(f"evaluating: {what}", done, total),
    )  # fmt: skip
    progress("monitoring a machine that fails")
    recording = out / "healthy_then_faulty.wav"
    change_s = make_turning_file(recording, section=SECTION, seed=seed)
    pcm = read_recording(recording).pcm
    decisions = _monitor(bundle, pcm)
    alarm_s = next((d.time_s for d in decisions if d.anomaly), None)
    picture = out / "alarm.png"
    alarm_picture(picture, pcm, bundle, decisions, change_s=change_s, alarm_s=alarm_s)
    return Demo(
        results=evaluation.results,
        auc_float=statistics.mean(r.auc_float for r in evaluation.results if r.auc_float is not None),
        auc_shipped=statistics.mean(r.auc_shipped for r in evaluation.results if r.auc_shipped is not None),
        change_s=change_s,
        alarm_s=alarm_s,
        bundle=bundle_path,
        csv_folder=csv_folder,
        picture=picture,
    )


def _monitor(bundle: Bundle, pcm: npt.NDArray[np.int16]) -> list[Decision]:
    engine = Engine(bundle, SECTION)
    return [d for block in from_recording(pcm, bundle.features.sample_rate) for d in engine.push(block)]


def _clear(out: Path) -> None:
    """Empty a folder that an earlier demo made; refuse any other that is not empty."""
    if out.exists() and not (out / _MARK).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out} exists and was not made by the demo. Choose another folder with --out.")
    if out.is_dir():
        shutil.rmtree(out)
    prepare_folder(out)
    (out / _MARK).touch()
