"""The same microphone again, after it was unplugged or the devices were listed anew."""

from __future__ import annotations

from collections.abc import Sequence

from edge_asd.audio.devices import InputDevice
from edge_asd.audio.selectors import by_index, by_port, choose_device, selector
from edge_asd.errors import UnavailableDeviceError


class DeviceFinder:
    """Finds a microphone, and the same one again after it was plugged in anew.

    It is known again by what it is: at the same USB port by vendor, product and serial number; at another port by these
    too, unless another of that kind was ever seen beside it. Where its hardware or that of a candidate is not
    known, by its name without the number that ALSA gives to its card; where several shared that name, only the whole
    name will do. Never by its index.

    Parameters
    ----------
    wanted : str or int or None
        What `choose_device` takes. It decides until a device was found; what that one is decides from then on. Who
        asked for a USB port gets what is plugged in there, if it is of the same vendor and product.

    Attributes
    ----------
    caution : str
        What the user should know of how the microphone was chosen; empty where that is nothing.
    """

    def __init__(self, wanted: str | int | None) -> None:
        self.caution = ""
        self._wanted = wanted
        self._found: InputDevice | None = None
        self._alone = False
        self._has_twin = False

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
            self._alone = sum(device.plain_name == found.plain_name for device in devices) == 1
            if by_index(devices, self._wanted):
                self.caution = _caution(found, devices)
        else:
            again = self._again(before, devices)
            if again is None:
                raise UnavailableDeviceError(f"The microphone {before.name} is not there.{_instead(before, devices)}")
            found = again
        self._has_twin = self._has_twin or _twins(found, devices) > 1
        self._found = found
        return found

    def _again(self, before: InputDevice, devices: Sequence[InputDevice]) -> InputDevice | None:
        self._has_twin = self._has_twin or _twins(before, devices) > 1
        any_unit = by_port(self._wanted)
        for device in devices:
            if _same_port(device, before) and _same_kind(device, before) and (any_unit or _same_unit(device, before)):
                return device
        if not any_unit and not self._has_twin:
            moved = [device for device in devices if _same_kind(device, before) and _same_serial(device, before)]
            if len(moved) == 1:
                return moved[0]
        unknown = [device for device in devices if not (_is_known(device) and _is_known(before))]
        named = [device for device in unknown if device.name == before.name] or [
            device for device in unknown if self._alone and device.plain_name == before.plain_name
        ]
        return named[0] if len(named) == 1 else None


def _is_known(device: InputDevice) -> bool:
    return device.hardware.usb_id is not None


def _same_port(one: InputDevice, other: InputDevice) -> bool:
    return one.hardware.usb_path is not None and one.hardware.usb_path == other.hardware.usb_path


def _same_kind(one: InputDevice, other: InputDevice) -> bool:
    """Same vendor, product and device of its card."""
    return _is_known(one) and one.hardware.usb_id == other.hardware.usb_id and one.part == other.part


def _same_serial(one: InputDevice, other: InputDevice) -> bool:
    return one.hardware.serial == other.hardware.serial


def _same_unit(one: InputDevice, other: InputDevice) -> bool:
    """No two serial numbers; one that is not told now, or was not then, is none."""
    return _same_serial(one, other) or None in (one.hardware.serial, other.hardware.serial)


def _twins(device: InputDevice, devices: Sequence[InputDevice]) -> int:
    """How many of a device's kind and serial number there are, with itself."""
    return sum(_same_kind(other, device) and _same_serial(other, device) for other in devices)


def _caution(found: InputDevice, devices: Sequence[InputDevice]) -> str:
    better = selector(found, devices)
    if better == str(found.index):
        return ""
    return (
        f"The microphone was chosen by its number, {found.index}, which another may have after the next boot. "
        f"Choose it with --device {_quoted(better)}."
    )


def _instead(before: InputDevice, devices: Sequence[InputDevice]) -> str:
    for device in devices:
        if _same_port(device, before) and device.part == before.part:
            return f" Another is at its USB port {device.hardware.usb_path}: {device}. Start again to use that one."
    return ""


def _quoted(text: str) -> str:
    return text if text.isascii() and " " not in text else f'"{text}"'
