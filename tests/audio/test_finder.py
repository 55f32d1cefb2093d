"""The same microphone again: after a reboot's other numbers, at another port, beside its twin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.audio.devices import InputDevice, with_hardware
from edge_asd.audio.finder import DeviceFinder
from edge_asd.audio.hardware import Hardware
from edge_asd.audio.selectors import choose_device, selector
from edge_asd.errors import UnavailableDeviceError
from tests.audio.device_trees import HAT, HDMI, MIC, TWIN, YETI, listed

MOVED = replace(MIC, port="1-1.5")
GENERAL = replace(MIC, name="USB Audio Device", pcm="-")


def test_twins_keep_their_ports_whatever_numbers_they_get(tmp_path: Path) -> None:
    devices = listed(tmp_path, {0: HDMI, 1: MIC, 2: TWIN})
    wanted = [selector(device, devices) for device in devices[:2]]
    assert wanted == ["usb:1-1.2", "usb:1-1.3"]
    finders = [DeviceFinder(text) for text in wanted]
    for cards in ({0: HDMI, 1: MIC, 2: TWIN}, {0: TWIN, 1: HDMI, 2: MIC}, {3: TWIN, 7: MIC}):
        again = listed(tmp_path, cards)
        for text, finder, card in zip(wanted, finders, (MIC, TWIN), strict=True):
            found = finder.find(again)
            assert found.hardware.usb_path == card.port
            assert cards[found.card or 0] is card
            assert choose_device(again, text) == found  # so does a program that was started after the reboot
    left = listed(tmp_path, {1: TWIN})
    with pytest.raises(UnavailableDeviceError, match=r"USB PnP Sound Device: Audio \(hw:7,0\) is not there\.$"):
        finders[0].find(left)
    assert finders[1].find(left).card == 1


@pytest.mark.parametrize("wanted", ["usb pnp", "usb:0d8c:0014", 0])
def test_one_that_was_moved_is_found_unless_it_has_a_twin(tmp_path: Path, wanted: str | int) -> None:
    finder = DeviceFinder(wanted)
    finder.find(listed(tmp_path, {1: MIC, 2: YETI}))
    assert finder.find(listed(tmp_path, {1: YETI, 2: MOVED})).card == 2
    assert finder.find(listed(tmp_path, {1: TWIN, 2: MOVED})).card == 2  # from now on it has one
    for cards in ({1: TWIN}, {1: MIC}):
        with pytest.raises(UnavailableDeviceError):
            finder.find(listed(tmp_path, cards))
    assert finder.find(listed(tmp_path, {1: MOVED})).card == 1


def test_one_with_a_serial_number_is_found_at_any_port(tmp_path: Path) -> None:
    one, other = replace(MIC, serial="A1B2"), replace(TWIN, serial="A1B3")
    finder = DeviceFinder("usb:0d8c:0014:A1B2")
    assert finder.find(listed(tmp_path, {1: other, 2: one})).card == 2
    with pytest.raises(UnavailableDeviceError):
        finder.find(listed(tmp_path, {2: other}))
    swapped = {1: replace(other, port=one.port), 2: replace(one, port=other.port)}
    with pytest.raises(UnavailableDeviceError, match=r"Another is at its USB port 1-1\.2: \[0\] USB PnP"):
        finder.find(listed(tmp_path, {1: swapped[1]}))
    assert finder.find(listed(tmp_path, swapped)).card == 2


def test_who_asks_for_a_port_gets_what_is_plugged_in_there(tmp_path: Path) -> None:
    finder = DeviceFinder("usb:1-1.2")
    finder.find(listed(tmp_path, {1: replace(MIC, serial="A1B2")}))
    assert finder.find(listed(tmp_path, {3: replace(MIC, serial="A1B3")})).card == 3  # a spare one of its kind
    with pytest.raises(UnavailableDeviceError, match=r"(?<!Another is)\.$"):
        finder.find(listed(tmp_path, {1: replace(MIC, serial="A1B2", port="1-1.3")}))
    with pytest.raises(UnavailableDeviceError, match=r"Another is at its USB port 1-1\.2: .* Start again to use that"):
        finder.find(listed(tmp_path, {1: replace(YETI, port="1-1.2")}))


def test_the_general_name_at_boot_is_that_of_the_same_microphone(tmp_path: Path) -> None:
    finder = DeviceFinder("usb pnp")
    with pytest.raises(UnavailableDeviceError, match="There is no microphone 'usb pnp'"):
        finder.find(listed(tmp_path, {1: GENERAL}))
    finder.find(listed(tmp_path, {1: MIC, 2: YETI}))
    assert finder.find(listed(tmp_path, {0: YETI, 1: GENERAL})).name == "USB Audio Device: - (hw:1,0)"
    assert finder.find(listed(tmp_path, {2: MIC})).card == 2


def test_one_of_several_devices_of_a_card(tmp_path: Path) -> None:
    array = replace(MIC, captures=2)
    finder = DeviceFinder("usb:1-1.2,1")
    for cards in ({1: array}, {4: array}):
        found = finder.find(listed(tmp_path, cards))
        assert (found.card, found.part) == (next(iter(cards)), 1)
    with pytest.raises(UnavailableDeviceError):
        finder.find(listed(tmp_path, {4: MIC}))


def test_where_its_hardware_is_not_told_the_name_decides(tmp_path: Path) -> None:
    known = listed(tmp_path, {1: MIC})
    hidden = [with_hardware(replace(device, hardware=Hardware()), {}) for device in listed(tmp_path, {2: MIC, 3: HAT})]
    for first, then in ((known, hidden), (hidden, known)):
        finder = DeviceFinder("usb pnp")
        finder.find(first)
        assert finder.find(then).name.startswith("USB PnP Sound Device")
    twins = [replace(device, hardware=Hardware()) for device in listed(tmp_path, {1: TWIN, 2: MIC})]
    with pytest.raises(UnavailableDeviceError):
        finder.find([replace(device, name=device.name.replace("hw:", "hw:5")) for device in twins])


def test_a_number_is_cautioned_against(tmp_path: Path) -> None:
    devices = listed(tmp_path, {1: HAT, 2: MIC})
    cautions = []
    for wanted in (0, "1", "usb:1-1.2", "usb pnp", None):
        finder = DeviceFinder(wanted)
        finder.find(devices)
        cautions.append(finder.caution)
    name = "snd_rpi_googlevoicehat_soundcar: Google voiceHAT SoundCard HiFi voicehat-hifi-0"
    assert [caution.rpartition(" --device ")[2] for caution in cautions] == [f'"{name}".', "usb:1-1.2.", "", "", ""]
    assert cautions[1].startswith("The microphone was chosen by its number, 1, which another may have after the next")


KINDS = st.sampled_from([("0d8c:0014", None), ("0d8c:0014", "A1"), ("0d8c:0014", "B2"), ("b58e:9e84", "A1")])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_other_is_ever_taken_for_it(data: st.DataObject) -> None:
    """Any units, moved to ports where none was before and renumbered at will, all of them seen at the start."""
    kinds = data.draw(st.lists(KINDS, min_size=1, max_size=4))
    ports = list(range(len(kinds)))

    def plugged(present: list[int]) -> dict[int, InputDevice]:
        devices = {}
        for card, unit in enumerate(data.draw(st.permutations(present))):
            usb_id, serial = kinds[unit]
            hardware = Hardware(usb_path=f"1-1.{ports[unit]}", usb_id=usb_id, serial=serial)
            devices[unit] = InputDevice(card, f"Mic: Audio (hw:{card},0)", 1, 48000, "ALSA", False, hardware)
        return devices

    everyone = list(range(len(kinds)))
    first = plugged(everyone)
    unit = data.draw(st.sampled_from(everyone))
    wanted = data.draw(st.sampled_from([selector(first[unit], list(first.values())), first[unit].index]))
    finder = DeviceFinder(wanted)
    assert finder.find(list(first.values())) == first[unit]
    home = ports[unit]
    for _ in range(data.draw(st.integers(1, 6))):
        mover = data.draw(st.sampled_from([None, *everyone]))
        if mover is not None:
            ports[mover] = max(ports) + 1
        now = plugged(data.draw(st.lists(st.sampled_from(everyone), unique=True)))
        try:
            found = finder.find(list(now.values()))
        except UnavailableDeviceError:
            alone = kinds.count(kinds[unit]) == 1 and not str(wanted).startswith("usb:1-")
            assert unit not in now or not (alone or ports[unit] == home)
        else:
            assert found == now.get(unit)
            home = ports[unit]
