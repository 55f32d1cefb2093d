"""What scoring an archive costs, and whether it is the same archive after calls that were killed.

    python benchmarks/archive.py BUNDLE --section 00 [--hours 24] [--jobs 1] [--partition 512] [--kills 5] [--json]

Files of one hour of 16 kHz mono WAV are made in a temporary folder (115 MB each) and scored by `edge-asd score`:

- peak_bytes: the largest peak resident memory of any process that took part, everything counted.
- realtime_factor_core: seconds of sound by seconds of processor time, of all processes.
- realtime_factor: seconds of sound by seconds from the start to the end.
- nothing_left_s: what a call takes that finds all of it scored.
- bytes_read, bytes_written: of the whole call, by the kernel's count of what went through read and write.
- bytes_per_decision: of the table of scores.
- killed_at_s, equal: then it is scored again into another folder, killed (-9) at so many random moments and started
  again; whether both tables hold the same rows.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
from pyarrow import parquet  # noqa: E402

from benchmarks.watched import Watched  # noqa: E402

RATE = 16000
MINUTE = 60 * RATE
TABLES = ("scores", "files")


def make(folder: Path, hours: int) -> None:
    """Write a file for each hour: a minute of a machine's level, again and again."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    tone = 900 * np.sin(2 * np.pi * 200 / RATE * np.arange(MINUTE))
    minute = (tone + rng.normal(0, 300, MINUTE)).astype(np.int16)
    for hour in range(hours):
        with soundfile.SoundFile(folder / f"{hour:03}.wav", "w", RATE, 1, "PCM_16") as file:
            for number in range(60):
                file.write(np.roll(minute, 4001 * (60 * hour + number)))


def equal(one: Path, other: Path) -> bool:
    """Tell whether two folders of scores hold the same rows."""
    for table in TABLES:
        tables = [parquet.read_table(out / table, partitioning=None) for out in (one, other)]
        keys = ("file", "time_s") if table == "scores" else ("file",)
        first, second = (found.sort_by([(key, "ascending") for key in keys]) for found in tables)
        if not first.equals(second):
            return False
    return True


def kill_often(arguments: list[str], out: Path, seconds: float, kills: int) -> list[float]:
    """Kill calls at random moments that together last about as long as one that is not killed; end with a whole one."""
    rng, moments = random.Random(0), []
    for _ in range(kills):
        watched = Watched([*arguments, "--out", str(out)])
        moments.append(round(rng.uniform(0.2, 2 * seconds / (kills + 1)), 1))
        try:
            watched.process.wait(moments[-1])
        except subprocess.TimeoutExpired:
            watched.process.kill()
        watched.end()
    Watched([*arguments, "--out", str(out)]).end()
    return moments


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Make the archive and score it."""
    sound, out, again = folder / "sound", folder / "scores", folder / "again"
    make(sound, options.hours)
    given = {"--section": options.section, "--jobs": options.jobs, "--partition": options.partition}
    arguments = ["score", options.bundle, str(sound), *(str(word) for pair in given.items() for word in pair)]
    whole = Watched([*arguments, "--out", str(out)]).end()
    nothing = Watched([*arguments, "--out", str(out)]).end()
    seconds = options.hours * 3600
    decisions = whole["told"]["decisions"]
    figures = {
        "hours": options.hours,
        "jobs": options.jobs,
        "decisions": decisions,
        "partitions": whole["told"]["partitions"],
        "peak_bytes": whole["peak"],
        "realtime_factor_core": seconds / whole["cpu"],
        "realtime_factor": seconds / whole["seconds"],
        "nothing_left_s": nothing["seconds"],
        "bytes_read": whole["read"],
        "bytes_written": whole["written"],
        "bytes_per_decision": sum(path.stat().st_size for path in (out / "scores").iterdir()) / decisions,
    }
    print(json.dumps(figures), file=sys.stderr, flush=True)  # what follows takes as long again
    moments = kill_often(arguments, again, whole["seconds"], options.kills)
    return {**figures, "killed_at_s": moments, "equal": equal(out, again)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--section", default="00")
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--partition", type=float, default=512)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="edge-asd-archive-"))
    try:
        figures = measure(options, folder)
    finally:
        shutil.rmtree(folder)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:22} {value:,.2f}" if isinstance(value, float) else f"{name:22} {value}")


if __name__ == "__main__":
    main()
