"""What the loop tells, and of what: every decision to the sinks, dead and clipped input to people."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import pytest

from edge_asd.audio.stream import Break
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import DataError
from edge_asd.monitor.alarms import Alarms, Event, Policy
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.listener import Listener
from edge_asd.monitor.loop import Ear, Loop
from edge_asd.monitor.merging import Ended, Item
from edge_asd.monitor.outcome import conclude
from edge_asd.monitor.reports import Report, Sink, now
from tests.data import RATE
from tests.golden.committed import NAMES, made_sound

BUNDLE = Bundle.load(NAMES["ae"])
SOUND = made_sound(1, 200)
ZEROS = np.zeros(2 * RATE, np.int16)


DEFAULT = Policy()
MOMENT = datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=1)))


class Kept(Sink):
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.sound: list[tuple[int, npt.NDArray[np.int16]]] = []

    def report(self, report: Report, /) -> None:
        self.reports.append(report)

    def hear(self, source: str, place: int, pcm: npt.NDArray[np.int16], /) -> None:
        assert source == "here"
        self.sound.append((place, pcm))


def listen(items: list[Item], kept: Kept, notes: list[str], policy: Policy = DEFAULT, *, clipping: bool = True) -> int:
    """Run the loop over one source; return the anomalies."""
    listener = Listener("here", Engine(BUNDLE, "00"), Alarms(policy, "00", RATE), clock=lambda: MOMENT)
    ear = Ear(listener, tell_clipping=clipping)
    Loop({"here": ear}, [kept], notes.append).run([*(("here", item) for item in items), ("here", Ended())])
    return conclude(listener, ear.error, notes.append)


def heard(*parts: npt.NDArray[np.int16], clipping: bool = True) -> tuple[int, list[Report], list[str]]:
    """Listen to sound in blocks of a tenth of a second; return the anomalies, the reports and the notes."""
    pcm = np.concatenate(parts)
    kept = Kept()
    notes: list[str] = []
    blocks = np.split(pcm, range(RATE // 10, pcm.size, RATE // 10))
    count = listen([*blocks], kept, notes, Policy(needed=1, of=1), clipping=clipping)
    return count, kept.reports, notes


def test_every_decision_is_told_and_anomalies_counted() -> None:
    engine = Engine(BUNDLE, "00")
    expected = engine.push(SOUND) + engine.finish()
    count, reports, notes = heard(SOUND)
    assert [report.what for report in reports if isinstance(report.what, Decision)] == expected
    assert count == sum(decision.anomaly for decision in expected) > 0
    assert notes == []


def test_an_event_follows_the_decision_that_brings_it_about() -> None:
    _, reports, _ = heard(SOUND, ZEROS, SOUND)
    at = [i for i, report in enumerate(reports) if isinstance(report.what, Event)]
    names = [reports[i].what.event for i in at]
    assert [name for name in names if name in ("dead", "alive")] == ["dead", "alive"]
    assert names.count("alarm") >= 1
    for i in at:
        event = reports[i].what
        if event.event in ("alarm", "cleared"):
            before = reports[i - 1]
            assert (before.what.time_s, before.what.score) == (event.time_s, event.score)
            assert before.state is reports[i].state
    dead = reports[at[names.index("dead")]]
    assert dead.for_programs() == {
        "event": "dead", "time_s": 6.5, "section": "00", "score": None, "threshold": None, "duration_s": None,
        "heard": None, "time": "2026-10-25T02:30:00.000+01:00", "source": "here", "state": "dead",
    }  # fmt: skip
    assert reports[0].for_programs() == {
        **asdict(reports[0].what), "time": "2026-10-25T02:30:00.000+01:00", "source": "here", "state": "alarm",
    }  # fmt: skip


def test_the_clock_here_has_a_zone() -> None:
    assert now().utcoffset() is not None


def test_a_dead_input_is_told_once_until_it_ends() -> None:
    _, _, notes = heard(SOUND, ZEROS, SOUND, ZEROS - 1, SOUND)
    assert len(notes) == 2
    for note in notes:
        assert note.startswith("The input has stayed within 1 of a constant for 0.5 s: it is probably muted")
        assert "1.5 s of sound" in note


def test_clipping_is_told_once_until_it_ends() -> None:
    loud = np.clip(SOUND.astype(np.int32) * 25, -32768, 32767).astype(np.int16)
    assert 0.001 < (np.abs(loud.astype(int)) >= 32767).mean() < 0.5
    _, _, notes = heard(SOUND, loud, SOUND, loud)
    assert [note[:41] for note in notes] == ["The input clips: over 0.1% of the last 1."] * 2
    assert heard(SOUND, loud, clipping=False)[2] == []


def test_an_input_without_a_decision_is_an_error() -> None:
    for dead in (ZEROS, ZEROS[: RATE // 2], np.concatenate([SOUND[:RATE], ZEROS])):
        with pytest.raises(DataError, match=r"no decision: the sound stays within 1 of .* muted or unplugged"):
            heard(dead)
    with pytest.raises(DataError, match=r"lasts less than the 1\.5 s that one score"):
        heard(SOUND[:RATE])


def test_a_break_is_told_and_nothing_is_mixed_across_it() -> None:
    lost = Break("signal-lost", 0, 2.1, 1e9, "It is gone.")
    back = Break("signal-back", 5 * RATE, 5.0, 1e9 + 5, "")
    kept = Kept()
    notes: list[str] = []
    listen([SOUND[:RATE], lost, back, SOUND[RATE:]], kept, notes)
    decisions = [report.what for report in kept.reports if isinstance(report.what, Decision)]
    events = [report for report in kept.reports if isinstance(report.what, Event)]
    assert [(e.what.event, e.what.time_s, e.what.duration_s, e.time.timestamp(), e.state) for e in events] == [
        ("signal-lost", 1.0, 2.1, 1e9, "no signal"),
        ("signal-back", 6.0, 5.0, 1e9 + 5, "starting"),
    ]
    assert [(place, pcm.size) for place, pcm in kept.sound] == [(0, RATE), (6 * RATE, SOUND.size - RATE)]
    assert notes == ["It is gone."]
    alone = Engine(BUNDLE, "00").push(SOUND[RATE:])
    assert [d.score for d in decisions] == [d.score for d in alone] != []
    assert [d.time_s for d in decisions] == pytest.approx([d.time_s + 6.0 for d in alone])
