"""The alarm machine, driven by decisions of any kind."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.audio.health import dead_stretches
from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.alarms import Alarms, Event, EventName, Policy, State
from edge_asd.monitor.decisions import Condition, Decision, InputChange
from edge_asd.monitor.engine import Engine
from tests.data import RATE
from tests.golden.committed import NAMES, made_sound

THRESHOLD = 100_000
QUICK = Policy(needed=3, of=5, cooldown_s=0, release_percent=2)

SCORES = {"high": 150_000, "between": 99_000, "low": 50_000}

policies = st.integers(1, 8).flatmap(
    lambda of: st.builds(
        Policy,
        needed=st.integers(1, of),
        of=st.just(of),
        release_percent=st.sampled_from([0, 2, 100]),
        minimum_s=st.sampled_from([0.0, 3.0]),
        cooldown_s=st.sampled_from([0.0, 7.5]),
    )
)
# Runs of equal decisions, and the input's death among them.
stretches = st.lists(st.tuples(st.sampled_from([*SCORES, "dead"]), st.integers(1, 9)), max_size=25)


def news_of(stretches: list[tuple[str, int]]) -> list[Decision | InputChange]:
    """Turn runs into news, a second apart."""
    news: list[Decision | InputChange] = []
    time = itertools.count(10)
    for kind, count in stretches:
        if kind == "dead":
            news.append(InputChange(float(next(time)), Condition.dead, began=True))
            news.append(InputChange(next(time) + 0.5, Condition.dead, began=False))
        else:
            score = SCORES[kind]
            news += [Decision(float(next(time)), "00", score, THRESHOLD, score > THRESHOLD) for _ in range(count)]
    return news


def told(news: list[Decision | InputChange], policy: Policy) -> tuple[list[Event | None], list[State]]:
    """Return the event and the state after each of the news."""
    machine = Alarms(policy, "00", RATE)
    both = [(machine.push(one), machine.state) for one in news]
    return [event for event, _ in both], [state for _, state in both]


def run(text: str, policy: Policy = QUICK) -> tuple[str, str]:
    """Write events (A alarm, C cleared, D dead, V alive) and states by letters; decisions are written so, too."""
    letters = {"+": "high", "~": "between", "-": "low", "d": "dead"}
    events, states = told(news_of([(letters[letter], 1) for letter in text]), policy)
    names = {EventName.alarm: "A", EventName.cleared: "C", EventName.dead: "D", EventName.alive: "V", None: "."}
    state = {State.healthy: "h", State.suspect: "s", State.alarm: "a", State.dead: "d", State.starting: "0"}
    return "".join(names[event and event.event] for event in events), "".join(state[one] for one in states)


@pytest.mark.parametrize(
    ("decisions", "events", "states"),
    [
        ("-----", ".....", "hhhhh"),
        ("+-+-+~", "....A.", "ssssaa"),
        ("+-+-+-", "....AC", "ssssah"),
        ("++--++", "....A.", "ssssaa"),
        ("+--+--+-----", "............", "sssssssssssh"),
        ("+++---", "..A..C", "ssaaah"),
        ("+++~~~~~---", "..A.......C", "ssaaaaaaaah"),  # between the thresholds, an alarm holds
        ("~~~", "...", "hhh"),
        ("+++---+++", "..A..C..A", "ssaaahssa"),
    ],
)
def test_three_of_five(decisions: str, events: str, states: str) -> None:
    assert run(decisions) == (events, states)


def test_what_an_event_says() -> None:
    events, _ = told(news_of([("low", 2), ("high", 3), ("low", 4), ("dead", 1)]), replace(QUICK, minimum_s=2))
    assert [event for event in events if event is not None] == [
        Event(EventName.alarm, 14.0, "00", SCORES["high"], THRESHOLD, 2.0),
        Event(EventName.cleared, 17.0, "00", SCORES["low"], THRESHOLD, 3.0),
        Event(EventName.dead, 19.0, "00"),
        Event(EventName.alive, 20.5, "00", duration_s=1.5),
    ]


def test_a_dead_input_ends_no_alarm_and_starts_the_counting_again() -> None:
    assert run("+++dd") == ("..ADVDV", "ssadada")
    assert run("++d++-+") == ("..DV...A", "ssd0sssa")
    assert run("+++--d--") == ("..A..DV..", "ssaaadaaa")
    assert run("+++--d---") == ("..A..DV..C", "ssaaadaaah")


def test_a_cooldown_and_a_minimum_duration_are_in_seconds() -> None:
    cooled = run("+++---" + "+" * 6, replace(QUICK, cooldown_s=5))
    assert cooled[0] == "..A..C....A."
    assert run("+" * 6, replace(QUICK, minimum_s=4))[0] == "....A."
    # Counted from the first of those over the threshold that hang together.
    assert run("+-----+++", replace(QUICK, minimum_s=3))[0] == "." * 9
    assert run("+----+++", replace(QUICK, minimum_s=3))[0] == "." * 7 + "A"


@pytest.mark.parametrize(
    ("threshold", "percent", "release"),
    [(100_000, 2, 98_000), (-100_000, 2, -102_000), (0, 2, 0), (49, 2, 49), (50, 2, 49), (100_000, 0, 100_000)],
)
def test_the_release_threshold_is_never_above_the_threshold(threshold: int, percent: int, release: int) -> None:
    assert Policy(release_percent=percent).release_threshold(threshold) == release


@given(stretches, policies)
def test_alarms_take_turns_with_their_ends_and_keep_their_distance(runs, policy) -> None:
    events = [event for event in told(news_of(runs), policy)[0] if event is not None]
    alarms = [event for event in events if event.event in (EventName.alarm, EventName.cleared)]
    assert [event.event for event in alarms[::2]] == [EventName.alarm] * len(alarms[::2])
    assert [event.event for event in alarms[1::2]] == [EventName.cleared] * len(alarms[1::2])
    for cleared, alarm in zip(alarms[1::2], alarms[2::2], strict=False):
        assert alarm.time_s - cleared.time_s >= policy.cooldown_s
    for alarm, cleared in itertools.pairwise(alarms):
        if cleared.event is EventName.cleared:
            assert cleared.duration_s == cleared.time_s - alarm.time_s


@given(stretches, policies)
def test_alarms_come_and_end_as_the_policy_says(runs, policy) -> None:
    """Against the rule written down plainly: every count from scratch."""
    news = news_of(runs)
    events, states = told(news, policy)
    raised, earliest, cleared = False, 0.0, 0
    for i, (one, event) in enumerate(zip(news, events, strict=True)):
        if isinstance(one, InputChange):
            assert event is not None
            assert event.event is (EventName.dead if one.began else EventName.alive)
            continue
        since = max((j + 1 for j in range(i) if isinstance(news[j], InputChange)), default=0)
        since = max(since, cleared)
        heard = [d for d in news[since : i + 1] if isinstance(d, Decision)]
        last = heard[-policy.of :]
        over = sum(d.score > THRESHOLD for d in last)
        calm = sum(d.score <= policy.release_threshold(THRESHOLD) for d in last)
        begun = None
        for j, d in enumerate(heard):
            if not any(e.anomaly for e in heard[max(0, j + 1 - policy.of) : j + 1]):
                begun = None
            elif begun is None:
                begun = d.time_s
        if raised:
            expected = EventName.cleared if calm >= max(policy.needed, policy.of - policy.needed + 1) else None
        else:
            long_enough = begun is not None and one.time_s - begun >= policy.minimum_s
            may = over >= policy.needed and long_enough and one.time_s >= earliest
            expected = EventName.alarm if may else None
        assert (event and event.event) == expected
        if expected is EventName.cleared:
            earliest, cleared, over = one.time_s + policy.cooldown_s, i, 0
        raised = expected is EventName.alarm or (raised and expected is None)
        state = State.alarm if raised else State.suspect if over else State.healthy
        assert states[i] is state


@given(st.lists(st.sampled_from(["between", "low"]), max_size=60), policies)
def test_healthy_decisions_never_raise_an_alarm(kinds, policy) -> None:
    events, states = told(news_of([(kind, 1) for kind in kinds]), policy)
    assert events == [None] * len(kinds)
    assert set(states) <= {State.healthy}


def test_places_stay_exact_for_weeks() -> None:
    start = 10**12  # samples: two years
    machine = Alarms(replace(QUICK, minimum_s=2 / RATE), "00", RATE)
    events = [machine.push(Decision((start + i) / RATE, "00", 2, 1, anomaly=True)) for i in range(3)]
    assert [event and event.event for event in events] == [None, None, EventName.alarm]


# --- With the engine


BUNDLE = Bundle.load(NAMES["ae"])
_SOUND, _DEAD = made_sound(1, 200), np.full(RATE, 3, np.int16)
PCM = np.concatenate([_SOUND[: 3 * RATE], _DEAD, _SOUND[3 * RATE :], _DEAD[:7999], _SOUND[: 3 * RATE], _DEAD])


def heard(places: list[int]) -> tuple[list[Decision | InputChange], list[Event | None]]:
    engine, machine = Engine(BUNDLE, "00", interval_s=0.1), Alarms(QUICK, "00", RATE)
    news = [one for block in np.split(PCM, places) for one in engine.hear(block)] + engine.finish()
    return news, [machine.push(one) for one in news]


WHOLE = heard([])


def test_the_input_dies_and_comes_back_where_its_samples_say() -> None:
    news, events = WHOLE
    first, last = dead_stretches(PCM, RATE)
    assert [one for one in news if isinstance(one, InputChange)] == [
        InputChange((first.start + RATE // 2) / RATE, Condition.dead, began=True),
        InputChange(first.stop / RATE, Condition.dead, began=False),
        InputChange((last.start + RATE // 2) / RATE, Condition.dead, began=True),
    ]
    assert [one.time_s for one in news] == sorted(one.time_s for one in news)
    assert sum(event is not None for event in events) >= 4


@settings(max_examples=20)
@given(st.lists(st.integers(0, PCM.size) | st.integers(55_000, 57_000) | st.integers(63_990, 64_200), max_size=20))
def test_blocks_and_pauses_make_no_difference(cuts: list[int]) -> None:
    assert heard(sorted(cuts)) == WHOLE


@pytest.mark.parametrize("size", [160, 512, 4000])
def test_blocks_of_a_sound_card_make_no_difference(size: int) -> None:
    assert heard(list(range(size, PCM.size, size))) == WHOLE


# --- Policies


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"needed": 0}, "need 0 of 60"),
        ({"needed": 61}, "need 61 of 60"),
        ({"of": 0, "needed": 0}, "look at 0 decisions"),
        ({"of": 100_001}, "look at 100001 decisions"),
        ({"release_percent": -1}, "cannot be -1 %"),
        ({"release_percent": 101}, "cannot be 101 %"),
        ({"cooldown_s": -1.0}, "cooldown cannot be -1"),
        ({"minimum_s": float("nan")}, "minimum duration cannot be nan"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(changes, words) -> None:
    with pytest.raises(ValueError, match=words):
        Policy(**changes)


@pytest.mark.parametrize(
    ("interval_s", "needed", "of"), [(1.0, 45, 60), (0.25, 180, 240), (0.032, 1407, 1875), (10, 5, 6), (3600, 1, 1)]
)
def test_the_default_looks_at_a_minute(interval_s: float, needed: int, of: int) -> None:
    assert Policy.for_interval(interval_s) == Policy(needed=needed, of=of)
    assert Policy.for_interval() == Policy()
