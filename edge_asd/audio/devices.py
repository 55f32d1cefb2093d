"""Which microphones there are, and which one a name means."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_asd.errors import AudioDeviceError, DependencyError
from edge_asd.quiet import quiet_stderr

_CARD = re.compile(r"\(hw:\d+,")  # ALSA's number of the card, which changes when it is plugged in again


class UnavailableDeviceError(AudioDeviceError):
    """A microphone that is not there, or refuses: it may come later."""


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
        If none (`UnavailableDeviceError`, but for an index) or more than one fits. The message lists the candidates.
    """
    if not devices:
        raise UnavailableDeviceError(
            "No microphone was found. Plug one in, check that `arecord -l` lists it and that this user may record "
            "(group audio)."
        )
    if wanted is None:
        default = [device for device in devices if device.is_default]
        if default:
            return default[0]
        raise UnavailableDeviceError(f"No microphone is the default. Name one of: {_listed(devices)}.")
    by_index = isinstance(wanted, int) or (wanted.isdecimal() and all(device.name != wanted for device in devices))
    if by_index:
        found = [device for device in devices if device.index == int(wanted)]
    else:
        wanted = str(wanted)
        found = [device for device in devices if device.name == wanted]
        if not found and wanted.strip():
            found = [device for device in devices if wanted.casefold() in device.name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise AudioDeviceError(
            f"The microphone {wanted!r} could be any of: {_listed(found)}. Give the whole name or the number."
        )
    kind = AudioDeviceError if by_index else UnavailableDeviceError
    raise kind(f"There is no microphone {wanted!r}. There are: {_listed(devices)}.")


class DeviceFinder:
    """Finds a microphone, and the same one again after it was plugged in anew.

    Parameters
    ----------
    wanted : str or int or None
        What `choose_device` takes. It decides until a device was found; that one's name decides from then on, without
        the number that ALSA gives to its card. Where several shared that name, only the whole name will do.
    """

    def __init__(self, wanted: str | int | None) -> None:
        self._wanted = wanted
        self._found: InputDevice | None = None
        self._alone = False

    def find(self, devices: Sequence[InputDevice]) -> InputDevice:
        """Find it among those that there are.

        Raises
        ------
        AudioDeviceError
            As `choose_device` does.
        """
        before = self._found
        if before is None:
            found = choose_device(devices, self._wanted)
        else:
            same = [d for d in devices if d.name == before.name] or [
                d for d in devices if self._alone and _plain(d.name) == _plain(before.name)
            ]
            if len(same) != 1:
                raise UnavailableDeviceError(f"The microphone {before.name} is not there.")
            found = same[0]
        self._found = found
        if before is None:
            self._alone = sum(_plain(device.name) == _plain(found.name) for device in devices) == 1
        return found


def _plain(name: str) -> str:
    return _CARD.sub("(hw:", name)


def renew_devices() -> None:
    """Start PortAudio anew, so that it sees the devices that there are now; no stream may be open.

    Raises
    ------
    AudioDeviceError
        If it does not start.
    """
    sd = import_sounddevice()
    try:
        while sd._initialized:
            sd._terminate()
        sd._initialize()
    except sd.PortAudioError as error:
        raise UnavailableDeviceError(f"PortAudio cannot start: {error}.") from error


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
