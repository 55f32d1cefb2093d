"""How much memory two hours of sound in a file need, and how fast they are scored.

    python benchmarks/streaming.py BUNDLE --section 00 [--seconds 7200] [--json]

A WAV and a FLAC file of 16 kHz mono and of 48 kHz stereo are made in a temporary folder, and each is scored by a
process of its own, as `edge-asd monitor --wav` does:

- peak_bytes: its peak resident memory, everything counted.
- child_peak_bytes: that of the process in which libsndfile reads a FLAC file; 0 for WAV.
- first_s: until the first decision, after the whole file was looked through.
- realtime_factor: seconds of sound that it handles in one second, from its start to its end.
- cpu_percent_of_core_at_realtime: processor time of both processes by seconds of sound.
- growth_bytes: its peak less that of the same run on a tenth of the file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

PIECE_SECONDS = 10
KINDS = [("wav", 16000, 1), ("wav", 48000, 2), ("flac", 16000, 1), ("flac", 48000, 2)]
SCORE = """
import json, resource, sys, time
start = time.perf_counter()
from pathlib import Path
from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.sources.files import FileSource
from edge_asd.monitor.sources.source import Delivery
bundle = Bundle.load(Path(sys.argv[1]))
engine, decisions, first = Engine(bundle, sys.argv[2]), 0, None
with FileSource("file", Delivery(sample_rate=bundle.features.sample_rate), Path(sys.argv[3])) as source:
    for block in source.sound():
        decisions += len(engine.hear(block))
        if decisions and first is None:
            first = time.perf_counter() - start
elapsed = time.perf_counter() - start
from edge_asd.audio import libsndfile
def peak(process):  # not ru_maxrss, which goes on from the process that started this one
    text = Path(f"/proc/{process}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) * 1024
figures = {"peak": peak("self"), "child": sum(peak(worker._process.pid) for worker in libsndfile._idle)}
libsndfile._end_idle()
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
figures |= {"first": first, "elapsed": elapsed, "cpu": sum(who.ru_utime + who.ru_stime for who in used)}
print(json.dumps({**figures, "decisions": decisions}))
"""


def make(path: Path, seconds: int, rate: int, channels: int) -> None:
    """Write noise of a machine's level, in pieces of ten seconds."""
    import soundfile

    rng = np.random.default_rng(0)
    piece = rng.normal(0, 1000, (PIECE_SECONDS * rate, channels)).astype(np.int16)
    with soundfile.SoundFile(path, "w", rate, channels, "PCM_16") as file:
        for _ in range(seconds // PIECE_SECONDS):
            file.write(np.roll(piece, int(rng.integers(rate)), axis=0))


def score(bundle: str, section: str, path: Path) -> dict[str, float]:
    """Score a file in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", SCORE, bundle, section, path], stdout=subprocess.PIPE, text=True, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure(bundle: str, section: str, seconds: int, suffix: str, rate: int, channels: int) -> dict[str, object]:
    """Make a file and score it."""
    with tempfile.TemporaryDirectory() as folder:
        long, short = Path(folder) / f"long.{suffix}", Path(folder) / f"short.{suffix}"
        make(long, seconds, rate, channels)
        make(short, seconds // 10, rate, channels)
        whole, tenth = score(bundle, section, long), score(bundle, section, short)
    return {
        "file": f"{suffix} {rate} Hz, {channels} ch",
        "seconds": seconds,
        "peak_bytes": whole["peak"],
        "child_peak_bytes": whole["child"],
        "growth_bytes": whole["peak"] - tenth["peak"],
        "first_s": whole["first"],
        "realtime_factor": seconds / whole["elapsed"],
        "cpu_percent_of_core_at_realtime": 100 * whole["cpu"] / seconds,
        "decisions": whole["decisions"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--section", default="00")
    parser.add_argument("--seconds", type=int, default=7200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [measure(options.bundle, options.section, options.seconds, *kind) for kind in KINDS]
    if options.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(
            f"{row['file']:20} {row['peak_bytes'] / 2**20:6.1f} MB (child {row['child_peak_bytes'] / 2**20:5.1f} MB, "  # type: ignore[operator]
            f"growth {row['growth_bytes'] / 2**20:5.1f} MB), first decision after {row['first_s']:5.1f} s, "  # type: ignore[operator]
            f"{row['realtime_factor']:6.1f} times real time, {row['cpu_percent_of_core_at_realtime']:.2f} % of a core"
        )


if __name__ == "__main__":
    main()
