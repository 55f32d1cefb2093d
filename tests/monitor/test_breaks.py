"""A gap in a live stream: time goes on, and neither a score, nor an alarm, nor a dead input reaches across it."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.alarms import Alarms, EventName, Policy, State
from edge_asd.monitor.decisions import Condition, Decision, InputChange
from edge_asd.monitor.engine import Engine
from tests.golden.committed import NAMES, PITCHES, made_sound

RATE = 16000
GAP = 5 * RATE


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(NAMES["ae"])


def test_a_dead_input_ends_where_the_stream_breaks(bundle: Bundle) -> None:
    engine, alarms = Engine(bundle, "00"), Alarms(Policy(), "00", RATE)
    (died,) = engine.hear(np.full(2 * RATE, 7, np.int16))
    assert died == InputChange(0.5, Condition.dead, began=True)
    alarms.push(died)
    assert alarms.state is State.dead
    (alive,) = engine.skip(GAP)
    assert alive == InputChange(2.0, Condition.dead, began=False)
    event = alarms.push(alive)
    assert event is not None
    assert (event.event, event.duration_s) == (EventName.alive, 1.5)
    assert alarms.state is State.starting
    assert not engine.dead
    # Behind the gap it dies again, at its own time.
    assert engine.hear(np.full(RATE, -3, np.int16)) == [InputChange(7.5, Condition.dead, began=True)]


def test_decisions_behind_a_gap_are_those_of_a_fresh_engine_later(bundle: Bundle) -> None:
    sound = made_sound(1, PITCHES[0])
    engine, fresh = Engine(bundle, "00"), Engine(bundle, "00")
    before = engine.push(sound[: 3 * RATE]) + [one for one in engine.skip(GAP) if isinstance(one, Decision)]
    after = engine.push(sound) + engine.finish()
    expected = fresh.push(sound) + fresh.finish()
    assert before
    assert [(one.score, one.anomaly) for one in after] == [(one.score, one.anomaly) for one in expected]
    assert [round(one.time_s * RATE) for one in after] == [round(one.time_s * RATE) + 8 * RATE for one in expected]


def test_an_alarm_needs_its_decisions_on_one_side_of_a_gap() -> None:
    def over(second: int) -> Decision:
        return Decision(time_s=float(second), section="00", score=9, threshold=5, anomaly=True)

    alarms = Alarms(Policy(needed=3, of=3), "00", RATE)
    assert [alarms.push(over(second)) for second in (1, 2)] == [None, None]
    alarms.interrupted()
    assert [alarms.push(over(second)) for second in (10, 11)] == [None, None]
    event = alarms.push(over(12))
    assert event is not None
    assert (event.event, event.duration_s) == (EventName.alarm, 2.0)
    alarms.interrupted()
    assert alarms.state is State.alarm
