"""What a threshold that rests on few clips can promise."""

from __future__ import annotations

import math

from edge_asd.bundle.manifest import Threshold
from edge_asd.bundle.policy import Policy
from edge_asd.false_alarms import CONFIDENCE, alarms_per_day, alarms_text, upper_limit
from edge_asd.thresholds import FEW_CLIPS


def promise_text(threshold: Threshold, policy: Policy, span_s: float, interval_s: float) -> str:
    """Say it, as ``edge-asd calibrate`` does, and what makes it better; "" where the clips suffice.

    Parameters
    ----------
    threshold : Threshold
    policy : Policy
    span_s : float > 0 [s]
        Of a score.
    interval_s : float > 0 [s]
        Time between two decisions.
    """
    clips = sum(threshold.clips.values())
    if not 0 < clips < FEW_CLIPS:
        return ""
    share = upper_limit(_flagged(threshold, clips), clips)
    alarms = alarms_text(alarms_per_day(policy, span_s, share, interval_s))
    advice = (
        "Calibrate it on more sound: edge-asd calibrate --device NAME --minutes 30."
        if threshold.calibrated
        else "Calibrate it here: edge-asd calibrate --device NAME."
    )
    return (
        f"Its threshold rests on {clips} healthy clip{'s' if clips > 1 else ''} only: it promises that at most "
        f"{share:.0%} of healthy scores lie above it and raise at most {alarms} alarms a day (with "
        f"{100 * CONFIDENCE:g} % confidence). {advice}"
    )


def _flagged(threshold: Threshold, clips: int) -> int:
    """How many of the clips lie above it.

    Where a bundle does not tell, those that a quantile leaves: exact for clips of one domain without equal scores.
    """
    if threshold.false_positives is not None:
        return threshold.false_positives.flagged
    return math.floor(clips * (1 - threshold.quantile) + 1e-9)
