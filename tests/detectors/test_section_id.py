from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import SCORE_MAX, mean_score
from edge_asd.detectors.section_id import SectionDetector, integer_log_odds, log_odds
from edge_asd.detectors.windowed import output_multiplier
from edge_asd.errors import BundleError
from edge_asd.frontend import log_mel
from edge_asd.monitor.engine import Engine
from tests.data import machine_sound

NAT = 1 << 16

scales = st.floats(2**-10, 20.0, width=32)


def logits(size: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(-128, 127), min_size=size, max_size=size)


@given(st.integers(2, 64).flatmap(logits), scales, st.data())
def test_the_score_is_the_log_odds(values, scale, data):
    own = data.draw(st.integers(0, len(values) - 1))
    found = int(integer_log_odds(np.array([values], np.int8), own, output_multiplier(scale))[0])
    z = np.array([values], np.float64) * scale
    p = np.exp(z - np.logaddexp.reduce(z, axis=1))[0]
    exact = float(log_odds(z, own)[0])
    if 1e-12 < p[own] < 1 - 1e-12:
        assert exact == pytest.approx(math.log((1 - p[own]) / p[own]), rel=1e-3, abs=1e-9)
    # The multiplier is rounded to 2^-24, and at most 255 steps of it count.
    assert abs(found / NAT - exact) <= 1e-4 + 2 / NAT + 255 * 2**-25


@given(logits(2), scales)
def test_of_two_classes_it_is_their_difference(values, scale):
    multiplier = output_multiplier(scale)
    found = integer_log_odds(np.array([values], np.int8), 0, multiplier)
    assert found.tolist() == [((values[1] - values[0]) * multiplier + 128) >> 8]


@given(st.permutations(range(1, 5)), logits(5))
def test_the_order_of_the_other_classes_does_not_matter(order, values):
    shuffled = [values[0], *(values[i] for i in order)]
    both = integer_log_odds(np.array([values, shuffled], np.int8), 0, 1 << 22)
    assert both[0] == both[1]


def test_the_largest_score_still_fits():
    values = np.full((2, 64), 127, np.int8)
    values[0, 0] = -128
    values[1, 1:] = -128
    high, low = integer_log_odds(values, 0, 2**31 - 1).tolist()
    reach = (255 * (2**31 - 1) + 128) >> 8
    assert high == pytest.approx(reach + math.log(63) * NAT, abs=8)
    assert high < SCORE_MAX
    assert low == pytest.approx(-reach + math.log(63) * NAT, abs=8)


def test_a_bundle_of_the_classifier_is_scored_by_it(section_bundle):
    detector = load_detector(section_bundle)
    assert isinstance(detector, SectionDetector)
    assert (section_bundle.classes, section_bundle.window_frames, section_bundle.window_hop) == (("00", "01"), 64, 8)
    frames = log_mel(machine_sound(np.random.default_rng(1), seconds=3.0), section_bundle.features)
    outputs = detector.run(detector.windows(detector.quantise(frames)))
    assert outputs.shape == (4, 2)
    scores = {section: detector.window_scores(frames, section) for section in ("00", "01")}
    for own, section in enumerate(("00", "01")):
        expected = integer_log_odds(outputs, own, section_bundle.output.multiplier)
        assert np.array_equal(scores[section], expected)
    # Two classes: what speaks for one speaks against the other.
    assert np.abs(scores["00"] + scores["01"]).max() <= 1


def test_the_monitor_says_what_the_clip_score_is(section_bundle):
    sound = machine_sound(np.random.default_rng(2), seconds=4.0)
    spec = section_bundle.features
    engine = Engine(section_bundle, "01", interval_s=0.1)
    decisions = list(engine.push(sound))
    scores = load_detector(section_bundle).window_scores(log_mel(sound, spec), "01")
    n = section_bundle.windows_per_score
    assert [d.score for d in decisions] == [mean_score(scores[i : i + n]) for i in range(len(scores) - n + 1)]
    assert engine.unit == "nat"


@pytest.mark.parametrize(
    ("change", "message"),
    [({"classes": ("00", "01", "02")}, "manifest describes int8"), ({"window_frames": 63}, "manifest describes int8")],
)
def test_a_model_that_is_not_the_manifests_is_refused(section_bundle, change, message):
    with pytest.raises(BundleError, match=message):
        load_detector(replace(section_bundle, **change))
