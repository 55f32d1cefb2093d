"""``edge-asd devices``: the microphones of this computer."""

from __future__ import annotations

from dataclasses import asdict

from edge_asd.cli.common import JsonOption, print_json, table


def command(json: JsonOption = False) -> None:
    """List the microphones that monitor can listen to; name one with --device."""
    from edge_asd.audio.microphone import input_devices

    devices = input_devices()
    if json:
        print_json({"devices": [asdict(device) for device in devices]})
        return
    if not devices:
        print("No microphone found. Plug one in, and look again; `arecord -l` shows what Linux sees.")
        return
    print(
        table(
            ["index", "name", "default", "channels", "rate"],
            [
                [str(d.index), d.name, "yes" if d.is_default else "", str(d.channels), f"{d.default_rate:.0f} Hz"]
                for d in devices
            ],
        )
    )
