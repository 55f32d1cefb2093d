"""Which USB microphone a text means, and which text a microphone is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.audio.devices import InputDevice
from edge_asd.audio.hardware import Hardware
from edge_asd.audio.selectors import by_port, choose_device, selector
from edge_asd.errors import AudioDeviceError, NoSuchDeviceError, UnavailableDeviceError
from tests.audio.device_trees import HAT, HDMI, MIC, TWIN, YETI, alsa_name, listed

CARDS = {0: HDMI, 1: HAT, 2: MIC, 3: TWIN, 4: YETI}
TWO_PARTS = replace(MIC, id="Array", name="Array", port="1-1.5", vendor="2886", product="0018", captures=2)


@pytest.mark.parametrize(
    ("wanted", "card"),
    [
        ("usb:1-1.2", 2),
        ("usb:1-1.3", 3),
        ("USB:1-1.3", 3),
        ("usb:1-1.3,0", 3),
        ("usb:b58e:9e84", 4),
        ("USB:B58E:9E84", 4),
        ("usb:b58e:9e84:797_2019/08/05_01234", 4),
        ("usb:b58e:9e84:797_2019/08/05_01234,0", 4),
        ("yeti", 4),
        ("googlevoicehat", 1),
        ("hw:2", 2),
    ],
)
def test_a_microphone_is_chosen_by_what_it_is(tmp_path: Path, wanted: str, card: int) -> None:
    assert choose_device(listed(tmp_path, CARDS), wanted).card == card


def test_each_microphone_is_given_the_text_that_lasts(tmp_path: Path) -> None:
    devices = listed(tmp_path, {**CARDS, 5: TWO_PARTS})
    assert [selector(device, devices) for device in devices] == [
        "snd_rpi_googlevoicehat_soundcar: Google voiceHAT SoundCard HiFi voicehat-hifi-0",
        "usb:1-1.2",
        "usb:1-1.3",
        "usb:b58e:9e84:797_2019/08/05_01234",
        "usb:1-1.5,0",
        "usb:1-1.5,1",
        "default",
    ]


def test_a_serial_number_that_two_share_tells_them_not_apart(tmp_path: Path) -> None:
    both = {1: replace(MIC, serial="ABC1"), 2: replace(TWIN, serial="ABC1")}
    devices = listed(tmp_path, both)
    assert [selector(device, devices) for device in devices] == ["usb:1-1.2", "usb:1-1.3", "default"]
    with pytest.raises(AudioDeviceError, match="could be any of"):
        choose_device(devices, "usb:0d8c:0014:ABC1")


@pytest.mark.parametrize("wanted", ["usb:0d8c:0014", "USB PnP Sound Device", "usb pnp"])
def test_two_of_a_kind_are_refused_with_what_to_write(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(AudioDeviceError) as caught:
        choose_device(listed(tmp_path, CARDS), wanted)
    assert type(caught.value) is AudioDeviceError
    assert str(caught.value) == (
        f"The microphone {wanted!r} could be any of: "
        "[1] USB PnP Sound Device: Audio (hw:2,0) (ALSA, 1 ch, 48000 Hz) = usb:1-1.2; "
        "[2] USB PnP Sound Device: Audio (hw:3,0) (ALSA, 1 ch, 48000 Hz) = usb:1-1.3. "
        "Give what is after the equals sign."
    )


@pytest.mark.parametrize("wanted", ["usb:1-1.4", "usb:1-1.2,1", "usb:2-1.2", "usb:0d8c:0015", "usb:b58e:9e84:OTHER"])
def test_what_is_not_plugged_in_may_come_later(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(
        NoSuchDeviceError,
        match=r"There is no microphone .* = usb:1-1\.2; .* = default\. Check the name, or plug it in\.$",
    ):
        choose_device(listed(tmp_path, {2: MIC}), wanted)


def test_serial_numbers_are_told_apart_by_case(tmp_path: Path) -> None:
    devices = listed(tmp_path, {1: replace(MIC, serial="abC1")})
    assert choose_device(devices, "USB:0D8C:0014:abC1").card == 1
    with pytest.raises(UnavailableDeviceError):
        choose_device(devices, "usb:0d8c:0014:ABC1")


@pytest.mark.parametrize("wanted", ["usb:1-1.2.", "usb:1.2", "usb:0d8c", "usb:0d8c:014", "usb:0d8c:0014:", "usb:x;y"])
def test_what_is_no_usb_selector_is_refused_at_once(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(AudioDeviceError, match=r"names no USB microphone: write usb:1-1\.2 for") as caught:
        choose_device(listed(tmp_path, {2: MIC}), wanted)
    assert type(caught.value) is AudioDeviceError


def test_a_card_may_be_called_usb(tmp_path: Path) -> None:
    assert choose_device(listed(tmp_path, {1: replace(MIC, name="USB", pcm="Mic"), 2: YETI}), "usb: mic").card == 1


GENERAL = replace(TWIN, name="USB Audio Device", pcm="-")
NAMED = replace(YETI, name="C-Media USB Audio Device")


def test_a_general_name_is_not_taken_beside_another_that_fits(tmp_path: Path) -> None:
    """At boot, one of them may not be called yet what it will be."""
    with pytest.raises(UnavailableDeviceError, match=r"could be any of: .* = usb:b58e:.*; .* = usb:1-1\.3\."):
        choose_device(listed(tmp_path, {1: NAMED, 2: GENERAL}), "usb audio device")
    later = listed(tmp_path, {1: NAMED, 2: replace(GENERAL, name="Snowball")})
    assert choose_device(later, "usb audio device").card == 1


def test_a_general_name_may_be_the_only_one(tmp_path: Path) -> None:
    assert choose_device(listed(tmp_path, {1: YETI, 2: GENERAL}), "usb audio device").card == 2
    with pytest.raises(AudioDeviceError) as caught:
        choose_device(
            listed(tmp_path, {1: GENERAL, 2: replace(GENERAL, id="Device", port="1-1.2")}), "usb audio device"
        )
    assert type(caught.value) is AudioDeviceError  # No name of either's own will ever come, as far as is known.


@pytest.mark.parametrize(
    ("card", "general"),
    [
        *[(name, True) for name in ("USB Audio Device", "USB Audio", "Audio Device", "USB Device 0xd8c:0x14")],
        *[(name, False) for name in ("C-Media USB Audio Device", "USB PnP Sound Device", "USB Audio Device Pro")],
    ],
)
def test_names_that_alsa_gives_to_any(card: str, general: bool) -> None:
    name = alsa_name(1, replace(MIC, name=card))
    assert InputDevice(0, name, 1, 48000, "ALSA", False).has_general_name == general
    assert not InputDevice(0, card, 1, 48000, "Core Audio", False).has_general_name


@pytest.mark.parametrize("wanted", ["9" * 5000, "-1", "²", "٣", "usb:" + "9" * 500, "\0"])
def test_senseless_texts_are_refused(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(AudioDeviceError, match=r"There is no microphone|names no USB"):
        choose_device(listed(tmp_path, {2: YETI}), wanted)


def test_a_port_is_told_from_a_vendor() -> None:
    assert by_port("usb:1-1.2,0")
    assert not any(by_port(wanted) for wanted in (None, 2, "2", "usb:0d8c:0014", "usb:1-1.2 ", "1-1.2"))


PORTS = [f"1-1.{n}" for n in range(1, 5)]
HARDWARE = st.builds(
    Hardware,
    usb_path=st.sampled_from([None, *PORTS]),
    usb_id=st.sampled_from([None, "0d8c:0014", "b58e:9e84"]),
    serial=st.sampled_from([None, "A1", "B2"]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(HARDWARE, st.sampled_from(["Mic", "Mic 2", "2", "usb:1-1.1"]), st.booleans()), max_size=6))
def test_what_a_microphone_is_given_means_it_alone(kinds: list[tuple[Hardware, str, bool]]) -> None:
    devices = [
        InputDevice(n, f"{name}: Audio (hw:{n},{n % 2})" if alsa else name, 1, 48000, "ALSA", False, hardware)
        for n, (hardware, name, alsa) in enumerate(kinds)
    ]
    for device in devices:
        text = selector(device, devices)
        unnamed = text == str(device.index)
        # A number is the last resort, and a name may be a number.
        if not (unnamed and any(other.name == text for other in devices)):
            assert choose_device(devices, text) == device
        if device.hardware.usb_path and sum(d.hardware.usb_path == device.hardware.usb_path for d in devices) == 1:
            assert text.startswith("usb:")
