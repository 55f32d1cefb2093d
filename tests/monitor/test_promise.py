"""What few clips can promise is told; many need no word."""

from __future__ import annotations

import math

import pytest

from edge_asd.bundle.manifest import Threshold
from edge_asd.bundle.policy import Policy
from edge_asd.monitor.promise import promise_text


def told(calibrated: bool = False, **clips: int) -> str:
    return promise_text(Threshold(1, "quantile", 0.9, clips, calibrated=calibrated), Policy(), 10.0, 1.0)


def test_eleven_clips_promise_little() -> None:
    # The one-sided limit, as of calibrate: p = 0.3644, of which 1 in 11 or fewer lie above a threshold in one of twenty
    # cases; 8640 * C(5, 4) * p^5 * (1-p)^2 alarms a day.
    assert math.isclose((1 - 0.3644) ** 11 + 11 * 0.3644 * (1 - 0.3644) ** 10, 0.05, abs_tol=1e-4)
    assert math.isclose(8640 * 5 * 0.3644**5 * 0.6356**2, 112.1, abs_tol=0.1)
    assert told(source=10, target=1) == (
        "Its threshold rests on 11 healthy clips only: it promises that at most 36% of healthy scores lie above it and "
        "raise at most 112 alarms a day (with 95 % confidence). Calibrate it here: edge-asd calibrate --device NAME."
    )


def test_what_was_calibrated_on_site_needs_more_sound() -> None:
    assert told(calibrated=True, source=12) == (
        "Its threshold rests on 12 healthy clips only: it promises that at most 34% of healthy scores lie above it and "
        "raise at most 84 alarms a day (with 95 % confidence). Calibrate it on more sound: edge-asd calibrate --device "
        "NAME --minutes 30."
    )


@pytest.mark.parametrize("clips", [{"source": 20}, {"source": 1000, "target": 20}, {}])
def test_many_need_no_word(clips: dict[str, int]) -> None:
    assert told(**clips) == ""


def test_one_clip_promises_nothing() -> None:
    assert told(source=1).startswith("Its threshold rests on 1 healthy clip only: it promises that at most 95% of ")
