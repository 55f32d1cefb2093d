"""Digital gain against exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_asd.audio.gain import Gain, amplified
from edge_asd.audio.stream import Break, from_recording
from edge_asd.errors import AudioFormatError

ALL = np.arange(-32768, 32768).astype(np.int16)
GAINS = st.floats(-60, 60)


def exact(sample: int, factor: int) -> int:
    return max(-32768, min(32767, math.floor(Fraction(sample * factor, 1 << 24) + Fraction(1, 2))))


@given(GAINS, arrays(np.int16, st.integers(0, 300)))
def test_each_sample_is_rounded_and_kept_in_range(gain_db: float, pcm: np.ndarray) -> None:
    gain = Gain(gain_db)
    before = pcm.copy()
    out = gain.apply(pcm)
    assert out.dtype == np.int16
    assert out.tolist() == [exact(int(sample), gain.factor) for sample in pcm]
    assert np.array_equal(pcm, before)


@pytest.mark.parametrize("gain_db", [-20.5, -0.1, 6, 60])
def test_all_samples(gain_db: float) -> None:
    gain = Gain(gain_db)
    out = gain.apply(ALL)
    assert out.tolist() == [exact(sample, gain.factor) for sample in range(-32768, 32768)]
    assert np.all(np.diff(out.astype(int)) >= 0)
    within = np.abs(out.astype(int)) < 32767
    assert np.abs(out - ALL * 10 ** (gain_db / 20))[within].max() <= 0.5 + 32768 * 2**-25


@pytest.mark.parametrize(
    ("gain_db", "factor"),
    # 2^24*e(gain/20*l(10)), by bc -l
    [(-60, 16777), (-20, 1677722), (-6, 8408526), (0, 16777216), (1, 18824346), (6, 33474947), (60, 16777216000)],
)
def test_factors(gain_db: float, factor: int) -> None:
    assert Gain(gain_db).factor == factor


@given(GAINS)
def test_the_factor_is_the_power_in_decibel(gain_db: float) -> None:
    factor = Gain(gain_db).factor
    assert 20 * math.log10(factor / 2**24) == pytest.approx(gain_db, abs=3e-4)
    low, high = (math.log10((factor + half) / 2**24) * 20 for half in (-0.5, 0.5))
    assert low - 1e-9 <= gain_db <= high + 1e-9


@pytest.mark.parametrize("gain_db", [0, 0.0, -0.0, 1e-9])
def test_no_gain_is_the_same_array(gain_db: float) -> None:
    assert Gain(gain_db).apply(ALL) is ALL


@given(st.integers(1, 700), GAINS)
def test_blocks_do_not_matter_and_breaks_pass(block: int, gain_db: float) -> None:
    gap = Break("samples-lost", 7, 0.1, 1e9, "")
    out = list(amplified([*from_recording(ALL[::100], block), gap], gain_db))
    assert out.pop() is gap
    assert np.array_equal(np.concatenate(out), Gain(gain_db).apply(ALL[::100]))


@pytest.mark.parametrize("gain_db", [60.1, -60.1, math.inf, -math.inf, math.nan])
def test_a_gain_out_of_range_is_refused_at_once(gain_db: float) -> None:
    with pytest.raises(AudioFormatError, match=r"cannot be used: give -60 to 60 dB\."):
        amplified([], gain_db)
