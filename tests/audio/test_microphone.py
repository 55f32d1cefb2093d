"""A real stream through PortAudio, from a PulseAudio null sink."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.audio.listener import listening
from tests.audio.wav_files import chunk, fmt, pcm16, riff, tone
from tests.pulse import PulseMicrophone


def rms_db(pcm) -> float:
    return 20 * np.log10(np.sqrt(np.mean(pcm.astype(float) ** 2)))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"device": None}, id="default device"),
        pytest.param({"device": "DEFAULT", "channel": 1}, id="second channel"),
        pytest.param({"device": 0, "only_rate": 44100}, id="16 kHz refused"),
    ],
)
def test_a_tone_is_heard_at_its_level_and_frequency(pulse_microphone: PulseMicrophone, tmp_path: Path, options) -> None:
    wav = tmp_path / "tone.wav"
    played = tone(440, 2.5, 16000, amplitude=8000)
    wav.write_bytes(riff(fmt(), chunk(b"data", pcm16(played))))
    with listening(pulse_microphone, tmp_path, **options) as listener:
        ready = listener.wait_for("ready")
        assert pulse_microphone.play(wav).wait(timeout=60) == 0
        listener.wait_for("note")  # of the silence after it
        listener.stop()
    assert "default (ALSA, own rate 44100 Hz)" in ready["description"]
    assert ready["description"].endswith("resampled from 44100 Hz") == ("only_rate" in options)
    ((_, heard),) = listener.spans()  # nothing was lost
    start = int(np.argmax(np.abs(heard) > 4000)) + 4000  # The player starts when it can.
    steady = heard[start : start + 16000]
    assert steady.size == 16000, "the tone came too late"
    assert rms_db(steady) == pytest.approx(rms_db(played), abs=0.05)
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(steady.size)))
    assert int(spectrum.argmax()) == 440  # One bin is 1 Hz.
    assert spectrum[438:443].sum() > 0.95 * spectrum.sum(), "a gap or a click would spread the tone"


def test_a_channel_that_is_not_there_is_refused(pulse_microphone: PulseMicrophone, tmp_path: Path) -> None:
    with listening(pulse_microphone, tmp_path, channel=32) as listener:
        refused = listener.wait_for("error")
    assert refused["error"] == "AudioDeviceError"
    assert "32 channels, 0 to 31; there is no channel 32" in refused["message"]


@pytest.mark.parametrize("device", [7, "7"])
def test_an_index_that_is_not_there_is_refused(pulse_microphone: PulseMicrophone, tmp_path: Path, device) -> None:
    with listening(pulse_microphone, tmp_path, device=device) as listener:
        refused = listener.wait_for("error")
    assert refused["message"].startswith(f"There is no microphone {device!r}. There are: [0] default (ALSA, 32 ch")


def test_a_name_that_is_not_there_is_waited_for(pulse_microphone: PulseMicrophone, tmp_path: Path) -> None:
    with listening(pulse_microphone, tmp_path, device="Blue Yeti") as listener:
        note = listener.wait_for("note")["note"]
        listener.stop()
    assert note.startswith("There is no microphone 'Blue Yeti'. There are: [0] default (ALSA, 32 ch")
    assert note.endswith(" Check the name, or plug it in. Waiting for it; Ctrl-C stops.")


def test_the_list_of_devices(pulse_microphone: PulseMicrophone) -> None:
    code = "from edge_asd.audio.microphone import input_devices\nprint([str(d) for d in input_devices()])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=pulse_microphone.env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "['[0] default (ALSA, 32 ch, 44100 Hz, default)']\n"
