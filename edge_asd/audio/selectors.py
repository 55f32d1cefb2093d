"""Which microphone a text means, and which text will still mean a microphone tomorrow.

========================  ====================================================================================
``usb:1-1.2``             what is plugged in at this USB port; two microphones of one kind are told apart
``usb:0d8c:0014``         a USB microphone of this vendor and product, wherever it is plugged in
``usb:0d8c:0014:A1B2``    the one with this serial number
``usb:1-1.2,1``           device 1 of a USB card that has several, as ALSA numbers them; so for each of the above
``USB PnP Sound Device``  the whole name, or a part that only one name has, in upper or lower case
``2``                     PortAudio's number; it changes when microphones are plugged in, and at boot
========================  ====================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from edge_asd.audio.devices import InputDevice
from edge_asd.audio.hardware import PORT, SERIAL
from edge_asd.errors import AudioDeviceError, NoSuchDeviceError, UnavailableDeviceError

_PART = r"(?:,(?P<part>[0-9]{1,3}))?"
_USB = re.compile(
    rf"usb:(?:(?P<port>{PORT})|(?P<id>[0-9a-f]{{4}}:[0-9a-f]{{4}})(?::(?P<serial>(?-i:{SERIAL})))?){_PART}",
    re.IGNORECASE,
)


def choose_device(devices: Sequence[InputDevice], wanted: str | int | None) -> InputDevice:
    """Find the device that is meant.

    Parameters
    ----------
    devices : sequence of InputDevice
        As `edge_asd.audio.devices.input_devices` lists them.
    wanted : str or int or None
        A text as this module describes them; or an index; or None for the default.

    Raises
    ------
    AudioDeviceError
        If none (`NoSuchDeviceError`, but for an index) or more than one fits. The message lists the candidates.
        More than one is an `UnavailableDeviceError`, too, where some but not all have a name of their own: at boot,
        ALSA may not have named them yet.
    """
    if not devices:
        raise NoSuchDeviceError(
            "No microphone was found. Plug one in, check that `arecord -l` lists it and that this user may record "
            "(group audio)."
        )
    if wanted is None:
        default = [device for device in devices if device.is_default]
        if default:
            return default[0]
        raise NoSuchDeviceError(f"No microphone is the default. Name one of: {_listed(devices, devices)}.")
    found = _fitting(devices, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        general = sum(device.has_general_name for device in found)
        kind = UnavailableDeviceError if 0 < general < len(found) else AudioDeviceError
        raise kind(
            f"The microphone {wanted!r} could be any of: {_listed(found, devices)}. Give what is after the equals sign."
        )
    if isinstance(wanted, str) and re.match(r"usb:\S", wanted, re.IGNORECASE) and not _USB.fullmatch(wanted):
        raise AudioDeviceError(
            f"{wanted!r} names no USB microphone: write usb:1-1.2 for what is plugged in at that port, or "
            f"usb:0d8c:0014 or usb:0d8c:0014:SERIAL for a vendor and product. There are: {_listed(devices, devices)}."
        )
    missing = f"There is no microphone {wanted!r}. There are: {_listed(devices, devices)}."
    if by_index(devices, wanted):
        raise AudioDeviceError(missing)
    raise NoSuchDeviceError(f"{missing} Check the name, or plug it in.")


def selector(device: InputDevice, devices: Sequence[InputDevice]) -> str:
    """Write the text that will mean this device, and no other, for the longest.

    Its serial number; or its USB port; or its name; at last its index. Each only where it means this one among
    `devices`.
    """
    for text in _selectors(device):
        if _fitting(devices, text) == [device]:
            return text
    return str(device.index)


def by_index(devices: Sequence[InputDevice], wanted: str | int | None) -> bool:
    """Tell whether a text or number means an index, which another microphone may have tomorrow."""
    if wanted is None or isinstance(wanted, int):
        return wanted is not None
    return re.fullmatch(r"[0-9]{1,9}", wanted) is not None and all(device.name != wanted for device in devices)


def by_port(wanted: str | int | None) -> bool:
    """Tell whether a text means whatever is plugged in at a USB port."""
    usb = _USB.fullmatch(wanted) if isinstance(wanted, str) else None
    return usb is not None and usb["port"] is not None


def _fitting(devices: Sequence[InputDevice], wanted: str | int) -> list[InputDevice]:
    if by_index(devices, wanted):
        return [device for device in devices if device.index == int(wanted)]
    wanted = str(wanted)
    if usb := _USB.fullmatch(wanted):
        return [device for device in devices if _is_meant(device, usb)]
    if found := [device for device in devices if device.name == wanted]:
        return found
    if not wanted.strip():
        return []
    return [device for device in devices if wanted.casefold() in device.name.casefold()]


def _is_meant(device: InputDevice, usb: re.Match[str]) -> bool:
    hardware = device.hardware
    if usb["part"] is not None and int(usb["part"]) != device.part:
        return False
    if usb["port"] is not None:
        return hardware.usb_path == usb["port"]
    return hardware.usb_id == usb["id"].lower() and usb["serial"] in (None, hardware.serial)


def _selectors(device: InputDevice) -> Iterator[str]:
    hardware = device.hardware
    for text in (
        f"usb:{hardware.usb_id}:{hardware.serial}" if hardware.usb_id and hardware.serial else None,
        f"usb:{hardware.usb_path}" if hardware.usb_path else None,
        f"usb:{hardware.usb_id}" if hardware.usb_id else None,
    ):
        if text:
            yield from (text, f"{text},{device.part}")
    yield from (device.plain_name, device.name)


def _listed(shown: Sequence[InputDevice], devices: Sequence[InputDevice]) -> str:
    return "; ".join(f"{device} = {selector(device, devices)}" for device in shown)
