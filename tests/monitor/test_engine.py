from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.audio.health import dead_stretches
from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import mean_score
from edge_asd.errors import BundleError, EdgeAsdError
from edge_asd.frontend import log_mel
from edge_asd.monitor.decisions import Condition, InputChange
from edge_asd.monitor.engine import Engine
from tests.data import RATE, machine_sound
from tests.golden.committed import NAMES


@pytest.fixture(scope="module")
def bundle():
    return Bundle.load(NAMES["ae"])


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
    expected = mean_score(load_detector(bundle).window_scores(log_mel(clip, bundle.features), "00"))
    (first,) = decisions(bundle, [clip])
    assert (first.score, first.section, first.time_s) == (expected, "00", clip.size / RATE)
    assert decisions(bundle, [clip[:-1]]) == []


@pytest.mark.parametrize("hop", [1, 2, 3, 5])
def test_every_score_is_the_mean_of_the_windows_that_end_there(bundle, signal, hop):
    bundle = replace(bundle, window_hop=hop)
    spec, n = bundle.features, bundle.windows_per_score
    scores = load_detector(bundle).window_scores(log_mel(signal, spec), "00")
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


# --- Dead input


def lines(seed: int) -> dict[str, np.ndarray]:
    """Twenty seconds each of inputs that are dead."""
    n, rng = 20 * RATE, np.random.default_rng(seed)
    clicks = rng.integers(-1, 2, n)
    clicks[3 * RATE :: 3 * RATE] = 20_000
    dead = {"zeros": np.zeros(n), "offset": np.full(n, -1), "dither": 5 + rng.integers(-1, 2, n), "clicks": clicks}
    return {name: line.astype(np.int16) for name, line in dead.items()}


def noise(seconds: float, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).integers(-2000, 2000, round(seconds * RATE), dtype=np.int16)


@pytest.mark.parametrize(
    ("name", "kind"), [("mobilenetv2", "clicks"), *(("ae", kind) for kind in ("zeros", "offset", "dither", "clicks"))]
)
def test_decisions_are_those_whose_span_holds_nothing_dead(name, kind):
    bundle, line = Bundle.load(NAMES[name]), lines(1)[kind]
    span, hop = bundle.score_samples, bundle.window_hop * bundle.features.hop_length
    # Dead lines, and others that are too short to be dead.
    parts = [noise(4), line[:7999], noise(0.3, 6), line[: 6 * RATE], noise(5, 7), line[:RATE], noise(0.2), line[:7000]]
    pcm = np.concatenate(parts)
    dead = dead_stretches(pcm, RATE)
    assert len(dead) == 2
    scores = load_detector(bundle).window_scores(log_mel(pcm, bundle.features), "00")
    first = bundle.features.sample_count(bundle.window_frames)
    expected = []
    for i in range(bundle.windows_per_score - 1, len(scores)):
        end = first + i * hop
        if not any(start + RATE // 100 <= end and stop > end - span for start, stop in dead):
            expected.append((end / RATE, mean_score(scores[i + 1 - bundle.windows_per_score : i + 1])))
    assert len(expected) > 10
    for size in (333, 16_000, pcm.size):
        engine = Engine(bundle, "00", interval_s=0.0)
        found = [d for block in np.split(pcm, range(size, pcm.size, size)) for d in engine.push(block)]
        assert [(d.time_s, d.score) for d in found + engine.finish()] == expected
        assert engine.withheld == len(scores) - bundle.windows_per_score + 1 - len(expected)


@settings(max_examples=20)
@given(
    st.integers(2 * RATE, 4 * RATE),
    st.sampled_from(["zeros", "offset", "dither", "clicks"]),
    st.lists(st.integers(1, 60000), max_size=8),
)
def test_a_muted_microphone_raises_no_alarm_whenever_it_is_muted(bundle, when, kind, cuts):
    span = bundle.score_samples
    sound = np.concatenate([noise(5)[:when], lines(2)[kind][: 4 * RATE], noise(3, 6)])
    places = [0, *sorted({cut for cut in np.cumsum(cuts).tolist() if cut < sound.size}), sound.size]
    engine = Engine(bundle, "00", interval_s=0.032)
    ends = [round(d.time_s * RATE) for a, b in itertools.pairwise(places) for d in engine.push(sound[a:b])]
    before, after = [e for e in ends if e < when + RATE // 100], [e for e in ends if e >= when + RATE // 100]
    assert when - 512 < max(before)
    assert when + 4 * RATE + span <= min(after) < when + 4 * RATE + span + 512 + 8
    assert not engine.dead


def test_a_decision_waits_while_the_input_may_yet_be_dead(bundle):
    engine = Engine(bundle, "00", interval_s=0.032)
    first = engine.push(noise(2))
    assert first[-1].time_s > 1.9
    waiting = engine.push(np.zeros(7999, np.int16))
    assert all(decision.time_s < 2.01 for decision in waiting)
    late = engine.push(noise(0.1))
    times = [decision.time_s for decision in first + waiting + late + engine.finish()]
    assert np.allclose(np.diff(times), 0.032)
    assert times[-1] > 2.55
    assert engine.withheld == 0


def test_what_waits_at_the_end_is_decided(bundle):
    pcm = np.concatenate([noise(1.2), np.zeros(7000, np.int16)])[: bundle.score_samples]
    engine = Engine(bundle, "00")
    assert engine.push(pcm) == []
    (decision,) = engine.finish()
    assert decision.score == mean_score(load_detector(bundle).window_scores(log_mel(pcm, bundle.features), "00"))
    assert engine.finish() == []


def test_nothing_is_lost_where_what_is_returned_is_left_alone(bundle, signal, whole):
    engine = Engine(bundle, "00", interval_s=0.1)
    half = signal.size // 2
    engine.push(signal[:half])
    rest = engine.push(signal[half:])
    assert rest == whole[-len(rest) :] != []


@pytest.mark.parametrize("kind", ["zeros", "offset", "dither", "clicks"])
def test_a_dead_input_alone_is_never_judged(bundle, kind):
    engine = Engine(bundle, "00")
    assert engine.push(lines(3)[kind]) == engine.finish() == []
    assert engine.dead
    assert engine.withheld == 19


def test_only_mono_int16_is_taken(bundle):
    for wrong in (np.zeros(10), np.zeros((10, 2), np.int16), np.zeros(0)):
        with pytest.raises(EdgeAsdError, match="mono int16"):
            Engine(bundle, "00").push(wrong)


def test_behind_a_gap_all_is_as_with_a_new_engine_but_for_the_time(bundle, signal, whole):
    engine = Engine(bundle, "00", interval_s=0.1)
    cut, missing = 31_111, 123_456_789_012  # samples beyond what 32 bits count
    before = engine.push(signal[:cut]) + engine.skip(missing)
    assert before == [decision for decision in whole if decision.time_s <= cut / RATE]
    assert engine.time_s == (cut + missing) / RATE
    after = engine.push(signal) + engine.finish()
    late = [replace(decision, time_s=(round(decision.time_s * RATE) + cut + missing) / RATE) for decision in whole]
    assert after == late != []


def test_a_gap_decides_what_waits_and_ends_a_dead_stretch(bundle):
    engine = Engine(bundle, "00", interval_s=0.032)
    heard = engine.push(np.concatenate([noise(2), np.zeros(7000, np.int16)]))
    waiting = engine.skip(0)
    assert waiting[0].time_s == pytest.approx(heard[-1].time_s + 0.032)
    engine.push(np.zeros(RATE, np.int16))
    assert engine.dead
    assert engine.skip(RATE) == [InputChange((2 * RATE + 7000 + RATE) / RATE, Condition.dead, began=False)]
    assert not engine.dead
    first, *_ = engine.push(noise(2))
    assert first.time_s == pytest.approx((2 * RATE + 7000 + RATE + RATE + bundle.score_samples) / RATE, abs=1e-9)
