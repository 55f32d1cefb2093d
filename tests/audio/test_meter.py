"""The level of now and the peak, against what they are defined as."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge_asd.audio.health import level_db
from edge_asd.audio.meter import HOLD_SECONDS, NOW_SECONDS, Meter, peak_db

RATE = 16000
NOISE = np.random.default_rng(1).normal(0, 1000, 20 * RATE).astype(np.int16)


def fed(pcm: np.ndarray, block: int = 800) -> Meter:
    meter = Meter(RATE)
    for start in range(0, pcm.size, block):
        meter.push(pcm[start : start + block])
    return meter


def test_the_level_is_that_of_the_last_moment_and_the_peak_is_held() -> None:
    now = round(NOW_SECONDS * RATE)
    loud = NOISE.copy()
    loud[-now:] //= 4
    assert fed(loud).level_db == pytest.approx(level_db(loud[-now:]), abs=1e-4)
    click = NOISE // 100
    click[5 * RATE] = -32768
    assert fed(click).peak_db == pytest.approx(peak_db(int(np.abs(click[-10 * RATE :]).max())))
    assert fed(click[: 5 * RATE + 800]).peak_db == fed(click[: round((5 + HOLD_SECONDS) * RATE)]).peak_db == 0.0


def test_nothing_and_digital_silence_have_no_level() -> None:
    for meter in (Meter(RATE), fed(np.zeros(RATE, np.int16))):
        assert (meter.level_db, meter.peak_db) == (-math.inf, -math.inf)
        assert meter.bar(10) == "." * 10
    assert Meter(RATE).text() == "nothing heard yet"
    assert fed(np.zeros(RATE, np.int16)).text() == "now -inf dB, peak -inf dB"


def test_in_words_and_as_a_bar() -> None:
    half = np.tile(np.array([16384, -16384], np.int16), RATE)
    half[7] = 32767
    meter = fed(half)
    assert meter.text() == "now -6 dB, peak 0 dB"
    assert meter.bar(20) == "##################.|"
    quiet = fed(half // 512)
    assert quiet.text() == "now -60 dB, peak -54 dB"
    assert quiet.bar(20) == ".|.................."
