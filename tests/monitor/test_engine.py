from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.detectors.scores import mean_score
from edge_asd.errors import BundleError
from edge_asd.frontend import log_mel
from edge_asd.monitor.engine import Engine
from tests.data import RATE, machine_sound


@pytest.fixture(scope="module")
def signal():
    rng = np.random.default_rng(1)
    healthy, faulty = machine_sound(rng, seconds=1.6), machine_sound(rng, seconds=1.4, faulty=True, noise=1500)
    return np.concatenate([healthy, faulty])


def decisions(bundle, blocks, section="00", **options):
    engine = Engine(bundle, section, **options)
    return [decision for block in blocks for decision in engine.push(block)]


@pytest.fixture(scope="module")
def whole(bundle, signal):
    return decisions(bundle, [signal], interval_s=0.1)


@settings(max_examples=25)
@given(cuts=st.lists(st.integers(0, 3 * RATE) | st.integers(24000, 24100), max_size=12))
def test_any_cutting_gives_the_same_decisions(bundle, signal, whole, cuts):
    blocks = np.split(signal, sorted(cuts))
    assert decisions(bundle, blocks, interval_s=0.1) == whole


@pytest.mark.parametrize("size", [100, 512, 1023, 4096])
def test_blocks_of_a_sound_cards_size_give_the_same_decisions(bundle, signal, whole, size):
    blocks = np.split(signal, range(size, len(signal), size))
    assert decisions(bundle, blocks, interval_s=0.1) == whole


def test_the_first_score_is_the_score_of_the_clip(bundle, signal):
    clip = signal[: bundle.features.sample_count(bundle.score_window_frames)]
    expected = mean_score(AutoencoderDetector(bundle).window_scores(log_mel(clip, bundle.features), "00"))
    (first,) = decisions(bundle, [clip])
    assert (first.score, first.section, first.time_s) == (expected, "00", clip.size / RATE)
    assert decisions(bundle, [clip[:-1]]) == []


@pytest.mark.parametrize("hop", [1, 2, 3, 5])
def test_every_score_is_the_mean_of_the_windows_that_end_there(bundle, signal, hop):
    bundle = replace(bundle, window_hop=hop)
    spec, n = bundle.features, bundle.windows_per_score
    scores = AutoencoderDetector(bundle).window_scores(log_mel(signal, spec), "00")
    ends = [spec.sample_count(bundle.window_frames + i * hop) / RATE for i in range(len(scores))]
    expected = {ends[i]: mean_score(scores[i - n + 1 : i + 1]) for i in range(n - 1, len(scores))}
    blocks = np.split(signal, range(700, len(signal), 700))
    found = {decision.time_s: decision.score for decision in decisions(bundle, blocks, interval_s=0.0)}
    assert found == expected
    assert len(expected) > 8


@pytest.mark.parametrize(("interval_s", "frames"), [(0.0, 1), (0.032, 1), (0.05, 2), (0.1, 3), (0.5, 16), (1.0, 31)])
def test_decisions_fall_every_interval_of_whole_frames(bundle, signal, interval_s, frames):
    first = bundle.score_window_frames
    ends = range(first, bundle.features.frame_count(len(signal)) + 1, frames)
    times = [decision.time_s for decision in decisions(bundle, [signal], interval_s=interval_s)]
    assert times == [(1024 + 512 * (end - 1)) / RATE for end in ends]


@pytest.mark.parametrize("hop", [2, 3])
def test_with_a_longer_hop_a_decision_comes_with_the_first_window_after_the_interval(bundle, signal, hop):
    bundle = replace(bundle, window_hop=hop)
    every = [d.time_s for d in decisions(bundle, [signal], interval_s=0.0)]
    found = [d.time_s for d in decisions(bundle, [signal], interval_s=10 * 512 / RATE)]
    wanted = [next(t for t in every if t >= every[0] + k * 10 * 512 / RATE - 1e-9) for k in range(len(found))]
    assert found == wanted
    assert len(found) >= 4


def test_only_a_score_above_the_sections_threshold_is_anomalous(bundle, signal, whole):
    i, score = sorted((d.score, i) for i, d in enumerate(whole))[len(whole) // 2][::-1]
    assert whole[0].score != score != whole[-1].score
    for limit, flagged in ((score - 1, True), (score, False)):
        thresholds = {"00": replace(bundle.thresholds["00"], score=limit), "01": bundle.thresholds["01"]}
        found = decisions(replace(bundle, thresholds=thresholds), [signal], interval_s=0.1)
        assert [d.anomaly for d in found] == [d.score > limit for d in whole]
        assert found[i].anomaly is flagged
        assert {d.threshold for d in found} == {limit}


def test_a_domains_own_threshold_decides_where_there_is_one(bundle, signal, whole):
    own = replace(bundle.thresholds["00"], score=whole[0].score - 1)
    thresholds = {**bundle.thresholds, "00": replace(bundle.thresholds["00"], domains={"target": own})}
    found = decisions(replace(bundle, thresholds=thresholds), [signal], domain="target", interval_s=0.1)
    assert {d.threshold for d in found} == {own.score}
    assert [d.anomaly for d in found] == [d.score > own.score for d in whole]
    assert decisions(replace(bundle, thresholds=thresholds), [signal], domain="source", interval_s=0.1) == whole


def test_sections_differ_only_in_their_threshold(bundle, signal, whole):
    other = decisions(bundle, [signal], section="01", interval_s=0.1)
    assert {d.section for d in other} == {"01"}
    assert {d.threshold for d in other} == {bundle.thresholds["01"].score} != {whole[0].threshold}
    assert [(d.time_s, d.score) for d in other] == [(d.time_s, d.score) for d in whole]
    with pytest.raises(BundleError, match=r"has no section 07\. It has: 00, 01"):
        Engine(bundle, "07")


@settings(max_examples=15)
@given(st.lists(st.integers(1, 60000), max_size=8))
def test_no_decision_rests_on_a_muted_input(bundle, cuts):
    sound = np.random.default_rng(5).integers(1, 2000, 14 * 16000, dtype=np.int16)
    sound[3 * 16000 : 9 * 16000] = 0
    places = [0, *sorted({cut for cut in np.cumsum(cuts).tolist() if cut < sound.size}), sound.size]
    engine = Engine(bundle, "00", interval_s=0.032)
    decisions = [d for a, b in itertools.pairwise(places) for d in engine.push(sound[a:b])]
    times = np.array([d.time_s for d in decisions])
    hop, span = 0.032, bundle.features.sample_count(bundle.score_window_frames) / 16000
    # Zeros from 3 s on are silence at 8 s; sound from 9 s on fills the span of a score a span later.
    gap = np.flatnonzero(np.diff(times) > 1.5 * hop)
    assert gap.size == 1
    assert times[gap[0]] < 8 <= times[gap[0]] + hop + 1e-9
    assert 9 + span <= times[gap[0] + 1] < 9 + span + hop
    assert engine.heard
    assert not engine.silent


def test_zeros_alone_are_never_judged(bundle):
    engine = Engine(bundle, "00")
    assert list(engine.push(np.zeros(4 * 16000, np.int16))) != []  # four seconds may yet be a pause
    assert not engine.silent
    late = list(engine.push(np.zeros(20 * 16000, np.int16)))
    assert [d.time_s for d in late if d.time_s >= 5] == []
    assert engine.silent
    assert not engine.heard
