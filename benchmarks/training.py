"""Memory and time of training and evaluation beside the published way, which copies every window out.

    python benchmarks/training.py [--clips 1000] [--repeat 5] [--json]

- ae_peak_bytes, mobilenetv2_peak_bytes: peak resident memory of an epoch's training on ten-second synthetic
  clips less that of the same on ten clips, each in a fresh process; MobileNetV2 runs a few steps of its
  epoch (--steps), whose batches are gathered from all clips.
- ae_in_memory_bytes, mobilenetv2_in_memory_bytes: the published arrays, from their shapes: float32, windows of
  313 padded frames at hop 1 and 8, the latter three channels deep.
- ae_epoch_s: median of an epoch's seconds with windows gathered from the cache.
- ae_in_memory_epoch_s: the same with plain model.fit on the array of the same vectors; epochs take turns.
- evaluate_s, evaluate_per_file_s: scoring a set of clips with the autoencoder, many clips to a batch, and by one
  model.predict call a file.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks.features import SAMPLES, SPEC, make_clips  # noqa: E402
from edge_asd.detectors.windowed import gather_windows  # noqa: E402
from edge_asd.train.data.hashes import content_hash, file_digest  # noqa: E402
from edge_asd.train.features.cache import FeatureCache  # noqa: E402
from edge_asd.train.features.store import ClipFeatures, FeatureStore  # noqa: E402
from edge_asd.train.features.windows import Windows, frames_db  # noqa: E402
from edge_asd.train.networks.baselines import BASELINES  # noqa: E402
from edge_asd.train.runs.run import Run  # noqa: E402

PUBLISHED_FRAMES = 313


def in_memory_bytes(model: str, clips: int) -> int:
    """Size of the array that the published code trains on."""
    baseline = BASELINES[model]
    windows = 1 + (PUBLISHED_FRAMES - baseline.window_frames) // baseline.training_hop
    channels = 3 if baseline.kind.classifies else 1
    return clips * windows * baseline.window_frames * SPEC.n_mels * channels * 4


def make_data(root: Path, count: int) -> tuple[Path, Path]:
    """Write clips of two sections, and their features into a cache: noise that no computing is needed for."""
    data, cache = root / f"data-{count}", root / f"cache-{count}"
    clips = make_clips(data, count, sparse=True)
    for clip in clips[::2]:
        clip.path.rename(clip.path.with_name(clip.path.name.replace("section_00", "section_01")))
    clips = make_dataset(data)
    store, rng = FeatureStore(cache, SPEC), np.random.default_rng(1)
    frames = rng.normal(-40, 8, (SPEC.frame_count(SAMPLES), SPEC.n_mels)) * 65536
    for clip in clips:
        store.write(file_digest(clip.path), ClipFeatures(frames.astype(np.int32), -30.0))
    return data, cache


def make_dataset(data: Path) -> list:
    """List the clips."""
    from edge_asd.train.data.dataset import Dataset

    return Dataset(data, "fan").clips


def fitting_of(model: str, data: Path, cache: Path, out: Path):  # type: ignore[no-untyped-def]
    """Set a run up as `edge_asd.train.runs.fitting.train` does."""
    from edge_asd.train.runs.epochs import Fitting

    baseline, clips = BASELINES[model], make_dataset(data)
    run = Run(
        machine="fan", model=model, sections=["00", "01"], classes=["00", "01"] if baseline.kind.classifies else [],
        negatives=[], faithful=False, features=SPEC, seed=0, epochs=1, batch_size=baseline.batch_size,
        learning_rate=baseline.learning_rate, data_hash=content_hash(clips), fit=[clip.key for clip in clips],
        held_back=[],
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    return Fitting(run, out, clips, [], FeatureCache(cache), lambda *_: None)


def child_peak(model: str, data: Path, cache: Path, steps: int) -> None:
    """Train, and print the peak of this process."""
    with tempfile.TemporaryDirectory() as out:
        fitting = fitting_of(model, data, cache, Path(out))
        network = fitting.new_model()
        fitting.fit_epoch(network, 0, steps=steps if model == "mobilenetv2" else None)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(int(status["VmHWM"].split()[0]) * 1024)


def peak(model: str, data: Path, cache: Path, steps: int) -> int:
    """Peak memory of a fresh process that trains."""
    command = [sys.executable, __file__, "--child", model, str(data), str(cache), str(steps)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def epochs(data: Path, cache: Path, repeat: int) -> dict[str, float]:
    """Train the autoencoder both ways, in turns."""
    with tempfile.TemporaryDirectory() as out:
        fitting = fitting_of("ae", data, cache, Path(out))
        ours, theirs = fitting.new_model(), fitting.new_model()
        features = FeatureCache(cache).features(make_dataset(data), SPEC, 5)
        windows = Windows(features, 5)
        x = windows.gather(np.arange(len(windows)))
        found: dict[str, list[float]] = {"ae_epoch_s": [], "ae_in_memory_epoch_s": []}
        for epoch in range(repeat + 1):  # the first traces and is not counted
            start = time.perf_counter()
            fitting.fit_epoch(ours, epoch)
            between = time.perf_counter()
            theirs.fit(x, x, batch_size=BASELINES["ae"].batch_size, shuffle=True, verbose=0)
            found["ae_epoch_s"].append(between - start)
            found["ae_in_memory_epoch_s"].append(time.perf_counter() - between)
    return {name: statistics.median(values[1:]) for name, values in found.items()}


def evaluation(data: Path, cache: Path, repeat: int) -> dict[str, float]:
    """Score all clips both ways."""
    from edge_asd.train.runs.scoring import FloatScorer

    with tempfile.TemporaryDirectory() as out:
        fitting = fitting_of("ae", data, cache, Path(out))
        model = fitting.new_model()
        features = FeatureCache(cache).features(make_dataset(data)[:200], SPEC, 5)
        scorer = FloatScorer(fitting.run, model)
        ours, theirs = [], []
        for _ in range(repeat + 1):
            start = time.perf_counter()
            one = scorer.clip_scores(features, ["00"] * len(features))
            between = time.perf_counter()
            other = []
            for clip in features:
                x = gather_windows(frames_db(clip.frames), 5, 1)
                other.append(np.mean(np.square(x - model.predict(x, verbose=0))))
            ours.append(between - start)
            theirs.append(time.perf_counter() - between)
            assert np.allclose(one, other, rtol=1e-4)
    return {"evaluate_s": statistics.median(ours[1:]), "evaluate_per_file_s": statistics.median(theirs[1:])}


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--child"]:
        child_peak(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many, few = make_data(folder, options.clips), make_data(folder, 10)
        for model in ("ae", "mobilenetv2"):
            difference = peak(model, *many, options.steps) - peak(model, *few, options.steps)
            figures[f"{model}_peak_bytes"] = difference
            figures[f"{model}_in_memory_bytes"] = in_memory_bytes(model, options.clips)
        small = make_data(folder / "small", min(options.clips, 200))
        figures |= epochs(*small, options.repeat) | evaluation(*small, options.repeat)
    if options.json:
        print(json.dumps(figures))
    else:
        for key, value in figures.items():
            print(f"{key:28} {value:,.3f}" if isinstance(value, float) else f"{key:28} {value:,}")


if __name__ == "__main__":
    main()
