"""The whole of docs/one-afternoon.md, in small: from a microphone beside a machine to an alarm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from edge_asd.bundle.bundle import Bundle
from tests.cli.command import edge_asd
from tests.data import RATE, machine_sound
from tests.monitor.live import Monitor
from tests.pulse import PulseMicrophone

CLIPS = 25


@pytest.mark.prove
def test_from_a_microphone_to_an_alarm(pulse_microphone: PulseMicrophone, tmp_path: Path) -> None:
    """With clips of 2 s, scores as long, and an alarm after 40 decisions, 8 s, over the threshold."""
    healthy, faulty, faster = (tmp_path / f"{name}.wav" for name in ("healthy", "faulty", "faster"))
    # Longer than the slowest computer takes; its tones go on where it begins anew.
    soundfile.write(healthy, np.tile(machine_sound(np.random.default_rng(5), seconds=60.0), 40), RATE)
    soundfile.write(faulty, machine_sound(np.random.default_rng(6), seconds=120.0, pitch=235.0), RATE)
    soundfile.write(faster, np.tile(machine_sound(np.random.default_rng(7), seconds=60.0, pitch=220.0), 20), RATE)
    player = pulse_microphone.play(healthy)

    def run(*arguments: object) -> Any:
        done = edge_asd(*arguments, "--json", cwd=tmp_path, env=pulse_microphone.env)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert "default" in [device["name"] for device in run("devices")["devices"]]
    recorded = run(
        *("data", "record", "--machine", "blower", "--out", "own", "--device", "default"),
        *("--clips", CLIPS, "--clip-seconds", 2),
    )
    assert (recorded["clips_train"], recorded["clips_test"], recorded["skipped"]) == (20, 5, [])
    trained = run("train", "own", "--machine", "blower", "--out", "run")
    assert (trained["model"], trained["clips_fit"], trained["clips_held_back"]) == ("distance", 20, 0)
    run("quantize", "run", "--data", "own", "--out", "blower.easd")
    evaluated = run("evaluate", "blower.easd", "--data", "own", "--out", "results")
    (row,), (false_alarms,) = evaluated["results"], evaluated["false_alarms"]
    assert (row["n_normal"], row["n_anomaly"], row["auc_int8"]) == (5, 0, None)
    assert (false_alarms["section"], false_alarms["clips"]) == ("00", 5)
    assert evaluated["hears"]
    assert run("selftest", "blower.easd")["verdict"] == "equal"
    calibrated = run(
        "calibrate", "blower.easd", "--section", "00", "--device", "default", "--minutes", 0.4, "--in-place"
    )
    assert calibrated["threshold"] == Bundle.load(tmp_path / "blower.easd").threshold("00").score

    listening = ("--device", "default", "--alarm-after", "40/40", "--interval", 0.5, "--records", tmp_path / "records")
    with Monitor(tmp_path / "blower.easd", *listening, env=pulse_microphone.env) as monitor:
        monitor.wait_for(lambda: len(monitor.decisions()) >= 40, "decisions")
        assert monitor.events("alarm") == []
        player.kill()
        player.wait()
        player = pulse_microphone.play(faulty)
        alarm = monitor.wait_for_event("alarm").values
        monitor.stop()
    assert alarm["score"] > alarm["threshold"] == calibrated["threshold"]
    (kept,) = [event for event in run("events", tmp_path / "records")["events"] if event["event"] == "alarm"]
    assert kept["score"] == alarm["score"]

    player.kill()
    player.wait()
    pulse_microphone.play(faster)
    adapted = run(
        *("calibrate", "blower.easd", "--section", "00", "--domain", "target", "--device", "default"),
        *("--adapt", "--minutes", 0.4, "--in-place"),
    )
    assert (adapted["spans"], adapted["spans_before"]) == (12, 0)
    assert adapted["threshold"] == calibrated["threshold"]
    with Monitor(tmp_path / "blower.easd", *listening[:-2], env=pulse_microphone.env) as monitor:
        monitor.wait_for(lambda: len(monitor.decisions()) >= 40, "decisions")
        assert monitor.events("alarm") == []
        monitor.stop()
