"""Which microphones there are, as PortAudio and Linux tell it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge_asd.audio.hardware import UNKNOWN, Hardware, printable, read_hardware
from edge_asd.errors import AudioDeviceError, DependencyError, UnavailableDeviceError
from edge_asd.quiet import quiet_stderr

# How PortAudio ends the name of what ALSA calls hw:CARD,DEVICE.
_ALSA_END = re.compile(r" \((?:plug)?hw:([0-9]{1,3}),([0-9]{1,3})\)$")
# What ALSA calls a card whose driver has not named it yet, and some never do.
_GENERAL = re.compile(r"(?:usb )?audio(?: device)?|usb device 0x[0-9a-f]{1,4}:0x[0-9a-f]{1,4}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class InputDevice:
    """A device that can record, as PortAudio lists it.

    Attributes
    ----------
    index : int >= 0
        PortAudio's number. USB microphones change it when they are plugged in again: prefer the selector.
    name : str
    channels : int >= 1
        Most channels that can be recorded.
    default_rate : int > 0 [Hz]
        The device's own sample rate.
    host_api : str
        The sound system it belongs to, such as "ALSA".
    is_default : bool
        True for the one that is used where none is named.
    hardware : Hardware
        What stands behind it; all of it None where that is not known, as of "default".

    See Also
    --------
    edge_asd.audio.selectors.selector : the text that will still mean this device tomorrow.
    """

    index: int
    name: str
    channels: int
    default_rate: int
    host_api: str
    is_default: bool
    hardware: Hardware = UNKNOWN

    def __str__(self) -> str:
        default = ", default" if self.is_default else ""
        return f"[{self.index}] {self.name} ({self.host_api}, {self.channels} ch, {self.default_rate} Hz{default})"

    @property
    def plain_name(self) -> str:
        """The name without ALSA's number of the card, which changes when it is plugged in again."""
        return self.name if self.card is None else _ALSA_END.sub("", self.name)

    @property
    def card(self) -> int | None:
        """ALSA's number of the card."""
        return self._alsa(1)

    @property
    def part(self) -> int | None:
        """ALSA's number of the device on its card: 0, but for cards with several."""
        return self._alsa(2)

    @property
    def has_general_name(self) -> bool:
        """Its card is called as ALSA calls any, as some are until their driver has named them, and some for good."""
        return self.card is not None and _GENERAL.fullmatch(self.name.partition(": ")[0]) is not None

    def _alsa(self, which: int) -> int | None:
        found = _ALSA_END.search(self.name) if self.host_api == "ALSA" else None
        return int(found[which]) if found else None


def input_devices(root: Path = Path("/")) -> list[InputDevice]:
    """List the devices that can record, as they were when PortAudio was loaded.

    Parameters
    ----------
    root : Path
        Folder with ``proc`` and ``sys``, for the hardware.

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
        devices = list(_queried(sd))
    except sd.PortAudioError as error:
        raise AudioDeviceError(f"PortAudio cannot list the microphones: {error}.") from error
    try:
        default = sd.query_devices(kind="input")["index"]
    except (sd.PortAudioError, ValueError):
        default = -1  # No default: PortAudio knows no device that records.
    cards = read_hardware(root)
    return [
        with_hardware(
            InputDevice(
                index=device["index"],
                name=printable(device["name"]),
                channels=device["max_input_channels"],
                default_rate=round(device["default_samplerate"]),
                host_api=hosts[device["hostapi"]],
                is_default=device["index"] == default,
            ),
            cards,
        )
        for device in devices
        if device["max_input_channels"] > 0
    ]


def _queried(sd: Any) -> Iterator[dict[str, Any]]:
    # One by one: ALSA cuts long names, also within a letter; sounddevice neither lists nor opens such a device.
    for index in range(sd._lib.Pa_GetDeviceCount()):
        with suppress(UnicodeDecodeError):
            yield sd.query_devices(index)


def with_hardware(device: InputDevice, cards: Mapping[int, Hardware]) -> InputDevice:
    """Put the hardware to a device that PortAudio lists, where it is one of ALSA's cards.

    PortAudio's list is as old as PortAudio's start: a card that has another name by now is another card.
    """
    found = cards.get(device.card) if device.card is not None else None
    if found is None or not (found.name is None or device.name.startswith((f"{found.name}:", f"{found.name} :"))):
        return device
    return replace(device, hardware=found)


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
