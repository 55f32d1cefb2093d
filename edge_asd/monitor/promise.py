"""What a threshold that rests on few clips can promise."""

from __future__ import annotations

from edge_asd.binomial import clopper_pearson
from edge_asd.bundle.manifest import Threshold
from edge_asd.bundle.policy import Policy
from edge_asd.false_alarms import alarms_per_day
from edge_asd.thresholds import FEW_CLIPS


def promise_text(threshold: Threshold, policy: Policy, span_s: float, interval_s: float) -> str:
    """Say it, and what makes it better; "" where the clips suffice.

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
    over = round(clips * (1 - threshold.quantile))
    share = clopper_pearson(over, clips)[1]
    alarms = alarms_per_day(policy, span_s, share, interval_s)
    told = f"{alarms:.0f}" if alarms >= 10 else f"{alarms:.1f}"
    return (
        f"Its threshold rests on {clips} healthy clip{'s' if clips > 1 else ''} only: up to {share:.0%} of healthy "
        f"scores may lie above it, and raise up to {told} alarms a day. Calibrate it here: "
        "edge-asd calibrate --device."
    )
