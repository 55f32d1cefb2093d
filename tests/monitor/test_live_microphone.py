"""The monitor on a real stream through PortAudio: a healthy machine, then a faulty one."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.cli.command import EDGE_ASD
from tests.demo import Demo
from tests.golden.committed import NAMES
from tests.pulse import PulseMicrophone


@pytest.fixture(scope="module")
def sounds(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's recording, cut into healthy.wav and faulty.wav of 13 s."""
    folder = tmp_path_factory.mktemp("sounds")
    pcm, rate = soundfile.read(demo.folder / "healthy_then_faulty.wav", dtype="int16")
    change = round(demo.document["change_s"] * rate)
    soundfile.write(folder / "healthy.wav", pcm[: 13 * rate], rate, subtype="PCM_16")
    soundfile.write(folder / "faulty.wav", pcm[change : change + 13 * rate], rate, subtype="PCM_16")
    return folder


def test_the_alarm_is_raised(demo: Demo, sounds: Path, pulse_microphone: PulseMicrophone) -> None:
    process = subprocess.Popen(
        [EDGE_ASD, "monitor", demo.folder / "fan.easd", "--section", "00", "--json", "--interval", "0.25"],
        env=pulse_microphone.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: queue.Queue[dict] = queue.Queue()
    assert process.stdout is not None
    assert process.stderr is not None
    reader = threading.Thread(target=lambda: [lines.put(json.loads(line)) for line in process.stdout], daemon=True)
    try:
        assert process.stderr.readline().startswith("Listening to "), process.stderr.read()
        reader.start()
        pulse_microphone.play(sounds / "healthy.wav").wait()
        healthy = _drain(lines)
        pulse_microphone.play(sounds / "faulty.wav").wait()
        faulty = _drain(lines)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    # 13 s of a healthy fan: the decisions on its last seconds hold nothing but sound of the fan.
    # Then 13 s of a faulty one: within its score's span of 10 s it is flagged.
    settled = [d for d in healthy if d["time_s"] > healthy[-1]["time_s"] - 2]
    assert len(settled) >= 7
    assert not any(d["anomaly"] for d in settled), settled
    assert any(d["anomaly"] for d in faulty), faulty[-1]
    times = [d["time_s"] for d in healthy + faulty]
    assert np.allclose(np.diff(times), 0.256, atol=1e-6)  # 8 frames: not a sample was lost or made up


def test_a_microphone_that_is_pulled_out_ends_nothing(fragile_microphone: PulseMicrophone) -> None:
    """And nothing but our words reaches the user, of all that ALSA and PortAudio print."""
    process = subprocess.Popen(
        [EDGE_ASD, "monitor", NAMES["ae"], "--section", "00", "--json"],
        env=fragile_microphone.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert process.stdout is not None
        assert process.stderr.readline().startswith("Listening to ")
        fragile_microphone.kill()
        lost = json.loads(process.stdout.readline())
        fragile_microphone.start()
        back = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    for event, name in ((lost, "signal-lost"), (back, "signal-back")):
        expected = ["event", "time_s", "section", "score", "threshold", "duration_s", "text", "time", "source", "state"]
        assert [key for key in expected if key in event] == list(event)
        assert event["event"] == name
        assert datetime.fromisoformat(event["time"]).tzinfo is not None
    assert back["time_s"] - lost["time_s"] == pytest.approx(back["duration_s"], abs=0.001)
    told = [line for line in errors.splitlines() if not line.startswith("The input has stayed within 1 of a constant")]
    assert [line[:30] for line in told] == [
        "The microphone default is gone",
        f"The microphone is back after {back['duration_s']:.1f}"[:30],
        "Stopped.",
    ]


def _drain(lines: queue.Queue[dict]) -> list[dict]:
    found = []
    while not lines.empty():
        found.append(lines.get())
    return [line for line in found if "event" not in line]
