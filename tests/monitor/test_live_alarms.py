"""Alarms of a real stream through PortAudio, as a person sees them."""

from __future__ import annotations

import signal
import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from edge_asd.bundle.bundle import Bundle
from tests.cli.command import EDGE_ASD
from tests.data import RATE, write_wav
from tests.golden.committed import NAMES, made_sound
from tests.pulse import PulseMicrophone

HALF = 3 * RATE


def test_an_alarm_is_raised_once_and_cleared_once(tmp_path: Path, pulse_microphone: PulseMicrophone) -> None:
    bundle, path = Bundle.load(NAMES["ae"]), tmp_path / "fan.easd"
    # Between the scores of the sound's healthy half and of its faulty one.
    thresholds = {**bundle.thresholds, "00": replace(bundle.thresholds["00"], score=10 << 16)}
    replace(bundle, thresholds=thresholds).save(path)
    healthy = [made_sound(seed, 200)[:HALF] for seed in (1, 2, 3, 4)]
    faulty = [made_sound(seed, 200)[HALF:] for seed in (5, 6)]
    write_wav(tmp_path / "machine.wav", np.concatenate([*healthy[:2], *faulty, *healthy[2:]]))
    process = subprocess.Popen(
        [EDGE_ASD, "monitor", path, "--section", "00", "--interval", "0.25", "--alarm-after", "6/8"],
        env=pulse_microphone.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Listening to "), process.stderr.read()
        pulse_microphone.play(tmp_path / "machine.wav").wait()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    lines = output.splitlines()
    for line in lines:
        assert datetime.fromisoformat(line[:19])
    texts = [line[21:].removeprefix("section 00  ") for line in lines]
    # Between the start and the playing, and after it, the input may be dead.
    texts = [text for text in texts if not text.startswith(("dead", "alive"))]
    summaries = [text for text in texts if " over it: " in text]
    first, raised, cleared = [text for text in texts if text not in summaries]
    assert first.startswith(("healthy  score ", "suspect  score "))
    assert raised.startswith("ALARM raised  score ")
    assert cleared.startswith("cleared  score ")
    assert summaries[-1].startswith("healthy  scores ")
    assert sum(int(text.split()[-1]) for text in summaries) > 50
    assert errors.splitlines()[-1] == "Stopped."
