"""A microphone chosen by its hardware or its number, through PortAudio on PulseAudio."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.audio.device_trees import MIC, TWIN, Card, alsa_name, make
from tests.audio.listener import listening
from tests.pulse import PulseMicrophone

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
