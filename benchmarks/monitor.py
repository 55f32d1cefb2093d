"""How long the command line takes to start and how much memory the monitor needs.

    python benchmarks/monitor.py BUNDLE --section 00 [--microphone] [--json]

- help_s: `edge-asd --help`, wall time, median of 5.
- ready_s: from starting `edge-asd monitor` until it could score sound, median of 5: with --microphone
  until it says that it listens, otherwise until it has decided on ten seconds that wait on its standard input.
- peak_bytes: peak resident memory of the monitor over one minute of sound on its standard input.
- realtime_factor: seconds of sound that it handles in one second.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

EDGE_ASD = Path(sys.executable).with_name("edge-asd")
RATE = 16000


def sound(seconds: int) -> bytes:
    """Noise at a usual level."""
    return np.random.default_rng(0).normal(0, 1000, seconds * RATE).astype("<i2").tobytes()


def help_seconds() -> float:
    """Time `edge-asd --help`."""
    start = time.perf_counter()
    subprocess.run([EDGE_ASD, "--help"], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def monitor(arguments: list[str], data: bytes) -> tuple[float, float, int]:
    """Run the monitor on standard input; return seconds to its first line, seconds in all, peak bytes."""
    with subprocess.Popen(
        [EDGE_ASD, "monitor", *arguments, "--stdin", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        start = time.perf_counter()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(data[: 10 * RATE * 2])
        process.stdin.flush()
        process.stdout.readline()
        first = time.perf_counter() - start
        if len(data) > 10 * RATE * 2:
            process.stdin.write(data[10 * RATE * 2 :])
        process.stdin.close()
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        sys.exit("The monitor failed.")
    return first, time.perf_counter() - start, usage.ru_maxrss * 1024


def microphone_ready(arguments: list[str]) -> float:
    """Time until the monitor says that it listens to the default microphone."""
    start = time.perf_counter()
    with subprocess.Popen(
        [EDGE_ASD, "monitor", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        elapsed = time.perf_counter() - start
        process.kill()
    if not line.startswith("Listening"):
        sys.exit(line)
    return elapsed


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--section", default="00")
    parser.add_argument("--microphone", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    arguments = [options.bundle, "--section", options.section]
    ten, minute = sound(10), sound(60)
    first_s = [monitor(arguments, ten)[0] for _ in range(5)]
    first, total, peak = monitor(arguments, minute)
    figures = {
        "help_s": statistics.median(help_seconds() for _ in range(5)),
        "ready_s": statistics.median(microphone_ready(arguments) for _ in range(5))
        if options.microphone
        else statistics.median(first_s),
        "peak_bytes": peak,
        "realtime_factor": 50 / (total - first),
    }
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:16} {value:,.3f}" if isinstance(value, float) else f"{name:16} {value:,}")


if __name__ == "__main__":
    main()
