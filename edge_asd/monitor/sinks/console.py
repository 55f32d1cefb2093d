"""Decisions on the standard output: a line each, for people or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from edge_asd.audio.stream import Break
from edge_asd.detectors.scores import told_apart
from edge_asd.monitor.engine import Decision


class Lines:
    """Prints a line a decision, for people.

    Parameters
    ----------
    unit : str
        Of the scores.
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit

    def __call__(self, decision: Decision) -> None:
        """Print `decision`."""
        score, threshold = told_apart(decision.score, decision.threshold)
        verdict = "ANOMALY" if decision.anomaly else "healthy"
        print(
            f"{decision.time_s:9.1f} s  section {decision.section}  score {score:>8} "
            f"{self._unit}  threshold {threshold}  {verdict}",
            flush=True,
        )


def json_lines(decision: Decision) -> None:
    """Print `decision` as one line of JSON."""
    print(json.dumps(asdict(decision)), flush=True)


def json_break(gap: Break, time_s: float) -> None:
    """Print a break of the stream, at the engine's `time_s` [s], as one line of JSON."""
    event = {
        "event": gap.event,
        "time": datetime.fromtimestamp(gap.clock).astimezone().isoformat(timespec="milliseconds"),
        "time_s": time_s,
        "seconds": round(gap.seconds, 3),
    }
    print(json.dumps(event), flush=True)
