"""Sound that is lost between the microphone and whoever listens, through PortAudio on PulseAudio."""

from __future__ import annotations

import time
from pathlib import Path

from tests.audio.fresh_engines import RATE
from tests.audio.listener import listening
from tests.pulse import PulseMicrophone


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
