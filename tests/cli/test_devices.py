"""``edge-asd devices``: PortAudio's own list, with made folders of Linux."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audio.device_trees import MIC, TWIN, YETI, alsa_name, make
from tests.pulse import PulseMicrophone

CARDS = {1: MIC, 2: TWIN, 3: YETI}
PROGRAM = """
import sys
from pathlib import Path
from edge_asd.audio import devices
from edge_asd.cli import app
devices.input_devices.__defaults__ = (Path(sys.argv[1]),)
app(["devices", *sys.argv[2:]])
"""


@pytest.fixture
def microphones(pulse_microphone: PulseMicrophone, tmp_path: Path) -> Iterator[PulseMicrophone]:
    make(tmp_path, CARDS)
    pulse_microphone.show_as(*[alsa_name(number, card) for number, card in CARDS.items()])
    yield pulse_microphone
    pulse_microphone.show_as()


def devices(source: PulseMicrophone, tree: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", PROGRAM, str(tree), *arguments]
    done = subprocess.run(command, env=source.env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_each_microphone_with_its_hardware_and_selector(microphones: PulseMicrophone, tmp_path: Path) -> None:
    told = {device["name"]: device for device in json.loads(devices(microphones, tmp_path, "--json"))["devices"]}
    keys = ("usb_path", "usb_id", "serial", "selector")
    serial = "797_2019/08/05_01234"
    assert {
        name: tuple(device[key] for key in keys) for name, device in told.items() if "USB PnP Sound" not in name
    } == {
        "Yeti Stereo Microphone: Audio (hw:3,0)": ("1-1.4", "b58e:9e84", serial, f"usb:b58e:9e84:{serial}"),
        "Yeti Stereo Microphone": (None, None, None, "Yeti Stereo Microphone"),
        "default": (None, None, None, "default"),
    }
    twins = [told[alsa_name(number, CARDS[number])] for number in (1, 2)]
    assert [twin["selector"] for twin in twins] == ["usb:1-1.2", "usb:1-1.3"]
    expected = {"index", "name", "channels", "default_rate", "host_api", "is_default", *keys}
    assert all(set(device) == expected for device in told.values())
    table = devices(microphones, tmp_path).splitlines()
    assert table[0].split("  ")[0] == "selector"
    first = {line.split("  ")[0] for line in table[2:]}
    assert {"usb:1-1.2", "usb:1-1.3", f"usb:b58e:9e84:{serial}", "default"} < first


def test_a_name_that_is_no_text_hides_no_other(pulse_microphone: PulseMicrophone, tmp_path: Path) -> None:
    """ALSA cuts names after so many bytes, in the midst of a letter, too; sounddevice refuses the list then."""
    config = pulse_microphone.folder / "asound.conf"
    kept = config.read_bytes()
    try:
        config.write_bytes(kept + b'pcm."Caf\xc3" { type pulse }\npcm."esc\x1b[2J" { type pulse }\n')
        names = [device["name"] for device in json.loads(devices(pulse_microphone, tmp_path, "--json"))["devices"]]
    finally:
        config.write_bytes(kept)
    assert sorted(names) == ["default", "esc?[2J"]
