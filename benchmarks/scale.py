"""How long many machines take on many workers: by the measured costs, and by a simulation of the cluster.

    python benchmarks/scale.py COSTS.json [--workers 10 --workers 100 ...] [--gigabytes 1.25] [--check] [--json]

COSTS.json is written by benchmarks/scale_costs.py. Two loads, of 1,000 machines each:

- score: a year of sound of each machine, 16 kHz mono WAV in files of an hour, one `edge-asd score` for each machine.
- train: a part for each machine, of the size of MIMII DUE (three sections of 1,003 training clips and 400 test clips),
  autoencoder (100 epochs) and MobileNetV2 (20 epochs) apart.

`hours_alone` is the work divided by the workers. The simulation (SimPy) has what that leaves out: one scheduler and
one client, which serve parts and told steps in turn; one storage, which reads in turn what all workers ask for, so
many gigabytes a second (`--gigabytes`); what a call takes before and after; and workers that have nothing to do when
the last parts of a call are under way. `busy` is the share of the workers' time that is work; `scheduler`, `client` and
`storage` are how much of theirs is taken. At 1 the rest waits for it.

`--check` runs parts that sleep on a real cluster of ten workers on this computer, and compares with the simulation of
the same.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import simpy  # noqa: E402

from edge_asd.archive.running import PART_MEGABYTES  # noqa: E402
from edge_asd.frontend.spec import FeatureSpec  # noqa: E402
from edge_asd.sweeps.cluster import TOLD_A_SECOND  # noqa: E402
from edge_asd.sweeps.parts import Voice  # noqa: E402
from edge_asd.sweeps.running import Where, sweep  # noqa: E402
from edge_asd.train.backend import TRAINING  # noqa: E402
from edge_asd.train.networks.baselines import BASELINES  # noqa: E402
from edge_asd.train.runs.schedule import epoch_windows  # noqa: E402

MACHINES = 1000
HOURS = 24 * 365
HOUR_BYTES = 3600 * 16000 * 2
CLIPS = 3 * (1003 + 400)
CLIP_BYTES = 10 * 16000 * 2
FIT_CLIPS = 3 * 1003
SLICES = 8
"""Into which a part's reading and work are cut, so that they take turns."""


@dataclass(frozen=True)
class Load:
    """Equal parts, in equal calls that follow one another."""

    name: str
    calls: int
    parts: int
    work_s: float
    read_bytes: float
    call_s: float


def loads(costs: dict[str, Any]) -> list[Load]:
    """Return what is to be done."""
    score, train = costs["score"], costs["train"]
    hours = math.ceil((PART_MEGABYTES << 20) / HOUR_BYTES)  # a partition is full with the file that reaches its size
    found = [
        Load(
            "score, a year of each machine",
            MACHINES,
            math.ceil(HOURS / hours),
            hours * score["cpu_s"],
            hours * HOUR_BYTES,  # read twice, but the second time from the memory of the computer that scores
            score["start_cpu_s"],
        )
    ]
    for model, cost in train.items():
        baseline = BASELINES[model]
        windows = epoch_windows(baseline, FeatureSpec(), FIT_CLIPS)
        work = windows * baseline.epochs * cost["window_s"] + CLIPS * cost["clip_s"]
        # A clip is read several times, and so are its features: again from the computer's memory, or its own cache.
        found.append(Load(f"train, {model}", 1, MACHINES, work, CLIPS * CLIP_BYTES, score["start_cpu_s"]))
    return found


@dataclass
class Cluster:
    """A scheduler, a client, a storage and workers, all simulated."""

    env: simpy.Environment
    overhead: dict[str, float]
    workers: int
    bytes_s: float

    def __post_init__(self) -> None:
        self.scheduler, self.client, self.storage = (simpy.Resource(self.env) for _ in range(3))
        self.taken = {"scheduler": 0.0, "client": 0.0, "storage": 0.0, "work": 0.0}
        self.every_s = max(1.0, self.workers / TOLD_A_SECOND)

    def serve(self, name: str, seconds: float) -> Iterator[Any]:
        """Wait for its turn, and for the time that it takes."""
        with getattr(self, name).request() as turn:
            yield turn
            yield self.env.timeout(seconds)
        self.taken[name] += seconds

    def told(self, steps: float) -> Iterator[Any]:
        """Pass steps on, at once: parts of hours tell too many to follow each."""
        yield from self.serve("scheduler", steps * self.overhead["told_scheduler_s"])
        yield from self.serve("client", steps * self.overhead["told_client_s"])

    def worker(self, load: Load, waiting: list[int]) -> Iterator[Any]:
        """Take part after part."""
        while waiting:
            waiting.pop()
            yield from self.serve("client", self.overhead["client_s"])
            yield from self.serve("scheduler", self.overhead["scheduler_s"])
            yield self.env.timeout(self.overhead["worker_s"])
            for _ in range(SLICES):
                yield from self.serve("storage", load.read_bytes / SLICES / self.bytes_s)
                yield self.env.timeout(load.work_s / SLICES)
                self.taken["work"] += load.work_s / SLICES
                self.env.process(self.told(load.work_s / SLICES / self.every_s))

    def call(self, load: Load) -> Iterator[Any]:
        """Do one call."""
        yield self.env.timeout(load.call_s)
        waiting = list(range(load.parts))
        yield simpy.AllOf(self.env, [self.env.process(self.worker(load, waiting)) for _ in range(self.workers)])


def simulate(load: Load, overhead: dict[str, float], workers: int, bytes_s: float) -> dict[str, float]:
    """Simulate one call, as all are alike, and reckon for all of them."""
    env = simpy.Environment()
    cluster = Cluster(env, overhead, workers, bytes_s)
    env.process(cluster.call(load))
    env.run()
    return {
        "workers": workers,
        "parts": load.calls * load.parts,
        "hours_alone": load.calls * load.parts * load.work_s / workers / 3600,
        "hours": load.calls * env.now / 3600,
        "busy": cluster.taken["work"] / workers / env.now,
        "scheduler": cluster.taken["scheduler"] / env.now,
        "client": cluster.taken["client"] / env.now,
        "storage": cluster.taken["storage"] / env.now,
    }


def sleeping(item: float, voice: Voice) -> None:
    """Sleep."""
    time.sleep(item)


def check(overhead: dict[str, float], workers: int = 10, parts: int = 400, work_s: float = 0.5) -> dict[str, float]:
    """Compare with a real cluster of workers that sleep, which a computer of few cores can have many of."""
    from tests.sweeps.test_cluster import running

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "dask").mkdir()
        with running(folder / "dask", workers) as (address, _):

            def run(count: int) -> float:
                start = time.perf_counter()
                given = [(str(number), work_s) for number in range(count)]
                where = Where(scheduler=address)
                sweep(given, sleeping, where, reads=[], writes=folder, alike=TRAINING, main="")
                return time.perf_counter() - start

            run(workers)  # what is imported the first time
            call_s, real = run(workers) - work_s, run(parts)
    load = Load("sleeping", 1, parts, work_s, 0, call_s)
    simulated = simulate(load, overhead, workers, math.inf)["hours"] * 3600
    return {
        "workers": workers,
        "parts": parts,
        "real_s": real,
        "simulated_s": simulated,
        "alone_s": parts * work_s / workers,
    }


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("costs", type=Path)
    parser.add_argument("--workers", type=int, action="append")
    parser.add_argument("--gigabytes", type=float, default=1.25)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    costs = json.loads(options.costs.read_text())
    rows = [
        {
            "load": load.name,
            "part_s": load.work_s,
            **simulate(load, costs["overhead"], workers, options.gigabytes * 1e9),
        }
        for load in loads(costs)
        for workers in options.workers or (10, 100, 1000)
    ]
    checked = check(costs["overhead"]) if options.check else None
    if options.json:
        print(json.dumps({"rows": rows, "check": checked}))
        return
    print(
        f"{'':32}{'part':>9}{'workers':>9}{'alone':>10}{'hours':>10}{'busy':>7}{'sched.':>8}{'client':>8}{'storage':>9}"
    )
    for row in rows:
        print(
            f"{row['load']:32}{row['part_s']:7,.0f} s{row['workers']:9,}{row['hours_alone']:10,.1f}"
            f"{row['hours']:10,.1f}{row['busy']:7.2f}{row['scheduler']:8.3f}{row['client']:8.3f}{row['storage']:9.3f}"
        )
    if checked:
        print(
            f"{checked['parts']:.0f} parts on {checked['workers']:.0f} workers that sleep: {checked['real_s']:.1f} s; "
            f"simulated {checked['simulated_s']:.1f} s; their sleep alone {checked['alone_s']:.1f} s."
        )


if __name__ == "__main__":
    main()
