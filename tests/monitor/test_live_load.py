"""A computer that cannot keep up with a microphone: the whole monitor says so, and skips nothing in silence."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.data import write_wav
from tests.monitor.live import Monitor, healthy, quick_bundle
from tests.pulse import PulseMicrophone


def test_an_overload_is_told_and_all_that_it_costs_counted(tmp_path: Path, pulse_microphone: PulseMicrophone) -> None:
    quick_bundle(tmp_path / "fan.easd")
    write_wav(tmp_path / "healthy.wav", healthy(3))
    held = tmp_path / "held"
    held.touch()
    program = (sys.executable, "-m", "tests.monitor.hooked", held, 1.5)  # a second of sound fits into the ring
    arguments = (tmp_path / "fan.easd", "--section", "00", "--interval", "0.1")
    with Monitor(*arguments, env=pulse_microphone.env, program=program) as monitor:
        monitor.wait_for_event("overloaded")
        monitor.wait_for_event("samples-lost", 3)
        assert monitor.events()[-1]["state"] in ("overloaded", "dead")
        held.unlink()
        monitor.wait_for_event("keeping-up")
        pulse_microphone.play(tmp_path / "healthy.wav")
        monitor.wait_for(lambda: monitor.decisions(), "a decision")
        monitor.stop()
    # On a busy machine there may be more of each.
    overloaded, keeping_up = monitor.events("overloaded")[0], monitor.events("keeping-up")[0]
    assert overloaded["text"]
    assert keeping_up["duration_s"] == pytest.approx(keeping_up["time_s"] - overloaded["time_s"], abs=1e-9)
    lost = [event for event in monitor.events("samples-lost") if event["time_s"] < keeping_up["time_s"]]
    assert keeping_up["time_s"] - lost[-1]["time_s"] >= 1.5
    assert sum(event["duration_s"] for event in lost) > 1
    # What was heard and what was lost make up the time that passed, by another clock than the samples'.
    starts = [datetime.fromisoformat(event["time"]).timestamp() - event["time_s"] for event in lost]
    assert max(starts) - min(starts) < 0.5
    assert any("this computer is too busy to keep up" in line for line in monitor.said)
