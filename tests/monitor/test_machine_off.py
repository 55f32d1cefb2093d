"""A machine that is off is not judged; and what is heard does not depend on the blocks that it comes in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.audio.health import MAX_CLIPPED_SHARE
from edge_asd.audio.loudness import FULL_SCALE_POWER, block_power, power_of_db
from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.alarms import Alarms, EventName, Policy, State
from edge_asd.monitor.decisions import Condition, Decision, InputChange
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.span_watch import BLOCK_HOPS, SpanWatch
from tests.data import RATE
from tests.golden.committed import NAMES, made_sound

HOP = 512
LEVEL_DB = -45.0
SOUND = np.concatenate([made_sound(seed, 200) for seed in (1, 2, 3)])  # 18 s
BLOCK = BLOCK_HOPS * HOP


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """Its scores span three seconds."""
    return replace(Bundle.load(NAMES["ae"]), score_window_frames=93)


def with_pauses(*pauses: tuple[float, float]) -> np.ndarray:
    """Turn the machine off from one second to another; a faint hiss goes on."""
    sound = SOUND.copy()
    hiss = np.random.default_rng(3).integers(-20, 21, sound.size).astype(np.int16)
    for begin, end in pauses:
        part = slice(round(begin * RATE), round(end * RATE))
        sound[part] = hiss[part]
    return sound


def test_the_least_power_of_a_level() -> None:
    assert power_of_db(0) == FULL_SCALE_POWER
    assert power_of_db(-10 * np.log10(2)) == FULL_SCALE_POWER // 2
    assert block_power(np.full(7, -32768, np.int16)) == FULL_SCALE_POWER
    for level in (-90.3, -45.0, -3.1):
        least = power_of_db(level)
        assert 10 * np.log10(least / FULL_SCALE_POWER) >= level
        assert least == 1 or 10 * np.log10((least - 1) / FULL_SCALE_POWER) < level


@settings(deadline=None, max_examples=60)
@given(
    hop=st.sampled_from([64, 100]),
    first=st.integers(0, 900),
    hops=st.integers(1, 90),
    cuts=st.lists(st.integers(1, 3000), max_size=30),
    seed=st.integers(0, 99),
)
def test_a_span_is_measured_as_written_down_plainly(
    hop: int, first: int, hops: int, cuts: list[int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    span, power = hop * hops, 500
    pcm = random.integers(-40, 41, first + span + sum(cuts)).astype(np.int16)
    pcm[random.integers(0, pcm.size, 30)] = random.choice(np.array([32767, -32768], np.int16), 30)
    watch, block = SpanWatch(hop, first, span, power), hop * min(BLOCK_HOPS, hops)
    place = 0
    for cut in [first + span, *cuts]:
        watch.push(pcm[place : place + cut])
        ends = [end for end in range(first + span, place + cut + 1, hop) if end > place]
        for end in ends:
            measured = watch.at(end)
            blocks = [pcm[stop - block : stop].astype(int) for stop in range(end, end - span + block - 1, -block)]
            quiet = [int((one * one).sum()) < power * block for one in blocks]
            whole = pcm[end - span : end]
            clipped = int(((whole == 32767) | (whole == -32768)).sum())
            power_there = int((whole.astype(int) ** 2).sum()) / span
            assert measured == (quiet[0], any(quiet), clipped, power_there)
        place += cut


def heard(bundle: Bundle, sound: np.ndarray, size: int, off: float | None = LEVEL_DB) -> list[Decision | InputChange]:
    engine = Engine(bundle, "00", off_level_db=off)
    news = [one for start in range(0, sound.size, size) for one in engine.hear(sound[start : start + size])]
    return news + engine.hear_end()


def test_no_decision_rests_on_sound_of_a_machine_that_is_off(bundle: Bundle) -> None:
    sound = with_pauses((6, 11))
    judged = [one for one in heard(bundle, sound, RATE) if isinstance(one, Decision)]
    without = {one.time_s: one for one in heard(bundle, sound, RATE, off=None) if isinstance(one, Decision)}
    span = bundle.score_samples
    assert {one.time_s for one in judged} < set(without)
    for time_s, decision in without.items():
        end = round(time_s * RATE)
        blocks = [sound[stop - BLOCK : stop] for stop in range(end, end - span + BLOCK - 1, -BLOCK)]
        quiet = any(block_power(one) < power_of_db(LEVEL_DB) for one in blocks)
        assert (decision not in judged) is quiet
    # Unjudged, what mixes machine and pause would be anomalous.
    assert sum(one.anomaly for one in without.values()) > sum(one.anomaly for one in judged)


def test_a_pause_is_told_where_it_begins_and_ends(bundle: Bundle) -> None:
    alarms, events, states = Alarms(Policy(), "00", RATE), [], []
    for one in heard(bundle, with_pauses((6, 11)), 800):
        event = alarms.push(one)
        events += [] if event is None else [event]
        states.append(alarms.state)
    assert [event.event for event in events] == [EventName.off, EventName.on]
    off, on = events
    assert 6.9 < off.time_s < 8.0  # most of a second has to be quiet, and decisions are a second apart
    assert 11.0 < on.time_s < 12.1
    assert on.duration_s == pytest.approx(on.time_s - off.time_s)
    assert State.off in states
    assert states[-1] in (State.healthy, State.suspect)


@pytest.mark.parametrize("size", [97, 777, 16000, 10**6])
def test_blocks_change_nothing(bundle: Bundle, size: int) -> None:
    """Of a machine that pauses, an input that dies in a pause and clips before it."""
    sound = with_pauses((5, 9))[: 12 * RATE]
    sound[round(6.7 * RATE) : round(7.6 * RATE)] = 4
    sound[3 * RATE : 4 * RATE] = np.clip(sound[3 * RATE : 4 * RATE].astype(int) * 60, -32768, 32767)
    news = heard(bundle, sound, size)
    assert news == heard(bundle, sound, 5000)
    assert [one.time_s for one in news] == sorted(one.time_s for one in news)
    told = {one.condition for one in news if isinstance(one, InputChange)}
    assert told == {Condition.off, Condition.dead, Condition.clipped}


def test_a_clipped_span_is_judged_and_told(bundle: Bundle) -> None:
    sound = SOUND.copy()
    places = np.random.default_rng(1).integers(5 * RATE, 6 * RATE, 80)
    sound[places] = 32767
    news = heard(bundle, sound, RATE)
    decisions = [one for one in news if isinstance(one, Decision)]
    assert len(decisions) == len([one for one in heard(bundle, SOUND, RATE) if isinstance(one, Decision)])
    changes = [(one.condition, one.began, one.time_s) for one in news if isinstance(one, InputChange)]
    clipped = [
        one.time_s
        for one in decisions
        if np.count_nonzero(sound[round(one.time_s * RATE) - bundle.score_samples : round(one.time_s * RATE)] == 32767)
        > MAX_CLIPPED_SHARE * bundle.score_samples
    ]
    after = next(one.time_s for one in decisions if one.time_s > clipped[-1])
    assert changes == [(Condition.clipped, True, clipped[0]), (Condition.clipped, False, after)]
