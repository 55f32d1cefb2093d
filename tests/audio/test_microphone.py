"""A real stream through PortAudio, from a PulseAudio null sink.

Each listener is a process of its own: the environment that names the microphone is read when
PortAudio is loaded.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.audio.wav_files import chunk, fmt, pcm16, riff, tone
from tests.pulse import PulseMicrophone

LISTENER = """
import json, os, sys, time
import numpy as np
from edge_asd.audio import microphone as module
from edge_asd.errors import EdgeAsdError

options = json.loads(sys.argv[1])
module._RING_SECONDS = options.pop("ring_seconds", module._RING_SECONDS)
seconds, sleep, path = options.pop("seconds"), options.pop("sleep", 0), options.pop("path", None)
if options.pop("refuse_16k", False):
    # No device here refuses 16 kHz as USB microphones do: PortAudio's answer to that one question is replaced.
    sd = module.import_sounddevice()
    ask = sd.check_input_settings
    def check_input_settings(**settings):
        if settings["samplerate"] == 16000:
            raise sd.PortAudioError("Invalid sample rate")
        ask(**settings)
    sd.check_input_settings = check_input_settings

def say(**what):
    print(json.dumps(what), flush=True)

try:
    with module.Microphone(**options) as microphone:
        blocks, count, started = [], 0, None
        for block in microphone.blocks():
            assert block.dtype == np.int16 and block.ndim == 1 and block.size
            if started is None:
                say(ready=True, description=microphone.description, rate=microphone.recorded_rate)
                started = time.monotonic()
                time.sleep(sleep)
                continue
            blocks.append(block)
            count += block.size
            if count >= seconds * 16000:
                break
        if path:
            np.save(path, np.concatenate(blocks))
        say(dropped=microphone.dropped_samples, overflows=microphone.overflows, count=count,
            elapsed=time.monotonic() - started)
except EdgeAsdError as error:
    say(error=type(error).__name__, message=str(error))
except KeyboardInterrupt:
    say(interrupted=True)
# A frozen sound server would hold up PortAudio's own end of the process.
os._exit(0)
"""


@contextmanager
def listening(microphone: PulseMicrophone, **options: object) -> Iterator[subprocess.Popen[str]]:
    listener = subprocess.Popen(
        [sys.executable, "-c", LISTENER, json.dumps({"seconds": 3600, **options})],
        env=microphone.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield listener
    finally:
        listener.kill()
        listener.communicate()


def answer(listener: subprocess.Popen[str]) -> dict:
    """Wait for the listener's next line."""
    assert listener.stdout is not None
    assert listener.stderr is not None
    line = listener.stdout.readline()
    assert line, listener.stderr.read()
    return json.loads(line)


def rms_db(pcm) -> float:
    return 20 * np.log10(np.sqrt(np.mean(pcm.astype(float) ** 2)))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"device": None}, id="default device"),
        pytest.param({"device": "DEFAULT", "channel": 1}, id="second channel"),
        pytest.param({"device": 0, "refuse_16k": True}, id="16 kHz refused"),
    ],
)
def test_a_tone_is_heard_at_its_level_and_frequency(pulse_microphone: PulseMicrophone, tmp_path: Path, options) -> None:
    wav, out = tmp_path / "tone.wav", tmp_path / "heard.npy"
    played = tone(440, 2.5, 16000, amplitude=8000)
    wav.write_bytes(riff(fmt(), chunk(b"data", pcm16(played))))
    with listening(pulse_microphone, seconds=2.5, path=str(out), **options) as listener:
        ready = answer(listener)
        player = pulse_microphone.play(wav)
        done = answer(listener)
        assert player.wait(timeout=60) == 0
    assert ready["rate"] == (44100 if "refuse_16k" in options else 16000)
    assert "default (ALSA, own rate 44100 Hz)" in ready["description"]
    assert (done["dropped"], done["overflows"]) == (0, 0)
    heard = np.load(out)
    start = int(np.argmax(np.abs(heard) > 4000)) + 4000  # The player starts when it can.
    steady = heard[start : start + 16000]
    assert steady.size == 16000, "the tone came too late"
    assert rms_db(steady) == pytest.approx(rms_db(played), abs=0.05)
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(steady.size)))
    assert int(spectrum.argmax()) == 440  # One bin is 1 Hz.
    assert spectrum[438:443].sum() > 0.95 * spectrum.sum(), "a gap or a click would spread the tone"


def test_a_slow_reader_loses_sound_and_is_told_how_much(pulse_microphone: PulseMicrophone) -> None:
    with listening(pulse_microphone, seconds=1.5, ring_seconds=1, sleep=2.5) as listener:
        answer(listener)
        done = answer(listener)
    assert 16000 <= done["dropped"] <= 28000  # 2.5 s slept, 1 s kept.
    assert done["count"] + done["dropped"] == pytest.approx(done["elapsed"] * 16000, abs=0.3 * 16000)


def test_an_interrupt_ends_it_even_while_nothing_comes(fragile_microphone: PulseMicrophone) -> None:
    with listening(fragile_microphone, stall_seconds=3600) as listener:
        answer(listener)
        fragile_microphone.pause()
        time.sleep(0.3)
        listener.send_signal(signal.SIGINT)
        assert answer(listener) == {"interrupted": True}
        assert listener.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "Blue Yeti"}, "There is no microphone 'Blue Yeti'. There are: [0] default (ALSA, 32 ch"),
        ({"channel": 32}, "32 channels, 0 to 31; there is no channel 32"),
    ],
)
def test_a_wrong_choice_is_refused(pulse_microphone: PulseMicrophone, options, words: str) -> None:
    with listening(pulse_microphone, **options) as listener:
        refused = answer(listener)
    assert refused["error"] == "AudioDeviceError"
    assert words in refused["message"]


def test_the_list_of_devices(pulse_microphone: PulseMicrophone) -> None:
    code = "from edge_asd.audio.microphone import input_devices\nprint([str(d) for d in input_devices()])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=pulse_microphone.env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "['[0] default (ALSA, 32 ch, 44100 Hz, default)']\n"


def test_a_microphone_pulled_out_is_an_error(fragile_microphone: PulseMicrophone) -> None:
    with listening(fragile_microphone, stall_seconds=3600) as listener:  # so it is not the silence that tells
        answer(listener)
        fragile_microphone.kill()
        ended = answer(listener)
    assert ended["error"] == "AudioDeviceError"
    assert "was unplugged" in ended["message"]


def test_a_microphone_that_hangs_is_an_error_after_the_stall_time(fragile_microphone: PulseMicrophone) -> None:
    with listening(fragile_microphone, stall_seconds=1.0) as listener:
        answer(listener)
        fragile_microphone.pause()
        ended = answer(listener)
    assert ended["error"] == "AudioDeviceError"
    (silence,) = re.findall(r"has sent nothing for ([0-9.]+) s", ended["message"])
    assert float(silence) >= 1.0
