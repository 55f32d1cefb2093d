"""What Linux tells of sound cards, made in a folder as it is found on a Raspberry Pi: ``proc/asound`` and ``sys``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_asd.audio.devices import InputDevice, with_hardware
from edge_asd.audio.hardware import read_hardware

PI3_USB = "platform/soc/3f980000.usb"
PI4_USB = "platform/scb/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0"


@dataclass(frozen=True)
class Card:
    """A sound card, wherever it is plugged in.

    Attributes
    ----------
    id, driver, name : str
        As /proc/asound/cards tells them.
    pcm : str
        How PortAudio calls its device: the name without what the card's has already.
    captures : int
        How many of its devices record.
    """

    id: str
    name: str
    driver: str = "USB-Audio"
    pcm: str = "Audio"
    captures: int = 1


@dataclass(frozen=True)
class Usb(Card):
    """A USB card; `port` as Linux names it, `controller` below /sys/devices."""

    port: str = "1-1.2"
    vendor: str = "0d8c"
    product: str = "0014"
    serial: str | None = None
    maker: str = "C-Media Electronics Inc."
    controller: str = PI3_USB


@dataclass(frozen=True)
class Soldered(Card):
    """A card on the board or on a HAT; `place` below /sys/devices."""

    place: str = "platform/soc/soc:sound"


HDMI = Soldered("vc4hdmi", "vc4-hdmi", "vc4-hdmi", captures=0, place="platform/soc/3f902000.hdmi")
HAT = Soldered(
    "sndrpigooglevoi", "snd_rpi_googlevoicehat_soundcar", "RPi-simple", "Google voiceHAT SoundCard HiFi voicehat-hifi-0"
)
MIC = Usb("Device", "USB PnP Sound Device")
TWIN = Usb("Device_1", "USB PnP Sound Device", port="1-1.3")
YETI = Usb(
    "Microphone",
    "Yeti Stereo Microphone",
    port="1-1.4",
    vendor="b58e",
    product="9e84",
    serial="797_2019/08/05_01234",
    maker="Blue Microphones",
)


def make(root: Path, cards: Mapping[int, Card]) -> None:
    """Make the folders anew, with these cards by ALSA's number."""
    for name in ("proc", "sys"):
        shutil.rmtree(root / name, ignore_errors=True)
    lines = []
    for number, card in cards.items():
        proc = root / f"proc/asound/card{number}"
        _write(proc / "id", card.id)
        (root / f"proc/asound/{card.id}").symlink_to(f"card{number}")
        if isinstance(card, Usb):
            long = _usb(root, proc, number, card)
        else:
            assert isinstance(card, Soldered)
            long = card.name
            _sys(root, root / "sys/devices" / card.place, number, card)
        lines += [f"{number:2} [{card.id:<15}]: {card.driver} - {card.name}", f"{'':22}{long}"]
        for device in range(card.captures):
            info = f"card: {number}\ndevice: {device}\nsubdevice: 0\nstream: CAPTURE\nid: USB Audio\nname: USB Audio"
            _write(proc / f"pcm{device}c/info", info)
    _write(root / "proc/asound/cards", "\n".join(lines) or "--- no soundcards ---")


def _usb(root: Path, proc: Path, number: int, card: Usb) -> str:
    bus, _, sockets = card.port.partition("-")
    ways = sockets.split(".")
    folder = root / "sys/devices" / card.controller / f"usb{bus}"
    _describe(folder, "1d6b", "0002", card.controller.rpartition("/")[2], "DWC OTG Controller")
    for depth in range(len(ways) - 1):
        folder /= f"{bus}-{'.'.join(ways[: depth + 1])}"
        _describe(folder, "0424", "9514", None, "USB2.0 Hub")
    folder /= card.port
    _describe(folder, card.vendor, card.product, card.serial, card.name)
    _write(folder / "manufacturer", card.maker)
    _write(folder / "devpath", sockets)
    interface = folder / f"{card.port}:1.0"
    _write(interface / "bInterfaceClass", "01")
    _sys(root, interface, number, card)
    _write(proc / "usbid", f"{card.vendor}:{card.product}")
    _write(proc / "usbbus", f"{int(bus):03}/{number + 4:03}")
    where = f"usb-{card.controller.rpartition('/')[2]}-{sockets}"
    long = f"{card.maker} {card.name} at {where}, full speed"[:79]
    _write(proc / "stream0", f"{long} : USB Audio\n\nCapture:\n  Status: Stop")
    return long


def _describe(folder: Path, vendor: str, product: str, serial: str | None, name: str) -> None:
    _write(folder / "idVendor", vendor)
    _write(folder / "idProduct", product)
    _write(folder / "product", name)
    if serial is not None:
        _write(folder / "serial", serial)


def _sys(root: Path, place: Path, number: int, card: Card) -> None:
    own = place / "sound" / f"card{number}"
    _write(own / "id", card.id)
    (own / "device").symlink_to(f"../../../{place.name}")
    known = root / "sys/class/sound" / f"card{number}"
    known.parent.mkdir(parents=True, exist_ok=True)
    known.symlink_to(os.path.relpath(own, known.parent))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def alsa_name(number: int, card: Card, device: int = 0) -> str:
    """How PortAudio calls it."""
    return f"{card.name}: {card.pcm} (hw:{number},{device})"


def listed(root: Path, cards: Mapping[int, Card]) -> list[InputDevice]:
    """Make the folders, and list the cards that record as PortAudio does, with its "default" at the end."""
    make(root, cards)
    names = [alsa_name(number, card, device) for number, card in cards.items() for device in range(card.captures)]
    devices = [InputDevice(index, name, 1, 48000, "ALSA", False) for index, name in enumerate(names)]
    devices.append(InputDevice(len(names), "default", 32, 44100, "ALSA", True))
    hardware = read_hardware(root)
    return [with_hardware(device, hardware) for device in devices]
