"""What few clips can promise is told; many need no word."""

from __future__ import annotations

import math

import pytest

from edge_asd.bundle.manifest import Threshold
from edge_asd.bundle.policy import Policy
from edge_asd.monitor.promise import promise_text


def told(**clips: int) -> str:
    return promise_text(Threshold(1, "quantile", 0.9, clips), Policy(), 10.0, 1.0)


def test_eleven_clips_promise_little() -> None:
    # The upper end of the exact 95 % interval of 1 in 11, p = 0.413; 8640 * C(5, 4) * p^5 * (1-p)^2 alarms a day.
    assert math.isclose(8640 * 5 * 0.4128**5 * 0.5872**2, 178.5, abs_tol=0.5)
    assert told(source=10, target=1) == (
        "Its threshold rests on 11 healthy clips only: up to 41% of healthy scores may lie above it, and raise up to "
        "179 alarms a day. Calibrate it here: edge-asd calibrate --device."
    )


@pytest.mark.parametrize("clips", [{"source": 20}, {"source": 1000, "target": 20}, {}])
def test_many_need_no_word(clips: dict[str, int]) -> None:
    assert told(**clips) == ""


def test_one_clip_promises_nothing() -> None:
    assert told(source=1).startswith("Its threshold rests on 1 healthy clip only: up to 97% of healthy scores")
