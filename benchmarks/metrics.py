"""How long `edge-asd metrics` takes, with its 95 % intervals and without.

    python benchmarks/metrics.py [--rows 1000000] [--cells 30] [--json]

- rows: clips, each with a score and a decision. Scores are continuous, and normal and
  anomalous clips overlap.
- seconds_with_intervals: the whole command, with as many resamples as it takes by default.
- seconds_without: the whole command with `--bootstrap 0`.
- peak_bytes: peak resident memory of the larger of both.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from edge_asd.clips import DOMAINS  # noqa: E402
from edge_asd.train.figures.score_files import decisions_name, scores_name, write_pairs  # noqa: E402


def write_files(folder: Path, rows: int, cells: int) -> None:
    """Write scores and decisions of `rows` clips, spread over machines, sections and domains."""
    rng = np.random.default_rng(0)
    for cell, size in enumerate(np.diff(np.linspace(0, rows, cells + 1).astype(int))):
        place = (f"machine{cell // 6}", f"{cell // 2 % 3:02d}", DOMAINS[cell % 2])
        anomaly = np.arange(size) % 2 == 1
        scores = rng.normal(size=size) + anomaly
        names = [
            f"section_{place[1]}_{place[2]}_test_{'anomaly' if flag else 'normal'}_{i:04d}.wav"
            for i, flag in enumerate(anomaly)
        ]
        write_pairs(folder / scores_name(*place), zip(names, scores.tolist(), strict=True))
        write_pairs(folder / decisions_name(*place), zip(names, (scores > 1).astype(int).tolist(), strict=True))


def run(folder: Path, *options: str) -> tuple[float, int]:
    """Run the command; return its seconds and the peak of its memory in bytes."""
    command = [sys.executable, "-m", "edge_asd", "metrics", str(folder), "--json", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return seconds, usage.ru_maxrss * 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--cells", type=int, default=30, help="sections and domains, all machines together")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), options.rows, options.cells)
        runs = [run(Path(folder)), run(Path(folder), "--bootstrap", "0")]
    figures = {
        "rows": options.rows,
        "seconds_with_intervals": runs[0][0],
        "seconds_without": runs[1][0],
        "peak_bytes": max(peak for _, peak in runs),
    }
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:26} {value:,.2f}" if isinstance(value, float) else f"{name:26} {value:,}")


if __name__ == "__main__":
    main()
