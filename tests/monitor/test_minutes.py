"""Minutes are cut by the sample counter, and every sample is in one."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

import numpy as np
import pytest

from edge_asd.monitor.alarms import State
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.records.minutes import Minute, Minutes
from tests.monitor.recorded import RATE, START

MINUTE = 60 * RATE


def decide(place: int, score: int) -> Decision:
    return Decision(place / RATE, "00", score, 100, score > 100)


def test_scores_and_states_of_three_minutes() -> None:
    minutes, told = Minutes(RATE), []
    for second in range(10, 181):
        state = State.alarm if 70 <= second < 100 else State.healthy
        told += minutes.advance(second * RATE, START + timedelta(seconds=second), state)
        minutes.count(decide(second * RATE, second))
    told += minutes.finish()
    # A decision belongs to the minute that its sound ends in.
    assert [(one.place, one.samples, one.count, one.over) for one in told] == [
        (0, MINUTE, 51, 0),
        (MINUTE, MINUTE, 60, 20),
        (2 * MINUTE, MINUTE, 60, 60),
    ]
    assert [(one.minimum, one.mean, one.maximum, one.threshold) for one in told] == [
        (10, 35, 60, 100),
        (61, 91, 120, 100),  # 90.5, rounded half up
        (121, 151, 180, 100),
    ]
    assert [one.time for one in told] == [START + timedelta(minutes=k) for k in range(3)]
    assert [one.states for one in told] == [
        {State.starting: 10 * RATE, State.healthy: 50 * RATE},
        {State.healthy: 30 * RATE, State.alarm: 30 * RATE},
        {State.healthy: 60 * RATE},
    ]


def test_a_clock_that_is_set_changes_nothing_but_the_label() -> None:
    def run(clock: list[datetime]) -> list[Minute]:
        minutes, told = Minutes(RATE), []
        for second in range(1, 301):
            told += minutes.advance(second * RATE, clock[second], State.healthy)
            minutes.count(decide(second * RATE, second))
        return told + minutes.finish()

    steady = [START + timedelta(seconds=k) for k in range(301)]
    summer, winter = timezone(timedelta(hours=2)), timezone(timedelta(hours=1))
    jumping = [
        time.astimezone(summer if k < 150 else winter) + (timedelta(days=-400) if k > 200 else timedelta())
        for k, time in enumerate(steady)
    ]
    first, second = run(steady), run(jumping)
    assert len(first) == 5
    for one, other in zip(first, second, strict=True):
        other.time = one.time
        assert one == other


def test_a_long_silence_is_one_row_and_nothing_is_lost() -> None:
    start, away = 2**40, 1000 * MINUTE + 12345
    minutes = Minutes(RATE)
    told = minutes.advance(start, START, State.no_signal)
    told += minutes.advance(start + away, START + timedelta(seconds=away / RATE), State.healthy)
    told += minutes.finish()
    whole = start // MINUTE * MINUTE
    # The silence before the start, the minute of the start, the silence behind it, and what has begun since.
    assert [one.samples for one in told] == [MINUTE, whole - MINUTE, MINUTE, 999 * MINUTE, (start + away) % MINUTE]
    assert sum(one.samples for one in told) == start + away
    assert [set(one.states) for one in told[1:]] == [
        {State.starting},
        {State.starting, State.no_signal},
        {State.no_signal},
        {State.no_signal},
    ]
    for one, following in pairwise(told):
        assert one.place + one.samples == following.place
        assert following.place % MINUTE == 0


def test_every_sample_is_in_one_minute_whatever_the_steps() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        minutes, told, place = Minutes(RATE), [], 0
        for step in rng.integers(0, 3 * MINUTE, 20).tolist():
            place += step
            told += minutes.advance(place, START, State.healthy)
            told += minutes.advance(max(0, place - RATE), START, State.healthy)  # a status lags behind
        told += minutes.finish()
        assert sum(one.samples for one in told) == place
        assert [one.place for one in told] == [0, *np.cumsum([one.samples for one in told]).tolist()[:-1]]
        assert all(sum(one.states.values()) == one.samples for one in told)
        assert all(one.place % MINUTE == 0 for one in told)


def test_a_decision_has_to_have_a_minute() -> None:
    with pytest.raises(ValueError, match="advance"):
        Minutes(RATE).count(decide(RATE, 1))
