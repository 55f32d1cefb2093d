"""Which microphones there are, and which one a name means."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_asd.errors import AudioDeviceError, DependencyError
from edge_asd.quiet import quiet_stderr


@dataclass(frozen=True, slots=True)
class InputDevice:
    """A device that can record, as PortAudio lists it.

    Attributes
    ----------
    index : int >= 0
        PortAudio's number. USB microphones change it when they are plugged in again: prefer the name.
    name : str
    channels : int >= 1
        Most channels that can be recorded.
    default_rate : int > 0 [Hz]
        The device's own sample rate.
    host_api : str
        The sound system it belongs to, such as "ALSA".
    is_default : bool
        True for the one that is used where none is named.
    """

    index: int
    name: str
    channels: int
    default_rate: int
    host_api: str
    is_default: bool

    def __str__(self) -> str:
        default = ", default" if self.is_default else ""
        return f"[{self.index}] {self.name} ({self.host_api}, {self.channels} ch, {self.default_rate} Hz{default})"


def input_devices() -> list[InputDevice]:
    """List the devices that can record, as they were when PortAudio was loaded.

    Raises
    ------
    AudioDeviceError
        If PortAudio is missing or cannot start.
    DependencyError
        If the package sounddevice is missing.
    """
    sd = import_sounddevice()
    try:
        hosts = [host["name"] for host in sd.query_hostapis()]
        devices = list(sd.query_devices())
    except sd.PortAudioError as error:
        raise AudioDeviceError(f"PortAudio cannot list the microphones: {error}.") from error
    try:
        default = sd.query_devices(kind="input")["index"]
    except (sd.PortAudioError, ValueError):
        default = -1  # No default: PortAudio knows no device that records.
    return [
        InputDevice(
            index=device["index"],
            name=device["name"],
            channels=device["max_input_channels"],
            default_rate=round(device["default_samplerate"]),
            host_api=hosts[device["hostapi"]],
            is_default=device["index"] == default,
        )
        for device in devices
        if device["max_input_channels"] > 0
    ]


def choose_device(devices: Sequence[InputDevice], wanted: str | int | None) -> InputDevice:
    """Find the device that is meant.

    Parameters
    ----------
    devices : sequence of InputDevice
        As `input_devices` lists them.
    wanted : str or int or None
        The exact name; or an index, also as text; or a part of one name only, in upper or
        lower case; or None for the default.

    Raises
    ------
    AudioDeviceError
        If none or more than one fits. The message lists the candidates.
    """
    if not devices:
        raise AudioDeviceError(
            "No microphone was found. Plug one in, check that `arecord -l` lists it and that this user may record "
            "(group audio), then start again."
        )
    if wanted is None:
        default = [device for device in devices if device.is_default]
        if default:
            return default[0]
        raise AudioDeviceError(f"No microphone is the default. Name one of: {_listed(devices)}.")
    if isinstance(wanted, int) or (wanted.isdecimal() and all(device.name != wanted for device in devices)):
        found = [device for device in devices if device.index == int(wanted)]
    else:
        found = [device for device in devices if device.name == wanted]
        if not found and wanted.strip():
            found = [device for device in devices if wanted.casefold() in device.name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise AudioDeviceError(
            f"The microphone {wanted!r} could be any of: {_listed(found)}. Give the whole name or the number."
        )
    raise AudioDeviceError(f"There is no microphone {wanted!r}. There are: {_listed(devices)}.")


def _listed(devices: Sequence[InputDevice]) -> str:
    return "; ".join(str(device) for device in devices)


def import_sounddevice() -> Any:
    """Load sounddevice, and PortAudio with it, at the last moment: it costs 10 to 25 MB.

    Raises
    ------
    AudioDeviceError
        If the PortAudio library is missing or cannot start.
    DependencyError
        If the package sounddevice is missing.
    """
    try:
        with quiet_stderr():  # ALSA and JACK print whatever they do not find
            return importlib.import_module("sounddevice")
    except ImportError as error:
        raise DependencyError("The package sounddevice is missing. Install it: pip install sounddevice.") from error
    except OSError as error:
        raise AudioDeviceError(
            "The library PortAudio, which records from microphones, is missing. Install it: "
            "sudo apt install libportaudio2."
        ) from error
    except Exception as error:
        # sounddevice starts PortAudio while it is imported; its error class is out of reach then.
        raise AudioDeviceError(f"PortAudio cannot start: {error}.") from error
