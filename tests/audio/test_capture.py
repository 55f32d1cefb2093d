"""A microphone that is pulled out, comes later and comes back, through PortAudio on PulseAudio."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audio.fresh_engines import RATE, assert_decisions_are_those_of_fresh_engines
from tests.audio.listener import listening
from tests.cli.command import without_microphone
from tests.pulse import PulseMicrophone


@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.prove)])
def test_a_microphone_that_is_pulled_out_is_opened_again(
    fragile_microphone: PulseMicrophone, tmp_path: Path, long_sound: Path, times: int
) -> None:
    with listening(fragile_microphone, tmp_path) as listener:
        assert "default (ALSA" in listener.wait_for("ready")["description"]
        fragile_microphone.play(long_sound)
        listener.wait_for("score")
        pairs = []
        for _ in range(times):
            fragile_microphone.kill()
            lost = listener.wait_for("event")
            fragile_microphone.start()
            fragile_microphone.play(long_sound)
            back = listener.wait_for("event")
            pairs.append((lost, back))
            listener.wait_for("score")
        listener.stop()
    notes = [line["note"] for line in listener.lines if "note" in line and "constant" not in line["note"]]
    assert len(notes) == 2 * times  # one line when it is lost, one when it is back
    for (lost, back), gone, returned in zip(pairs, notes[::2], notes[1::2], strict=True):
        assert (lost["event"], back["event"]) == ("signal-lost", "signal-back")
        assert gone.startswith("The microphone default is gone: ")
        assert returned.startswith(f"The microphone is back after {back['seconds']:.1f} s without sound: default")
        # Time goes on through the gap, by the clock.
        assert lost["samples"] == 0
        assert back["samples"] == round(back["seconds"] * RATE) > 0
        assert back["time_s"] - lost["time_s"] == pytest.approx(back["seconds"], abs=1e-4)
        assert back["clock"] - lost["clock"] == pytest.approx(back["seconds"], abs=0.1)
    assert len(listener.spans()) == 1 + 2 * times  # an empty one while it is away
    assert_decisions_are_those_of_fresh_engines(listener)


def test_a_microphone_that_comes_later_is_waited_for(
    fragile_microphone: PulseMicrophone, tmp_path: Path, long_sound: Path
) -> None:
    fragile_microphone.kill()
    with listening(fragile_microphone, tmp_path) as listener:
        lost = listener.wait_for("event")
        assert (lost["event"], lost["time_s"]) == ("signal-lost", 0.0)
        fragile_microphone.start()
        fragile_microphone.play(long_sound)
        back = listener.wait_for("event")
        assert back["event"] == "signal-back"
        assert back["time_s"] == pytest.approx(back["seconds"], abs=1e-4)
        listener.wait_for("score")
        listener.stop()
    (note,) = [line["note"] for line in listener.lines if "note" in line and "constant" not in line["note"]]
    assert note.startswith("No microphone was found. ")
    assert note.endswith(" Waiting for it; Ctrl-C stops.")
    assert_decisions_are_those_of_fresh_engines(listener)


def test_an_interrupt_ends_the_waiting(fragile_microphone: PulseMicrophone, tmp_path: Path) -> None:
    fragile_microphone.kill()
    with listening(fragile_microphone, tmp_path) as listener:
        listener.wait_for("event")
        listener.stop()


def test_a_capture_tells_that_it_waits_and_ends_from_another_thread(tmp_path: Path) -> None:
    code = (
        "import threading\nfrom edge_asd.audio.capture import Capture\nfrom edge_asd.audio.stream import Waiting\n"
        "names = []\ncapture = Capture().__enter__()\n"
        "def read():\n    for part in capture.sound():\n        names.append(type(part).__name__)\n"
        "        print(names[-1], flush=True)\n"
        "thread = threading.Thread(target=read)\nthread.start()\nwhile names.count('Waiting') < 3: thread.join(0.05)\n"
        "capture.__exit__()\nthread.join()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **without_microphone(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[:4] == ["Break", "Waiting", "Waiting", "Waiting"]
