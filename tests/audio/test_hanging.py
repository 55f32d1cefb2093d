"""A microphone or a sound system that hangs, through PortAudio on PulseAudio."""

from __future__ import annotations

from pathlib import Path

from tests.audio.fresh_engines import assert_decisions_are_those_of_fresh_engines
from tests.audio.listener import listening
from tests.pulse import PulseMicrophone


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
