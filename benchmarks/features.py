"""How fast features are computed on more cores, and what memory a data set takes before training.

    python benchmarks/features.py [--clips 800] [--repeat 5] [--json] [--memory-only]

- clips_per_second_1, clips_per_second_2: ten-second clips in a second by one and two threads, from
  an empty cache. The median of the runs, which take turns.
- ratio: the second over the first; it needs two idle cores.
- ratio_by_cpu: what two idle cores would give at most, from the processor time that both ways take; it
  can be measured on a busy computer.
- listing_peak_bytes_100, listing_peak_bytes_1000: peak resident memory of a fresh process that lists a
  machine of that many clips and splits them.
- setup_peak_bytes_100, setup_peak_bytes_1000: the same, with features taken from the cache and windows set up.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from edge_asd.frontend.spec import FeatureSpec  # noqa: E402
from edge_asd.train.data.dataset import Clip, Dataset  # noqa: E402
from edge_asd.train.data.hashes import file_digest  # noqa: E402
from edge_asd.train.data.splits import split_training  # noqa: E402
from edge_asd.train.features.cache import FeatureCache  # noqa: E402
from edge_asd.train.features.store import ClipFeatures, FeatureStore  # noqa: E402
from edge_asd.train.features.windows import Windows  # noqa: E402

SPEC, FRAMES, SAMPLES = FeatureSpec(), 5, 160_000


def make_clips(root: Path, count: int, *, sparse: bool) -> list[Clip]:
    """Write ten-second clips: noise, or silence but for a few samples of their own."""
    rng = np.random.default_rng(0)
    folder = root / "fan" / "train"
    folder.mkdir(parents=True)
    for i in range(count):
        path = folder / f"section_00_source_train_normal_{i:04d}.wav"
        pcm = rng.integers(-3000, 3000, 100 if sparse else SAMPLES).astype("<i2")
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16000, SAMPLES, "NONE", ""))
            file.writeframesraw(np.concatenate([pcm, np.zeros(SAMPLES - pcm.size, "<i2")]).tobytes())
    return Dataset(root, "fan").clips


def speed(root: Path, count: int, repeat: int) -> dict[str, float]:
    """Compute the features of clips on one core and on two."""
    clips = make_clips(root / "data", count, sparse=False)
    rates: dict[int, list[float]] = {1: [], 2: []}
    cpu: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(repeat):
        for workers, found in rates.items():
            # None is removed before the end: ext4 looks long for places of files that were just removed.
            cache = FeatureCache(root / f"cache-{workers}-{turn}", workers=workers)
            start, used = time.perf_counter(), sum(os.times()[:4])
            cache.features(clips, SPEC, FRAMES)
            found.append(count / (time.perf_counter() - start))
            cpu[workers].append(sum(os.times()[:4]) - used)
    one, two = (statistics.median(found) for found in rates.values())
    return {
        "clips_per_second_1": one,
        "clips_per_second_2": two,
        "ratio": two / one,
        "ratio_by_cpu": 2 * statistics.median(cpu[1]) / statistics.median(cpu[2]),
    }


def memory(root: Path) -> dict[str, int]:
    """Measure fresh processes on data sets of 100 and 1,000 clips, whose features are in the cache."""
    figures = {}
    for count in (100, 1000):
        data, cache = root / f"data-{count}", root / f"cache-{count}"
        clips = make_clips(data, count, sparse=True)
        store, rng = FeatureStore(cache, SPEC), np.random.default_rng(1)
        frames = rng.integers(-1 << 22, 1 << 22, (SPEC.frame_count(SAMPLES), SPEC.n_mels), dtype=np.int32)
        for clip in clips:
            store.write(file_digest(clip.path), ClipFeatures(frames, -30.0))
        for what in ("listing", "setup"):
            command = [sys.executable, __file__, "--child", what, str(data), str(cache)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            figures[f"{what}_peak_bytes_{count}"] = int(done.stdout)
    return figures


def child(what: str, data: Path, cache: Path) -> None:
    """List, split and, for "setup", map features; print the peak of this process."""
    fit, held_back = split_training(Dataset(data, "fan").select(split="train"))
    if what == "setup":
        features = FeatureCache(cache).features([*fit, *held_back], SPEC, FRAMES)
        windows = Windows(features, FRAMES)
        assert len(windows) == (SPEC.frame_count(SAMPLES) - FRAMES + 1) * len(features)
    # Not getrusage: its figure starts with that of the process that started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(int(status["VmHWM"].split()[0]) * 1024)


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=800)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--memory-only", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures: dict[str, float] = {} if options.memory_only else speed(Path(folder), options.clips, options.repeat)
        figures |= memory(Path(folder))
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:26} {value:,.2f}" if isinstance(value, float) else f"{name:26} {value:,}")


if __name__ == "__main__":
    main()
