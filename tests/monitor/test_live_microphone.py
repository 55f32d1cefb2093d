"""The monitor on a real stream through PortAudio: an alarm that comes and goes, a microphone that does so, too."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from time import sleep

import numpy as np
import pytest
import soundfile

from edge_asd.monitor.engine import Engine
from edge_asd.monitor.records.database import CLIPS, NAME, read_database
from tests.cli.command import edge_asd
from tests.data import RATE, write_wav
from tests.monitor.live import Monitor, faulty, healthy, quick_bundle
from tests.pulse import PulseMicrophone

CONFIG = """
bundle = "fan.easd"
interval_s = 0.1
[records]
folder = "records"
[evidence]
pre_s = 1
post_s = 1.5
[policy]
alarm_after = "6/8"
[sources.fan-1]
device = "default"
section = "00"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with records, of one microphone and a quick bundle, which lies beside it."""
    quick_bundle(tmp_path / "fan.easd")
    (tmp_path / "monitor.toml").write_text(CONFIG)
    return tmp_path / "monitor.toml"


def test_an_alarm_is_raised_once_cleared_once_and_can_be_heard(
    config: Path, tmp_path: Path, pulse_microphone: PulseMicrophone
) -> None:
    bundle = quick_bundle(tmp_path / "fan.easd")
    played = np.concatenate([healthy(1.5), faulty(2), healthy(2.5, 2)])
    write_wav(tmp_path / "machine.wav", played)
    with Monitor("--config", config, env=pulse_microphone.env) as monitor:
        monitor.wait_for(lambda: any(line.startswith("Listening to ") for line in monitor.said), "a greeting")
        pulse_microphone.play(tmp_path / "machine.wav").wait()
        monitor.wait_for_event("cleared")
        monitor.stop()
    raised, cleared = monitor.events("alarm", "cleared")
    assert (raised["event"], cleared["event"]) == ("alarm", "cleared")
    times = [d["time_s"] for d in monitor.decisions() if raised["time_s"] - 1 < d["time_s"] <= cleared["time_s"]]
    assert np.allclose(np.diff(times), 0.096, atol=1e-9)  # three frames: not a sample was lost or made up

    done = edge_asd("events", tmp_path / "records", "--json")
    kept = {event["event"]: event for event in json.loads(done.stdout)["events"]}
    for told in (raised, cleared):
        of_it = {key: value for key, value in told.items() if key != "heard"}  # records keep the words alone
        assert {key: kept[told["event"]][key] for key in of_it} == of_it
    (path,) = (tmp_path / "records" / CLIPS).iterdir()
    clip, rate = soundfile.read(path, dtype="int16")
    assert (rate, path.suffix) == (RATE, ".flac")
    assert clip.size == 2.5 * RATE
    alarm = kept["alarm"]
    assert (alarm["clip"], alarm["clip_s"], alarm["clip_missing_s"]) == (path.stem, 2.5, 0)
    assert alarm["clip_time_s"] == 1.0
    # The clip is what was played, to the sample, from a second before the alarm on; and there the score was that.
    place = played.tobytes().find(clip.tobytes())
    assert place > 0
    assert place % 2 == 0
    span = played[: place // 2 + RATE][-bundle.score_samples :]
    (decision,) = Engine(bundle, "00").push(span)
    assert decision.score == alarm["score"] == raised["score"]
    listed = edge_asd("events", tmp_path / "records").stdout
    assert [word in listed for word in ("alarm", "cleared", "fan-1")] == [True] * 3


def pulled_out(config: Path, microphone: PulseMicrophone, times: int, longest_s: float = 0) -> None:
    """A microphone goes and comes back; and nothing but our words reaches the user, of all that ALSA prints."""
    write_wav(config.parent / "healthy.wav", healthy(3))
    with Monitor("--config", config, env=microphone.env) as monitor:
        monitor.wait_for_event("dead")  # nothing is played
        for time in range(1, times + 1):
            microphone.kill()
            monitor.wait_for_event("signal-lost", time)
            sleep(longest_s if time == times else 0)
            microphone.start()
            up = datetime.now().astimezone()
            back = monitor.wait_for_event("signal-back", time).values
            assert (datetime.fromisoformat(back["time"]) - up).total_seconds() < 5
            before = len(monitor.decisions())
            microphone.play(config.parent / "healthy.wav")
            monitor.wait_for(lambda before=before: len(monitor.decisions()) > before, "a decision")  # type: ignore[misc]
        monitor.stop()
    lost, back = monitor.events("signal-lost"), monitor.events("signal-back")
    assert len(lost) == len(back) == times
    for gone, there in zip(lost, back, strict=True):
        assert there["duration_s"] > 0
        assert there["time_s"] - gone["time_s"] == pytest.approx(there["duration_s"], abs=1e-3)
        clock = datetime.fromisoformat(there["time"]) - datetime.fromisoformat(gone["time"])
        assert clock.total_seconds() == pytest.approx(there["duration_s"], abs=0.01)
        assert not any(gone["time_s"] < d["time_s"] < there["time_s"] + 0.8 for d in monitor.decisions())
    with read_database(config.parent / "records" / NAME) as database:
        rows = database.execute("SELECT event, duration_s FROM events WHERE event GLOB 'signal-*' ORDER BY id")
        kept = list(rows)
    assert kept == [(event["event"], event["duration_s"]) for event in monitor.events("signal-lost", "signal-back")]
    words = ("Listening to", "The microphone default is gone", "The microphone is back after", "The input has stayed")
    assert [line for line in monitor.said if not line.startswith(words)] == []


def test_a_microphone_that_is_pulled_out_three_times(config: Path, fragile_microphone: PulseMicrophone) -> None:
    pulled_out(config, fragile_microphone, 3)


@pytest.mark.prove
def test_a_microphone_that_is_pulled_out_ten_times(config: Path, fragile_microphone: PulseMicrophone) -> None:
    pulled_out(config, fragile_microphone, 10, 12.0)
