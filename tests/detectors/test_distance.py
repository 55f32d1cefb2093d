"""The distance detector in a bundle: its scores are those of `edge_asd.distance`, however a stream is cut."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.distance import DistanceDetector
from edge_asd.detectors.loading import load_detector
from edge_asd.distance.distance import scores
from edge_asd.distance.features import clip_features
from edge_asd.errors import BundleError
from edge_asd.frontend import log_mel
from edge_asd.monitor.engine import Engine
from tests.golden.committed import made_sound


@pytest.fixture
def detector(distance_bundle: Bundle) -> DistanceDetector:
    found = load_detector(distance_bundle)
    assert isinstance(found, DistanceDetector)
    return found


@pytest.mark.parametrize("section", ["00", "01"])
def test_window_scores_are_the_spans_scores(section: str, detector: DistanceDetector, distance_bundle: Bundle) -> None:
    frames = log_mel(made_sound(1, 200), distance_bundle.features)
    model = detector.model
    expected = scores(clip_features(frames, model.blocks), model.sections[section], model.directions)
    found = detector.window_scores(frames, section)
    assert len(found) == distance_bundle.window_count(len(frames)) > 30
    assert found.tolist() == expected.tolist()
    assert detector.window_scores(frames[: distance_bundle.window_frames - 1], section).size == 0


@pytest.mark.parametrize("name", ["distance_bundle", "bundle"])
def test_a_stream_gives_the_same_however_it_is_cut(name: str, request: pytest.FixtureRequest) -> None:
    bundle: Bundle = request.getfixturevalue(name)
    frames = log_mel(made_sound(2, 330), bundle.features)
    detector, rng = load_detector(bundle), np.random.default_rng(1)
    whole = detector.window_scores(frames, "01").tolist()
    for most in (1, 3, 50, 400):
        stream, found, at = detector.follow("01"), [], 0
        while at < len(frames):
            step = int(rng.integers(0, most + 1))
            found += stream.push(frames[at : at + step]).tolist()
            at += step
        assert found == whole


def test_the_monitor_decides_where_a_block_ends(distance_bundle: Bundle, detector: DistanceDetector) -> None:
    spec, hop = distance_bundle.features, distance_bundle.window_hop
    pcm = made_sound(1, 330)
    found = Engine(distance_bundle, "01", interval_s=hop * spec.hop_length / spec.sample_rate).push(pcm)
    expected = detector.window_scores(log_mel(pcm, spec), "01").tolist()
    assert [decision.score for decision in found] == expected
    ends = [spec.sample_count(distance_bundle.window_frames + i * hop) / spec.sample_rate for i in range(len(expected))]
    assert [decision.time_s for decision in found] == ends


def test_a_section_that_it_does_not_know_is_refused(detector: DistanceDetector, distance_bundle: Bundle) -> None:
    frames = np.zeros((distance_bundle.window_frames, 128), np.int32)
    with pytest.raises(BundleError, match=r"no centre for section 05.*calibrate --adapt"):
        detector.window_scores(frames, "05")
