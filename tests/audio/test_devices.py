"""Which microphone a name means."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edge_asd.audio.devices import InputDevice
from edge_asd.audio.finder import DeviceFinder
from edge_asd.audio.selectors import choose_device
from edge_asd.errors import AudioDeviceError, UnavailableDeviceError

DEVICES = [
    InputDevice(0, "HDA Intel: ALC (hw:0,0)", 2, 44100, "ALSA", False),
    InputDevice(2, "USB PnP Sound Device: Audio (hw:1,0)", 1, 48000, "ALSA", False),
    InputDevice(3, "USB Camera: Audio (hw:2,0)", 2, 32000, "ALSA", False),
    InputDevice(5, "default", 32, 44100, "ALSA", True),
    InputDevice(7, "default extra", 1, 44100, "ALSA", False),
    InputDevice(8, "16", 1, 44100, "ALSA", False),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [(None, 5), (2, 2), ("2", 2), ("usb pnp", 2), ("CAMERA", 3), ("default", 5), ("extra", 7), ("hw:0", 0), ("16", 8)],
)
def test_a_name_a_part_or_a_number_chooses(wanted: str | int | None, index: int) -> None:
    assert choose_device(DEVICES, wanted).index == index


@pytest.mark.parametrize("wanted", ["usb", "Audio"])
def test_an_ambiguous_name_lists_only_what_it_could_be(wanted: str) -> None:
    with pytest.raises(AudioDeviceError, match="could be any of") as caught:
        choose_device(DEVICES, wanted)
    assert "[2] USB PnP Sound Device: Audio (hw:1,0) (ALSA, 1 ch, 48000 Hz)" in str(caught.value)
    assert "[3] USB Camera" in str(caught.value)
    assert "HDA" not in str(caught.value)


@pytest.mark.parametrize("wanted", ["Blue Yeti", "", " ", 1, "1", -1])
def test_an_unknown_name_lists_all(wanted: str | int) -> None:
    with pytest.raises(AudioDeviceError, match="There is no microphone") as caught:
        choose_device(DEVICES, wanted)
    assert all(str(device) in str(caught.value) for device in DEVICES)


def test_two_devices_of_one_name_are_told_apart_by_number() -> None:
    twins = [InputDevice(n, "USB Mic", 1, 48000, "ALSA", False) for n in (1, 2)]
    with pytest.raises(AudioDeviceError, match=r"could be any of: \[1\] USB Mic .*; \[2\] USB Mic"):
        choose_device(twins, "USB Mic")
    assert choose_device(twins, "2").index == 2
    with pytest.raises(AudioDeviceError, match="No microphone is the default"):
        choose_device(twins, None)


def test_no_device_at_all() -> None:
    with pytest.raises(AudioDeviceError, match="No microphone was found"):
        choose_device([], None)


USB = DEVICES[1]
PLUGGED_IN_AGAIN = InputDevice(9, "USB PnP Sound Device: Audio (hw:3,0)", 1, 48000, "ALSA", False)


@pytest.mark.parametrize("wanted", ["usb pnp", 2, "2"])
def test_a_microphone_is_found_again_by_its_name_whatever_number_it_has(wanted: str | int) -> None:
    finder = DeviceFinder(wanted)
    assert finder.find(DEVICES) == USB
    others = [device for device in DEVICES if device is not USB]
    stranger = InputDevice(2, "USB PnP Speakerphone (hw:1,0)", 1, 48000, "ALSA", True)
    with pytest.raises(UnavailableDeviceError, match=r"The microphone USB PnP .* \(hw:1,0\) is not there"):
        finder.find([*others, stranger])  # of the same index, and fits the part of a name
    assert finder.find([*others, PLUGGED_IN_AGAIN]) == PLUGGED_IN_AGAIN
    assert finder.find(DEVICES) == USB


def test_the_default_is_not_exchanged_for_another_microphone() -> None:
    finder = DeviceFinder(None)
    assert finder.find([USB, InputDevice(5, "default", 32, 44100, "ALSA", True)]).name == "default"
    with pytest.raises(UnavailableDeviceError):
        finder.find([InputDevice(0, USB.name, 1, 48000, "ALSA", True)])


def test_a_microphone_is_not_taken_for_its_twin() -> None:
    finder = DeviceFinder("hw:1,0")
    assert finder.find([USB, PLUGGED_IN_AGAIN]) == USB
    with pytest.raises(UnavailableDeviceError):
        finder.find([PLUGGED_IN_AGAIN])
    assert finder.find([USB, PLUGGED_IN_AGAIN]) == USB


SAY = "from edge_asd.audio.{0} import {1}\ntry:\n    {2}\nexcept Exception as e:\n    print(type(e).__name__, e)"


def test_a_missing_portaudio_names_the_package(tmp_path) -> None:
    """The search for the library finds nothing, as where the package is not installed."""
    find = "import ctypes.util; ctypes.util.find_library = lambda name: None\n"
    code = find + SAY.format("devices", "input_devices", "input_devices()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("AudioDeviceError The library PortAudio")
    assert "sudo apt install libportaudio2" in done.stdout
    (tmp_path / "sounddevice.py").write_text("raise ImportError('No module named sounddevice')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + SAY.format(
        "capture", "Capture", "next(Capture().__enter__().sound())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("DependencyError The package sounddevice is missing")


def test_a_machine_without_microphone(tmp_path) -> None:
    """PortAudio where ALSA's only device is a sound server that does not run."""
    config = tmp_path / "asound.conf"
    config.write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    private = {"ALSA_CONFIG_PATH": str(config), "PULSE_SERVER": f"unix:{tmp_path}/none", "HOME": str(tmp_path)}
    code = SAY.format(
        "selectors",
        "choose_device",
        "from edge_asd.audio.devices import input_devices; choose_device(input_devices(), None)",
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **private}
    )
    assert done.stdout.startswith("NoSuchDeviceError No microphone was found"), done.stderr
