"""Time and page faults of a synthetic data set, with and without `keep_freed_memory`.

    python benchmarks/synthesis.py [--preset small] [--json]

Each case runs in a process of its own: what an allocator has learnt stays learnt.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from edge_asd.train.synthesis import writing  # noqa: E402
from edge_asd.train.synthesis.presets import PRESETS  # noqa: E402

KEEP, GIVE_BACK = "memory kept", "memory given back"


def measure(case: str, preset: str) -> dict[str, float]:
    """Make a data set in this process."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        if case == KEEP:
            writing.make_dataset(Path(folder), preset=preset)
        else:
            with mock.patch.object(writing, "keep_freed_memory"):
                writing.make_dataset(Path(folder), preset=preset)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": time.monotonic() - start, "system_seconds": usage.ru_stime, "page_faults": usage.ru_minflt}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", default="tiny", choices=sorted(PRESETS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--case", choices=(KEEP, GIVE_BACK), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(measure(arguments.case, arguments.preset)))
        return
    found = {}
    for case in (KEEP, GIVE_BACK):
        command = [sys.executable, __file__, "--preset", arguments.preset, "--case", case]
        found[case] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    if arguments.json:
        print(json.dumps(found))
        return
    for case, figures in found.items():
        print(f"{case:18}  " + "  ".join(f"{name} {value:.4g}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
