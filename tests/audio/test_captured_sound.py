"""What is captured, at another gain and rate, against files of the same sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from edge_asd.audio.gain import Gain
from edge_asd.audio.recording_file import read_recording
from edge_asd.audio.stream import Pcm
from edge_asd.monitor.engine import Engine
from tests.audio.fresh_engines import BUNDLE, RATE, assert_decisions_are_those_of_fresh_engines
from tests.audio.listener import listening
from tests.golden.committed import made_sound
from tests.pulse import PulseMicrophone, pulse


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
