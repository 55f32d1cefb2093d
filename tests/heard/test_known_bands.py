"""Faults of a known band, mixed into sound that is not a synthetic machine's: noise that a fan might make."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from edge_asd.distance.blocks import Blocks
from edge_asd.distance.distance import scores
from edge_asd.distance.features import clip_features
from edge_asd.distance.parameters import LARGEST_MEAN, LEAST_MEAN, Centre, DistanceModel
from edge_asd.frontend import log_mel
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.heard.by_distance import heard_by_distance
from edge_asd.heard.moved import Moved
from edge_asd.heard.ranges import band_limits
from edge_asd.heard.words import heard_text
from edge_asd.quantize.evaluation.probe.faults import FAULTS, Band, fault_wave
from edge_asd.quantize.evaluation.probe.levels import mixed
from edge_asd.train.distance.fit import FitSettings, fit
from edge_asd.train.distance.integers import round_directions, to_integers
from edge_asd.train.synthesis.signals import coloured, hump

SPEC = FeatureSpec()
LIMITS = band_limits(SPEC)
SECONDS, CLIPS = 4, 24
BLOCKS = Blocks.of_span(SPEC.frame_count(SECONDS * SPEC.sample_rate))


def healthy(seed: int) -> npt.NDArray[np.int16]:
    """Noise whose loudness and colour differ from clip to clip."""
    rng = np.random.default_rng(seed)
    centre = 400 * 1.1 ** rng.standard_normal()
    wave = coloured(SECONDS * SPEC.sample_rate, rng, lambda f: hump(f, centre, 1.0, 1.0) + 0.02)
    return np.rint(600 * 1.3 ** rng.standard_normal() * wave / wave.std()).astype(np.int16)


def features(pcm: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    found: npt.NDArray[np.int16] = clip_features(log_mel(pcm, SPEC), BLOCKS)[0]
    return found


@cache
def model() -> tuple[DistanceModel, int]:
    """A detector, and the greatest score of clips that it was not fitted on."""
    clips = np.array([features(healthy(seed)) for seed in range(CLIPS)]) / 128
    fitted = to_integers(fit({"00": {"source": clips}}, FitSettings(directions=8)).model, BLOCKS)
    out = np.array([features(healthy(seed)) for seed in range(100, 110)])
    return fitted, int(scores(out, fitted.sections["00"], fitted.directions).max())


def heard(pcm: npt.NDArray[np.int16]) -> list[Moved]:
    fitted, _ = model()
    return heard_by_distance(features(pcm), fitted.sections["00"], fitted.directions, LIMITS)


def test_the_bands_named_are_those_of_the_fault() -> None:
    fitted, threshold = model()
    detected = right = 0
    for number, fault in enumerate(FAULTS * 3):
        rng = np.random.default_rng(number)
        middle = float(rng.uniform(300, 5000))
        band = Band("", middle / 2 ** (1 / 6), middle * 2 ** (1 / 6))
        clip = healthy(200 + number)
        wave = fault_wave(fault, clip.astype(np.float64), band, rng)
        assert wave is not None
        power = np.cumsum(np.abs(np.fft.rfft(wave)) ** 2)
        low, high = (np.searchsorted(power, share * power[-1]) / SECONDS for share in (0.05, 0.95))
        for level in (0, -12):
            mix = mixed(clip, wave, level)
            if mix is None or scores(features(mix)[None], fitted.sections["00"], fitted.directions)[0] <= threshold:
                continue
            found = heard(mix)
            detected += 1
            contained = any(one.low_hz <= low and high <= one.high_hz for one in found)
            right += contained and max(one.high_hz for one in found) <= 2.001 * min(one.low_hz for one in found)
    assert detected >= 18
    assert right >= 0.9 * detected


def test_a_tone_is_named_by_its_frequency_and_how_much_louder_it_is_than_the_rest_has_one_expect() -> None:
    clip = np.rint(2.0 * healthy(300)).astype(np.int16)  # the machine as a whole is 6 dB louder: no fault
    time = np.arange(len(clip)) / SPEC.sample_rate
    mix = clip + 400 * np.sin(2 * np.pi * 3000 * time)
    (one,) = heard(np.rint(mix).astype(np.int16))
    assert one.low_hz < 3000 < one.high_hz < 1.2 * one.low_hz
    assert "level" in one.ways
    before, now = (features(x)[:128] / 128 for x in (clip, np.rint(mix).astype(np.int16)))
    own = slice(int(np.searchsorted(LIMITS, one.low_hz)), int(np.searchsorted(LIMITS, one.high_hz)))
    truth = 10 * np.log10((10 ** (now[own] / 10)).sum() / (10 ** (before[own] / 10)).sum())
    assert abs(one.level_db - truth) < 2.0  # 24 clips teach no better
    assert heard_text([one]).startswith("3 kHz: ")
    assert f"{one.level_db:.0f} dB louder" in heard_text([one])
    assert 0.5 < one.share <= 1


def test_it_is_plain_json() -> None:
    values = json.loads(json.dumps([asdict(one) for one in heard(healthy(301))], allow_nan=False))
    assert all(
        set(one) == {"low_hz", "high_hz", "level_db", "unsteadiness", "share", "ways"} and type(one["ways"]) is list
        for one in values
    )


@pytest.mark.parametrize("weight", [0.5, 0.999, 0.99999999, 1.0, 1.0001, 1.5])
def test_directions_that_no_fit_makes_lead_to_no_error_and_to_numbers(weight: float) -> None:
    rows = np.linalg.qr(np.random.default_rng(5).standard_normal((256, 40)))[0].T * weight
    directions = round_directions(rows)
    for mean in (LEAST_MEAN, 0, LARGEST_MEAN):
        centre = Centre(np.full(256, mean, np.int16), 1)
        sound = np.random.default_rng(6).integers(LEAST_MEAN, LARGEST_MEAN + 1, 256).astype(np.int16)
        found = heard_by_distance(sound, {"source": centre}, directions, LIMITS)
        json.dumps([asdict(one) for one in found], allow_nan=False)
        assert all(one.unsteadiness > 0 and 0 <= one.share <= 1 for one in found)
        heard_text(found)
