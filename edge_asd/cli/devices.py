"""``edge-asd devices``: the microphones of this computer."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edge_asd.cli.common import JsonOption, print_json, table

if TYPE_CHECKING:
    from edge_asd.audio.devices import InputDevice


def command(json: JsonOption = False) -> None:
    """List the microphones that monitor can listen to; name one with --device and its selector.

    The selector is what means the same microphone for the longest: its USB vendor, product and serial number, or, where
    it has none, its USB port, which tells two of one kind apart; a name where it is not a USB microphone. The index
    changes when microphones are plugged in, and at boot.
    """
    from edge_asd.audio.devices import input_devices
    from edge_asd.audio.selectors import selector

    devices = input_devices()
    if json:
        print_json({"devices": [_facts(device, selector(device, devices)) for device in devices]})
        return
    if not devices:
        print("No microphone found. Plug one in, and look again; `arecord -l` shows what Linux sees.")
        return
    print(
        table(
            ["selector", "name", "default", "index", "channels", "rate", "USB port", "USB id", "serial"],
            [
                [
                    selector(d, devices),
                    d.name,
                    "yes" if d.is_default else "",
                    str(d.index),
                    str(d.channels),
                    f"{d.default_rate:.0f} Hz",
                    d.hardware.usb_path or "",
                    d.hardware.usb_id or "",
                    d.hardware.serial or "",
                ]
                for d in devices
            ],
        )
    )


def _facts(device: InputDevice, selector: str) -> dict[str, Any]:
    facts = asdict(device)
    del facts["hardware"]
    hardware = device.hardware
    return {
        **facts,
        "usb_path": hardware.usb_path,
        "usb_id": hardware.usb_id,
        "serial": hardware.serial,
        "selector": selector,
    }
