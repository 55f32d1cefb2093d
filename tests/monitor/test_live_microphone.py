"""The monitor on a real stream through PortAudio: a healthy machine, then a faulty one."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from quantize.pipeline import quantise_run
from tests.cli.command import EDGE_ASD
from tests.pulse import PulseMicrophone
from train.fitting import train
from train.synthesis import make_dataset, make_turning_file

SCORE_SECONDS = 3.0


@pytest.fixture(scope="module")
def fan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with fan.easd, trained for this test, and a recording of each condition."""
    folder = tmp_path_factory.mktemp("fan")
    make_dataset(folder / "data", sections=("00",), train_source=30, train_target=3, test_per_class=1, seconds=4.0)
    train(folder / "data", "fan", folder / "run", epochs=25)
    quantise_run(folder / "run", folder / "data", folder / "fan.easd", quantile=1.0, score_seconds=SCORE_SECONDS)
    change = make_turning_file(folder / "both.wav", section="00", seed=0, healthy_seconds=8, faulty_seconds=8)
    pcm, rate = soundfile.read(folder / "both.wav", dtype="int16")
    soundfile.write(folder / "healthy.wav", pcm[: int(change * rate)], rate, subtype="PCM_16")
    soundfile.write(folder / "faulty.wav", pcm[int(change * rate) :], rate, subtype="PCM_16")
    return folder


def test_the_alarm_is_raised(fan: Path, pulse_microphone: PulseMicrophone) -> None:
    process = subprocess.Popen(
        [EDGE_ASD, "monitor", fan / "fan.easd", "--section", "00", "--json", "--interval", "0.25"],
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
        pulse_microphone.play(fan / "healthy.wav").wait()
        healthy = _drain(lines)
        pulse_microphone.play(fan / "faulty.wav").wait()
        faulty = _drain(lines)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    # What is played is what is heard: once the first score's span holds nothing but the healthy fan
    # no decision is anomalous, and the fault is flagged within its own span.
    assert len(healthy) >= 10
    assert len(faulty) >= 20
    settled = [d for d in healthy if d["time_s"] > healthy[-1]["time_s"] - 3]
    assert not any(d["anomaly"] for d in settled), settled
    assert any(d["anomaly"] for d in faulty), faulty[-1]
    times = [d["time_s"] for d in healthy + faulty]
    assert np.allclose(np.diff(times), 0.256, atol=1e-6)  # 8 frames: not a sample was lost or made up


def _drain(lines: queue.Queue[dict]) -> list[dict]:
    found = []
    while not lines.empty():
        found.append(lines.get())
    return found
