"""Decisions on the standard output: a line each, for people or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from edge_asd.detectors.scores import score_value
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
        verdict = "ANOMALY" if decision.anomaly else "healthy"
        print(
            f"{decision.time_s:9.1f} s  section {decision.section}  score {score_value(decision.score):8.2f} "
            f"{self._unit}  threshold {score_value(decision.threshold):.2f}  {verdict}",
            flush=True,
        )


def json_lines(decision: Decision) -> None:
    """Print `decision` as one line of JSON."""
    print(json.dumps(asdict(decision)), flush=True)
