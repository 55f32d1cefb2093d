from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from edge_asd.quantize.evaluation.probe.faults import BANDS, FAULTS, fault_wave

RATE = 16000


def clip(seed: int = 0, seconds: int = 4) -> np.ndarray:
    return np.rint(np.random.default_rng(seed).normal(scale=300, size=seconds * RATE))


def envelope(wave: np.ndarray, hz: float) -> np.ndarray:
    """Power over time, smoothed over a period of `hz`."""
    width = round(RATE / hz)
    return np.convolve(wave**2, np.full(width, 1 / width), "same")


def test_the_bands_are_octaves_without_gaps():
    assert all(lower.high_hz == upper.low_hz for lower, upper in pairwise(BANDS))
    assert [round(band.high_hz / band.low_hz, 2) for band in BANDS[:-1]] == [2.0] * 7
    assert (BANDS[0].low_hz, BANDS[-1].high_hz) == (44.2, 8000.0)
    assert (BANDS[5].name, BANDS[5].low_hz, BANDS[5].high_hz) == ("2 kHz", 1414.2, 2828.4)


@pytest.mark.parametrize("band", BANDS, ids=lambda band: band.name)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_unit_power_and_lies_in_its_band(fault, band):
    wave = fault_wave(fault, clip(), band, np.random.default_rng(1))
    assert wave is not None
    assert np.mean(wave**2) == pytest.approx(1, rel=1e-12)
    power = np.abs(np.fft.rfft(wave * np.hanning(wave.size))) ** 2
    hz = np.fft.rfftfreq(wave.size, 1 / RATE)
    # Swelling and falling back spreads sound by 4 Hz, a tenth of the lowest band.
    inside = power[(hz >= band.low_hz) & (hz <= band.high_hz)].sum() / power.sum()
    assert inside > (0.98 if fault == "unsteadiness" else 0.99)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_its_generators(fault):
    waves = [fault_wave(fault, clip(), BANDS[4], np.random.default_rng(seed)) for seed in (3, 3, 4)]
    assert np.array_equal(waves[0], waves[1])
    assert not np.array_equal(waves[0], waves[2])


def test_impacts_strike_at_their_rate():
    for seed in range(8):
        wave = fault_wave("impacts", clip(seconds=10), BANDS[7], np.random.default_rng(seed))
        loud = envelope(wave, 100) > 1
        strikes = np.count_nonzero(loud[1:] & ~loud[:-1]) + int(loud[0])
        assert 10 * 4 - 2 <= strikes <= 10 * 16 + 2


def test_unsteadiness_is_the_clips_own_band_swelling():
    own = clip(seconds=8)
    wave = fault_wave("unsteadiness", own, BANDS[6], np.random.default_rng(2))
    slow = np.abs(np.fft.rfft(envelope(wave, 50)))[1:]
    strongest = (1 + slow[: 8 * 20].argmax()) / 8  # Hz
    assert 1 <= strongest <= 4
    spectra = [np.fft.rfft(x)[8 * 3000 : 8 * 5500] for x in (own, wave)]
    # Of its power, a mean of 1 and a swing of 1 leave two thirds to what is in step with the clip.
    in_step = np.abs(np.vdot(*spectra)) / np.sqrt(np.prod([np.vdot(s, s).real for s in spectra]))
    assert in_step == pytest.approx(np.sqrt(2 / 3), abs=0.05)


def test_a_band_without_sound_cannot_be_unsteady():
    low = np.rint(3000 * np.sin(2 * np.pi * 100 * np.arange(2 * RATE) / RATE))
    assert fault_wave("unsteadiness", low, BANDS[7], np.random.default_rng(0)) is None
    assert fault_wave("unsteadiness", low, BANDS[1], np.random.default_rng(0)) is not None
    assert fault_wave("noise", low, BANDS[7], np.random.default_rng(0)) is not None
