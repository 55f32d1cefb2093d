"""A microphone as a source, through PortAudio on PulseAudio."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.pulse import PulseMicrophone

_LISTEN = """
import json
import numpy as np
from edge_asd.monitor.sources.microphone import MicrophoneSource
from edge_asd.monitor.sources.source import Delivery
count = 0
source = MicrophoneSource("hall", Delivery(gain=lambda pcm: np.full_like(pcm, 7)))
with source:
    names = [source.name, source.description]
    for part in source.sound():
        if isinstance(part, np.ndarray):
            assert (part == 7).all()
            count += part.size
            if count > 8000:
                break
print(json.dumps([*names, source.description, source.live, source.lost_s]))
assert not list(source.sound())
"""


def test_a_microphone_is_a_source(pulse_microphone: PulseMicrophone) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LISTEN],
        env={**pulse_microphone.env, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    name, before, after, live, lost_s = json.loads(done.stdout)
    assert (name, before, live, lost_s) == ("hall", "hall", True, 0.0)
    assert after.startswith("default (ALSA")
