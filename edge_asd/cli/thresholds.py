"""Thresholds as the commands take and tell them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from edge_asd.bundle.manifest import Threshold
from edge_asd.cli.common import finite

DEFAULT_QUANTILE = 0.9

QuantileOption = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        callback=finite,
        help=f"Share of healthy scores at or below the threshold; {DEFAULT_QUANTILE} by default.",
    ),
]
FalsePositiveRateOption = Annotated[
    float | None,
    typer.Option(
        metavar="RATE",
        min=0.0,
        max=1.0,
        callback=finite,
        help="Fit the threshold to this share of false alarms instead, and tell the exact 95 % interval of what it is.",
    ),
]
FalseAlarmsOption = Annotated[
    float | None,
    typer.Option(
        metavar="ALARMS",
        min=0.0,
        callback=finite,
        help="Fit it to so many false alarms a day at most instead, with 95 % confidence.",
    ),
]


def check_one_target(
    quantile: float | None, false_positive_rate: float | None, false_alarms_per_day: float | None = None
) -> None:
    """Refuse a quantile and a false-positive rate together: either says what the other would be."""
    given = {
        "--quantile": quantile,
        "--false-positive-rate": false_positive_rate,
        "--false-alarms-per-day": false_alarms_per_day,
    }
    if len(names := [name for name, value in given.items() if value is not None]) > 1:
        raise typer.BadParameter(f"give only one of {' and '.join(names)}")


def describe(threshold: Threshold, unit: str) -> str:
    """Tell a threshold and how it was fitted, in one line."""
    from edge_asd.detectors.scores import score_value

    clips = ", ".join(f"{n} {domain}" for domain, n in threshold.clips.items())
    fit = f"{threshold.method} {threshold.asked:g} of {clips} clips{_rate(threshold)}"
    return f"threshold {score_value(threshold.score):.2f} {unit} ({fit})"


def _rate(threshold: Threshold) -> str:
    found = threshold.false_positives
    if found is None:
        return ""
    return f"; {found.flagged} above it, {found.rate:.1%}, 95 % interval {found.low:.1%} to {found.high:.1%}"


def false_positives(threshold: Threshold) -> dict[str, Any] | None:
    """Return the false positives for programs; None where no rate was asked for."""
    found = threshold.false_positives
    return None if found is None else {**asdict(found), "rate": found.rate}
