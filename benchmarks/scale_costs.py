"""What a part of each kind costs, and what handing it to a Dask cluster adds; benchmarks/scale.py reckons on with it.

    python benchmarks/scale_costs.py BUNDLE --out COSTS.json [--hours 9]

Writes one JSON document, with the time of processors in seconds, and sizes in bytes:

- score: of an hour of 16 kHz mono WAV, in files of an hour and partitions of 512 MB, by the bundle: `cpu_s` per hour,
  `start_cpu_s` per call (what a call takes that finds all of it scored), `read_bytes` and `written_bytes` per hour,
  `peak_bytes` of a process.
- train: of `reproduce --int8` on a synthetic fan of the preset `tiny`, by the autoencoder and MobileNetV2:
  `window_s` per window and epoch, `clip_s` per clip of what comes before and after (start, features, int8, scores), of
  two runs with other numbers of epochs; `read_bytes` and `written_bytes` per clip, of a run with a pump beside the fan,
  less one without, which leaves out what the libraries read; `peak_bytes`.
- overhead: of a part that does nothing, on a cluster of two workers: `scheduler_s`, `client_s` and `worker_s` per part,
  and `told_scheduler_s` and `told_client_s` per step that a worker tells. By the difference of many parts and few.

Wants an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.archive import make  # noqa: E402
from benchmarks.watched import Watched  # noqa: E402
from edge_asd.sweeps.parts import Voice  # noqa: E402
from edge_asd.sweeps.running import Where, sweep  # noqa: E402
from edge_asd.train.backend import TRAINING  # noqa: E402
from edge_asd.train.runs.run import Run  # noqa: E402
from edge_asd.train.runs.schedule import epoch_windows  # noqa: E402
from tests.sweeps.test_cluster import running, workers  # noqa: E402

EPOCHS = {"ae": (2, 12), "mobilenetv2": (1, 2)}
FEW, MANY, STEPS = 100, 1100, 20


def score_costs(bundle: str, hours: int, folder: Path) -> dict[str, float]:
    """Cost of an hour of sound."""
    make(folder / "sound", hours)
    call = ["score", bundle, str(folder / "sound"), "--section", "00", "--out", str(folder / "scores")]
    whole, nothing = Watched(call).end(), Watched(call).end()
    return {
        "cpu_s": (whole["cpu"] - nothing["cpu"]) / hours,
        "start_cpu_s": nothing["cpu"],
        "read_bytes": (whole["read"] - nothing["read"]) / hours,
        "written_bytes": (whole["written"] - nothing["written"]) / hours,
        "peak_bytes": whole["peak"],
    }


def train_costs(model: str, folder: Path) -> dict[str, float]:
    """Cost of a training, and of what is made of it."""
    data = folder / "tiny"
    if not data.exists():
        Watched(["data", "synth", str(data)]).end()

    def reproduced(epochs: int, machines: str = "fan") -> dict[str, float]:
        out = folder / f"{model}-{epochs}-{machines}"
        given = ["--machine", machines, "--model", model, f"--{model}-epochs", str(epochs), "--int8"]
        return Watched(["reproduce", str(data), "--out", str(out), "--cache", f"{out}-cache", *given]).end()

    taken = [reproduced(epochs) for epochs in EPOCHS[model]]
    both = reproduced(EPOCHS[model][0], "fan,pump")
    out = folder / f"{model}-{EPOCHS[model][1]}-fan"
    (run,) = (Run.load(path) for path in (out / "runs").iterdir())
    windows = epoch_windows(run.baseline, run.features, len(run.fit))
    epoch_s = (taken[1]["cpu"] - taken[0]["cpu"]) / (EPOCHS[model][1] - EPOCHS[model][0])
    clips, more = (sum(1 for _ in (data / machine).rglob("*.wav")) for machine in ("fan", "pump"))
    return {
        "window_s": epoch_s / windows,
        "clip_s": (taken[0]["cpu"] - EPOCHS[model][0] * epoch_s) / clips,
        "read_bytes": (both["read"] - taken[0]["read"]) / more,
        "written_bytes": (both["written"] - taken[0]["written"]) / more,
        "peak_bytes": max(one["peak"] for one in taken),
        "clips": clips,
        "windows": windows,
    }


def nothing(item: int, voice: Voice) -> int:
    """Do nothing."""
    return item


def telling(item: int, voice: Voice) -> int:
    """Do nothing, and tell steps of it."""
    for step in range(STEPS):
        voice.step(f"step {step}")
    return item


def cpu_of(process: int | str) -> float:
    """Time of processors that a process has taken [s]."""
    words = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def overhead_costs(folder: Path) -> dict[str, float]:
    """Cost of a part that does nothing."""
    (folder / "dask").mkdir()
    out = folder / "parts"
    out.mkdir()
    with running(folder / "dask") as (address, scheduler):
        processes = {"scheduler": [scheduler.pid], "client": ["self"], "worker": sorted(workers(address))}

        def taken(work: Any, count: int) -> dict[str, float]:
            before = {name: sum(map(cpu_of, found)) for name, found in processes.items()}
            parts = [(f"part {number}", number) for number in range(count)]
            found = sweep(
                parts,
                work,
                Where(scheduler=address),
                reads=[],
                writes=out,
                alike=TRAINING,
                main="",
            )
            assert found == list(range(count))
            return {name: sum(map(cpu_of, found)) - before[name] for name, found in processes.items()}

        taken(nothing, FEW)  # what is imported the first time
        few, many, told = taken(nothing, FEW), taken(nothing, MANY), taken(telling, MANY)
    each = {f"{name}_s": (many[name] - few[name]) / (MANY - FEW) for name in processes}
    steps = {f"told_{name}_s": (told[name] - many[name]) / (MANY * STEPS) for name in ("scheduler", "client")}
    return each | steps


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hours", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edge-asd-scale-") as name:
        folder = Path(name)
        costs: dict[str, Any] = {"overhead": overhead_costs(folder)}
        print(costs["overhead"], file=sys.stderr, flush=True)
        costs["score"] = score_costs(options.bundle, options.hours, folder)
        print(costs["score"], file=sys.stderr, flush=True)
        costs["train"] = {model: train_costs(model, folder) for model in EPOCHS}
    options.out.write_text(json.dumps(costs, indent=1) + "\n")
    print(json.dumps(costs))


if __name__ == "__main__":
    main()
