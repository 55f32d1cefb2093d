"""What two jobs, and two workers of a Dask cluster, gain in a reproduction, and that they change no byte of it.

    python benchmarks/sweep.py [--machines fan,pump,...] [--epochs 5] [--seeds 2] [--kills 3] [--json]

Reproduces the synthetic set ``tiny`` with the autoencoder: by one job, by two, and on a Dask cluster of two worker
processes; then by two jobs, and on the cluster, with a process killed in the middle of each run (`--kills` of each
kind; 0 for none). Features are computed anew in every run. Wants an idle machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.sweeps.calling import children  # noqa: E402

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
RESULTS = ("results.json", "report.html", "ae/*/result.csv", "parts/*.json", "bundles/*.easd")


def edge_asd(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "edge_asd", *map(str, arguments)]


def results_hash(out: Path) -> str:
    """Return one SHA-256 of the results, by their names."""
    files = sorted(path for pattern in RESULTS for path in out.glob(pattern))
    lines = [f"{path.relative_to(out)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, Callable[[], list[int]]]]:
    """Run a cluster of two worker processes with one thread each; give its address, and what tells their numbers."""
    from distributed import Client, LocalCluster

    os.environ["PYTHONPATH"] = str(ROOT)
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            worker_dashboard_address=None,
            local_directory=str(folder),
        ) as made,
        Client(made) as client,
    ):
        yield made.scheduler_address, lambda: list(client.run(os.getpid).values())


def run(arguments: list[str], kill: Callable[[int], list[int]] | None = None) -> float:
    """Run a command; return how long it took. With `kill`, kill one of its processes when an epoch is done."""
    start = time.monotonic()
    process = subprocess.Popen(arguments, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if kill is not None and "training: epochs" in line:
            os.kill(kill(process.pid)[0], signal.SIGKILL)
            kill = None
    if process.wait():
        sys.exit("".join(said))
    if kill is not None:
        sys.exit("Nothing was killed.")
    return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", default="fan,gearbox,pump,slider,valve")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--data", type=Path, help="The set, where it is made already.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = options.data or folder / "tiny"
        if options.data is None:
            run(edge_asd("data", "synth", data))
        seconds: dict[str, float] = {}
        hashes: dict[str, str] = {}

        def reproduce(what: str, *where: str, kill: Callable[[int], list[int]] | None = None) -> None:
            given = ["--machine", options.machines, "--model", "ae", "--ae-epochs", options.epochs, "--int8"]
            out, cache = folder / what, folder / f"{what}-cache"
            command = edge_asd("reproduce", data, *given, "--seeds", options.seeds, "--out", out, "--cache", cache)
            seconds[what] = run([*command, *where], kill)
            hashes[what] = results_hash(out)
            print(f"{what}: {seconds[what]:.1f} s", file=sys.stderr, flush=True)

        reproduce("one-job")
        reproduce("two-jobs", "--jobs", "2")
        with cluster(folder / "workers") as (address, workers):
            reproduce("dask", "--scheduler", address)
            for number in range(options.kills):
                reproduce(f"dask-killed-{number}", "--scheduler", address, kill=lambda _: workers())
        for number in range(options.kills):
            reproduce(f"two-jobs-killed-{number}", "--jobs", "2", kill=children)
    figures = {
        "seconds": seconds,
        "two_jobs_gain": seconds["one-job"] / seconds["two-jobs"],
        "dask_gain": seconds["one-job"] / seconds["dask"],
        "same_bytes": len(set(hashes.values())) == 1,
        "sha256": hashes["one-job"],
    }
    if options.json:
        print(json.dumps(figures))
        return
    print(f"Two jobs are {figures['two_jobs_gain']:.2f} times as fast as one, Dask {figures['dask_gain']:.2f} times.")
    print(f"The results are {'' if figures['same_bytes'] else 'NOT '}the same bytes: {figures['sha256']}")
    sys.exit(0 if figures["same_bytes"] else 1)


if __name__ == "__main__":
    main()
