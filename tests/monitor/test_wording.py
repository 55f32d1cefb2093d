"""States and events in plain words."""

from __future__ import annotations

import pytest

from edge_asd.monitor.alarms import Event, EventName, State
from edge_asd.monitor.wording import duration_text, event_text, state_text, state_word


def test_each_state_has_words_of_its_own() -> None:
    words, sentences = {state_word(state) for state in State}, {state_text(state) for state in State}
    assert len(words) == len(sentences) == len(State)
    assert all(word.isascii() and word.isupper() and len(word) <= 11 for word in words)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (EventName.alarm, "ALARM raised: score 11.50 dB², threshold 10.00; began 1 min 15 s before"),
        (EventName.escalated, "ALARM still on after 1 min 15 s: score 11.50 dB², threshold 10.00"),
        (EventName.cleared, "alarm over after 1 min 15 s: score 11.50 dB², threshold 10.00"),
        (EventName.signal_lost, "no signal: no sound comes any more"),
        (EventName.signal_back, "signal back after 1 min 15 s"),
        (EventName.samples_lost, "1 min 15 s of sound lost"),
        (EventName.dead, "input dead: muted or unplugged, no decisions"),
        (EventName.alive, "input alive again after 1 min 15 s"),
        (EventName.off, "machine off: too quiet to be judged"),
        (EventName.on, "machine on again after 1 min 15 s"),
        (EventName.clipped, "clipped: the input is too loud, scores mean little"),
        (EventName.unclipped, "no longer clipped after 1 min 15 s"),
        (EventName.overloaded, "overloaded: this computer cannot keep up with the sound"),
        (EventName.keeping_up, "keeping up again after 1 min 15 s"),
    ],
)
def test_each_event_is_told(name: EventName, text: str) -> None:
    scored = name in (EventName.alarm, EventName.escalated, EventName.cleared)
    figures = {"score": 753_664, "threshold": 655_360} if scored else {}
    assert event_text(Event(name, 99.0, "00", duration_s=75.0, **figures), "dB²") == text
    told = event_text(Event(name, 99.0, "00", text="why"), "dB²")
    assert told.endswith(" (why)")
    assert "None" not in told
    assert {one.value for one in EventName} >= {name.value}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"), (59.94, "59.9 s"), (59.96, "1 min 0 s"), (3599.4, "59 min 59 s"), (3599.6, "1 h 0 min"),
        (86_399.0, "23 h 59 min"), (90_000, "1 d 1 h"), (1e9, "11574 d 1 h"),
    ],
)  # fmt: skip
def test_a_length_of_time(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
