"""What hardware stands behind each of ALSA's cards: USB port, vendor, product and serial number.

PortAudio tells only a name and ALSA's number of the card, which changes from boot to boot. Linux tells the rest:
``/sys/class/sound/card1/device`` links to the card's place among the devices, such as
``/sys/devices/platform/soc/3f980000.usb/usb1/1-1/1-1.2/1-1.2:1.0``, and the folder ``1-1.2`` describes the USB device.
Where /sys is hidden, ``/proc/asound`` tells it but for the serial number.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

PORT = r"[0-9]{1,3}-[0-9]{1,3}(?:\.[0-9]{1,3}){0,6}"
"""A USB port as Linux names it: the bus, then the socket of each hub on the way."""

SERIAL = r"[A-Za-z0-9._:+/=#-]{1,126}"
"""Serial numbers that can be typed into a shell as they are; others are left out."""

_MAX_BYTES = 1 << 16
_CARD_FOLDER = re.compile(r"card([0-9]{1,3})")
_CARD_LINE = re.compile(r" *([0-9]{1,3}) \[([^\]]*)\]: (?:.*?) - (.*)")
# ALSA cuts this text at 80 bytes: only the comma says that the port is whole.
_LONG_NAME_PORT = re.compile(r" at usb-\S+-([0-9]{1,3}(?:\.[0-9]{1,3}){0,6}), ")


@dataclass(frozen=True, slots=True)
class Hardware:
    """What is known of one of ALSA's cards; None wherever that is nothing.

    Attributes
    ----------
    id : str or None
        ALSA's short name, such as "Device"; a second one of its kind is "Device_1".
    name : str or None
        ALSA's name, such as "USB PnP Sound Device".
    usb_path : str or None
        Port that it is plugged in at, such as "1-1.2": bus 1, socket 1, and socket 2 of the hub there.
    usb_id : str or None
        USB vendor and product, four lower-case hexadecimal digits each: "0d8c:0014".
    serial : str or None
        Serial number; None also where it is a mere filling, such as "000000", or cannot be typed.
    """

    id: str | None = None
    name: str | None = None
    usb_path: str | None = None
    usb_id: str | None = None
    serial: str | None = None


UNKNOWN = Hardware()


def read_hardware(root: Path = Path("/")) -> dict[int, Hardware]:
    """Read what hardware ALSA's cards are, now.

    Parameters
    ----------
    root : Path
        Folder that holds ``proc`` and ``sys``.

    Returns
    -------
    dict of int to Hardware
        By ALSA's number of the card. Whatever is missing, unreadable or senseless is left out; nothing is raised.
    """
    proc, sys = root / "proc/asound", root / "sys/class/sound"
    named = _named_cards(proc / "cards")
    numbers = {*named, *_numbers(proc), *_numbers(sys)}
    cards = {}
    for number in sorted(numbers):
        own = proc / f"card{number}"
        id_, name = named.get(number, (None, None))
        id_ = id_ or _line(own / "id") or _line(sys / f"card{number}/id")
        usb = _usb_folder(sys / f"card{number}/device", root)
        if usb is not None:
            usb_id = _usb_id(f"{_line(usb / 'idVendor')}:{_line(usb / 'idProduct')}")
            cards[number] = Hardware(id_, name, usb.name, usb_id, _serial(usb))
        else:
            cards[number] = Hardware(id_, name, _proc_port(own), _usb_id(_line(own / "usbid") or ""))
    return cards


def _named_cards(path: Path) -> dict[int, tuple[str | None, str | None]]:
    found = (_CARD_LINE.fullmatch(line) for line in _text(path).splitlines())
    return {int(card[1]): (card[2].strip() or None, card[3].strip() or None) for card in found if card}


def _numbers(folder: Path) -> list[int]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [int(found[1]) for found in map(_CARD_FOLDER.fullmatch, names) if found]


def _usb_folder(link: Path, root: Path) -> Path | None:
    """Find the folder of the USB device that holds the interface which the link leads to."""
    try:
        place = Path(os.path.realpath(link, strict=True))
        devices = Path(os.path.realpath(root / "sys/devices", strict=True))
    except (OSError, ValueError):  # no such link, or one that leads back to itself
        return None
    if not place.is_relative_to(devices):
        return None
    # The nearest: all hubs on the way are USB devices, too.
    for folder in (place, *place.parents):
        if folder == devices:
            break
        if re.fullmatch(PORT, folder.name):
            return folder
    return None


def _serial(usb: Path) -> str | None:
    serial = _line(usb / "serial")
    if serial is None or not re.fullmatch(SERIAL, serial) or _is_filling(serial):
        return None
    return serial


def _is_filling(serial: str) -> bool:
    """Tell what was never filled in: one character again and again, or digits that count up."""
    plain = serial.casefold()
    counted = plain.lstrip("0")
    return len(set(plain)) == 1 or any(digits.startswith(counted) for digits in ("123456789abcdef", "1234567890"))


def _usb_id(text: str) -> str | None:
    return text.lower() if re.fullmatch(r"[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}", text) else None


def _proc_port(card: Path) -> str | None:
    """Put a port together of the bus's number and the way from there, which the long name ends with."""
    bus = re.fullmatch(r"([0-9]{3})/[0-9]{3}", _line(card / "usbbus") or "")
    way = _LONG_NAME_PORT.search(_line(card / "stream0") or "")
    return f"{int(bus[1])}-{way[1]}" if bus and way else None


def _line(path: Path) -> str | None:
    """Read a file's first line; None where there is nothing in it."""
    lines = _text(path).splitlines()
    return lines[0].strip() or None if lines else None


def _text(path: Path) -> str:
    data = b""
    try:
        # Never waits, should it be a pipe.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while len(data) < _MAX_BYTES and (more := os.read(file, _MAX_BYTES)):
                data += more
        finally:
            os.close(file)
    except (OSError, ValueError):
        return ""
    return printable(data.decode(errors="replace").replace("\0", ""), keep="\n")


def printable(text: str, keep: str = "") -> str:
    """Put a question mark in place of whatever a terminal would not print but obey."""
    return "".join(c if c.isprintable() or c in keep else "?" for c in text)
