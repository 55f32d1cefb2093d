"""A microphone that is pulled out, hangs and comes back, through PortAudio on PulseAudio."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from edge_asd.audio.gain import Gain
from edge_asd.audio.recording_file import read_recording
from edge_asd.audio.stream import Pcm
from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.engine import Engine
from tests.audio.device_trees import MIC, TWIN, Card, alsa_name, make
from tests.audio.listener import Listener, listening
from tests.cli.command import without_microphone
from tests.golden.committed import NAMES, made_sound
from tests.pulse import PulseMicrophone, pulse

RATE = 16000
BUNDLE = Bundle.load(NAMES["ae"])


@pytest.fixture
def long_sound(tmp_path: Path) -> Path:
    """A minute of a machine: longer than any test that plays it."""
    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(made_sound(1, 200), 10), RATE, subtype="PCM_16")
    return path


def decided(listener: Listener) -> list[dict]:
    return [line for line in listener.lines if "score" in line]


def afresh(listener: Listener) -> list[dict]:
    """Decide anew, with a new engine for each span that was heard without a break."""
    found = []
    for start, samples in listener.spans():
        engine = Engine(BUNDLE, "00")
        for decision in engine.push(samples) + engine.finish():
            found.append({**asdict(decision), "time_s": decision.time_s + start / RATE})
    return found


def assert_decisions_are_those_of_fresh_engines(listener: Listener) -> None:
    """All but those that still waited at the end."""
    got, expected = decided(listener), afresh(listener)
    assert len(expected) - 1 <= len(got) <= len(expected)
    for one, other in zip(got, expected, strict=False):
        assert one == {**other, "time_s": pytest.approx(other["time_s"], abs=1e-9)}


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


def test_a_microphone_that_hangs_is_gone_and_holds_nothing_up(
    fragile_microphone: PulseMicrophone, tmp_path: Path, long_sound: Path
) -> None:
    """Closing it would take PortAudio half a minute; an interrupt does not wait for that."""
    with listening(fragile_microphone, tmp_path) as listener:
        listener.wait_for("ready")
        fragile_microphone.pause()
        lost = listener.wait_for("event")
        assert "it sent nothing for 2." in lost["text"]
        assert lost["seconds"] >= 2.0
        listener.process.send_signal(2)
        listener.wait_for("interrupted")
        listener.process.wait(timeout=20)


def test_a_sound_system_that_hangs_at_the_start_is_told_and_waited_for(
    fragile_microphone: PulseMicrophone, tmp_path: Path, long_sound: Path
) -> None:
    fragile_microphone.pause()
    with listening(fragile_microphone, tmp_path, answer_seconds=0.5) as listener:
        lost = listener.wait_for("event", "signal-lost")
        assert "The sound system has not answered for" in lost["text"]
        fragile_microphone.go_on()
        fragile_microphone.play(long_sound)
        assert listener.wait_for("event", "signal-back")["text"] == ""  # from nothing that was heard before
        listener.wait_for("score")
        listener.stop()


def test_a_microphone_that_hung_goes_on(fragile_microphone: PulseMicrophone, tmp_path: Path, long_sound: Path) -> None:
    with listening(fragile_microphone, tmp_path) as listener:
        listener.wait_for("ready")
        fragile_microphone.pause()
        listener.wait_for("event", "signal-lost")
        fragile_microphone.go_on()
        fragile_microphone.play(long_sound)
        assert listener.wait_for("event")["event"] == "signal-back"
        listener.wait_for("score")
        listener.stop()
    assert_decisions_are_those_of_fresh_engines(listener)


def test_lost_samples_are_a_break_of_that_length(pulse_microphone: PulseMicrophone, tmp_path: Path) -> None:
    with listening(pulse_microphone, tmp_path, ring_seconds=1, sleep=2.5) as listener:
        listener.wait_for("ready")
        lost = listener.wait_for("event")
        listener.stop()
    assert lost["event"] == "samples-lost"
    assert lost["samples"] == round(lost["seconds"] * RATE)
    assert 16000 <= lost["samples"] <= 32000  # 2.5 s slept, 1 s kept; a busy computer sleeps longer
    assert lost["text"].endswith("so far: this computer is too busy to keep up.")
    (first, kept), (second, _) = listener.spans()[:2]
    assert second == first + kept.size + lost["samples"] == round(lost["time_s"] * RATE)


def test_an_overflow_too_short_to_measure_is_told_and_counted(
    pulse_microphone: PulseMicrophone, tmp_path: Path
) -> None:
    before = time.time()
    with listening(pulse_microphone, tmp_path, overflow_at=10) as listener:
        lost = listener.wait_for("event")
        listener.wait_for("sound_again")
        listener.stop()
    (count,) = [line for line in listener.lines if "overflows" in line]
    assert count == {"overflows": 1, "lost_seconds": 0.0}
    assert (lost["event"], lost["samples"], lost["seconds"]) == ("samples-lost", 0, 0.0)
    assert lost["text"] == (
        "Sound was lost, too little to measure, 0.00 s and 1 overflow(s) of the sound card so far: "
        "this computer is too busy to keep up."
    )
    assert before < lost["clock"] < time.time()
    (_, first), (second, rest) = listener.spans()
    assert second == first.size == round(lost["time_s"] * RATE) == 10 * RATE // 20  # ten callbacks were before
    assert rest.size


MIC_1 = alsa_name(1, MIC)


@pytest.mark.parametrize(
    ("device", "other"),
    [("usb:1-1.2", {1: TWIN, 3: MIC}), ("device: audio", {3: replace(MIC, port="1-1.4")})],
)
def test_a_microphone_is_found_by_its_hardware_when_its_number_has_changed(
    fragile_microphone: PulseMicrophone, tmp_path: Path, device: str, other: dict[int, Card]
) -> None:
    make(tmp_path, {1: MIC})
    fragile_microphone.show_as(MIC_1)
    with listening(fragile_microphone, tmp_path, device=device, tree=str(tmp_path)) as listener:
        assert listener.wait_for("ready")["description"].startswith(MIC_1)
        fragile_microphone.kill()
        listener.wait_for("event", "signal-lost")
        make(tmp_path, other)
        fragile_microphone.show_as(*[alsa_name(number, card) for number, card in other.items()])
        fragile_microphone.start()
        back = listener.wait_for("event", "signal-back")
        listener.stop()
    assert f"without sound: {alsa_name(3, MIC)} (ALSA" in back["text"]


def test_a_number_is_cautioned_against(pulse_microphone: PulseMicrophone, tmp_path: Path) -> None:
    make(tmp_path, {1: MIC})
    pulse_microphone.show_as(MIC_1)
    try:
        with listening(pulse_microphone, tmp_path, device=0, tree=str(tmp_path)) as listener:
            ready = listener.wait_for("ready")
            listener.stop()
    finally:
        pulse_microphone.show_as()
    assert ready["description"].startswith(MIC_1)
    assert ready["caution"].endswith("Choose it with --device usb:1-1.2.")


def test_the_gain_of_a_microphone_is_that_of_a_file(
    pulse_microphone: PulseMicrophone, tmp_path: Path, long_sound: Path
) -> None:
    with listening(pulse_microphone, tmp_path, gain_db=12.5) as listener:
        assert listener.wait_for("ready")["caution"] == ""
        pulse_microphone.play(long_sound)
        listener.wait_for("score")
        listener.stop()
    ((_, heard),) = listener.spans()
    native = listener.native()
    assert np.array_equal(heard, Gain(12.5).apply(native)[: heard.size])
    assert np.abs(heard).max() > 2 * np.abs(native).max()


@pytest.mark.parametrize(("rate", "channels", "channel"), [(44100, 2, 1), (48000, 1, 0)])
def test_other_rates_score_as_16_khz_does(tmp_path: Path, rate: int, channels: int, channel: int) -> None:
    machine = np.rint(soxr.resample(made_sound(1, 200)[RATE : 4 * RATE].astype(float), RATE, rate)).astype(np.int16)
    machine = np.pad(machine, rate // 4)  # PulseAudio may swallow the first hundredths of a second
    other = np.roll(machine, 7) // 2
    played = tmp_path / "played.wav"
    soundfile.write(played, np.stack([other, machine], axis=1)[:, 2 - channels :], rate, subtype="PCM_16")
    with (
        pulse(rate=rate, channels=channels) as microphone,
        listening(microphone, tmp_path, only_rate=rate, channel=channel) as listener,
    ):
        assert listener.wait_for("ready")["description"].endswith(f"channel {channel}, resampled from {rate} Hz")
        microphone.play(played).wait(timeout=60)
        listener.wait_for("note")  # of the silence after it
        listener.stop()
    native = listener.native()
    start = int(np.flatnonzero(native)[0]) - int(np.flatnonzero(machine)[0])
    assert np.array_equal(native[start : start + machine.size], machine)  # nothing lost, nothing changed
    # What is heard live is what a file of the same samples gives.
    recorded = tmp_path / "recorded.wav"
    soundfile.write(recorded, native, rate, subtype="PCM_16")
    ((_, live),) = listener.spans()
    from_file = read_recording(recorded, sample_rate=RATE, channel=0).pcm
    assert np.array_equal(live, from_file[: live.size])
    assert_decisions_are_those_of_fresh_engines(listener)
    # The same sound at 16 kHz starts up to half a sample aside; silence has no score that could be compared.
    at_16k = read_recording(played, sample_rate=RATE, channel=channel).pcm
    quiet, begin = RATE // 4, round(start * RATE / rate)
    expected = scores(at_16k[quiet:-quiet])
    got = scores(live[begin + quiet : begin + at_16k.size - quiet])
    print(f"{rate} Hz: scores differ by {np.abs(got / expected - 1).max():.2%} at most")
    assert np.abs(got / expected - 1).max() < 0.02


def scores(pcm: Pcm) -> np.ndarray:
    return np.array([decision.score for decision in Engine(BUNDLE, "00", interval_s=0.25).push(pcm)])
