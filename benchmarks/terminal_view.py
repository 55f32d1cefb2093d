"""What the monitor's terminal view costs.

    python benchmarks/terminal_view.py [--minutes 10] [--json]

For one, four and twelve sources, whose level changes with each status and whose score changes once a second, on a
pseudo-terminal of 80 by 24:

- cpu_percent_of_core: processor time as a share of the time shown, drawn twice a second (the default).
- ms_per_drawing: the same for one drawing.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import math
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from edge_asd.monitor.alarms import State  # noqa: E402
from edge_asd.monitor.decisions import Decision  # noqa: E402
from edge_asd.monitor.reports import Report, Status  # noqa: E402
from edge_asd.monitor.sinks.scene import Subject  # noqa: E402
from edge_asd.monitor.sinks.terminal import EVERY_S, TerminalView  # noqa: E402

LIMIT = 656_000
STATUSES_A_SECOND = 4


def measure(count: int, minutes: float) -> dict[str, float]:
    """Show so many sources for so long, as fast as it goes."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    seconds = 0.0
    begun = datetime.now(UTC)
    with (
        subprocess.Popen(["cat"], stdin=master, stdout=subprocess.DEVNULL) as reader,
        os.fdopen(slave, "w", encoding="utf-8") as stream,
    ):
        view = TerminalView(
            stream,
            {f"fan-{i}": Subject("fan", "dB²", "00") for i in range(count)},
            clock=lambda: begun + timedelta(seconds=seconds),
            tick=lambda: seconds,
            environment={"TERM": "xterm-256color"},
        )
        used = time.process_time()
        for turn in range(round(minutes * 60 * STATUSES_A_SECOND)):
            seconds = turn / STATUSES_A_SECOND
            for i in range(count):
                name = f"fan-{i}"
                if turn % STATUSES_A_SECOND == 0:
                    value = 9.7 + 0.2 * math.sin(turn / 37 + i) + (0.8 if turn % 2000 > 1000 else 0)
                    score = round(value * 65536)
                    decision = Decision(seconds, "00", score, LIMIT, score > LIMIT)
                    view.report(Report(decision, begun, name, State.healthy))
                level = -30 + 3 * math.sin(turn + i)
                view.status(Status(name, "00", State.healthy, seconds, level, level + 15, 0.02, 0.0, "USB Audio"))
            time.sleep(0.0005)  # so that the reader keeps up, and no drawing is left out
        used = time.process_time() - used
        view.close()
        reader.terminate()
    os.close(master)
    return {
        "sources": count,
        "cpu_percent_of_core": round(100 * used / (minutes * 60), 3),
        "ms_per_drawing": round(1000 * used / (minutes * 60 / EVERY_S), 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = [measure(count, arguments.minutes) for count in (1, 4, 12)]
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for one in figures:
        percent, milliseconds = one["cpu_percent_of_core"], one["ms_per_drawing"]
        print(f"{one['sources']:2} sources: {percent} % of a core, {milliseconds} ms a drawing")


if __name__ == "__main__":
    main()
