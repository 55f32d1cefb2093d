"""What stands behind a sound card, from made folders of Linux."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.audio.devices import InputDevice, with_hardware
from edge_asd.audio.hardware import PORT, SERIAL, Hardware, read_hardware
from tests.audio.device_trees import HAT, HDMI, MIC, PI4_USB, TWIN, YETI, make

ALL = {0: HDMI, 1: HAT, 2: MIC, 3: TWIN, 4: YETI, 12: replace(MIC, id="Device_2", port="3-1.1.4.2", controller=PI4_USB)}
NAME = "USB PnP Sound Device"
EXPECTED = {
    0: Hardware("vc4hdmi", "vc4-hdmi"),
    1: Hardware("sndrpigooglevoi", "snd_rpi_googlevoicehat_soundcar"),
    2: Hardware("Device", NAME, "1-1.2", "0d8c:0014"),
    3: Hardware("Device_1", NAME, "1-1.3", "0d8c:0014"),
    4: Hardware("Microphone", "Yeti Stereo Microphone", "1-1.4", "b58e:9e84", "797_2019/08/05_01234"),
    12: Hardware("Device_2", NAME, "3-1.1.4.2", "0d8c:0014"),
}


def test_each_kind_of_card(tmp_path: Path) -> None:
    make(tmp_path, ALL)
    assert read_hardware(tmp_path) == EXPECTED


def test_without_sys_all_but_the_serial_number(tmp_path: Path) -> None:
    make(tmp_path, ALL)
    shutil.rmtree(tmp_path / "sys")
    assert read_hardware(tmp_path) == {number: replace(card, serial=None) for number, card in EXPECTED.items()}


def test_without_proc_all_but_the_name(tmp_path: Path) -> None:
    """As in containers, which hide it."""
    make(tmp_path, ALL)
    shutil.rmtree(tmp_path / "proc")
    assert read_hardware(tmp_path) == {number: replace(card, name=None) for number, card in EXPECTED.items()}


def test_a_port_that_alsa_cut_off_is_none(tmp_path: Path) -> None:
    make(tmp_path, {1: replace(MIC, port="1-1.1.24")})
    shutil.rmtree(tmp_path / "sys")
    stream = tmp_path / "proc/asound/card1/stream0"
    whole = "C-Media Electronics Inc. USB PnP Sound Device at usb-3f980000.usb-1.1.24, full speed"
    assert stream.read_text().startswith(whole[:79] + " : USB Audio\n")
    for length in range(len(whole)):
        stream.write_text(whole[:length] + " : USB Audio\n")
        assert read_hardware(tmp_path)[1].usb_path == ("1-1.1.24" if ", " in whole[:length] + " " else None)


@pytest.mark.parametrize(
    ("serial", "told"),
    [
        ("A1B2C3", "A1B2C3"),
        ("20190805", "20190805"),
        (" 4F.21 ", "4F.21"),
        ("9" * 126, None),
        ("9" * 125 + "8", "9" * 125 + "8"),
        ("9" * 126 + "8", None),
        *[(text, None) for text in ("", " ", "0", "000000", "000000000001", "FFFFFFFF", "123456", "0123456789ABCDEF")],
        *[(text, None) for text in ("two words", "a\tb", "x\x1b[2J", "é1", "a;b", "$(b)", "a,1")],
    ],
)
def test_a_serial_number_that_says_nothing_is_none(tmp_path: Path, serial: str, told: str | None) -> None:
    make(tmp_path, {1: replace(MIC, serial=serial)})
    assert read_hardware(tmp_path)[1].serial == told


def test_nothing_there(tmp_path: Path) -> None:
    assert read_hardware(tmp_path) == {}
    make(tmp_path, {})
    assert read_hardware(tmp_path) == {}


def break_link(root: Path, to: str | Path) -> None:
    link = root / "sys/class/sound/card2"
    link.unlink()
    link.mkdir()
    (link / "device").symlink_to(to)


@pytest.mark.parametrize("to", ["device", "nowhere", "..", "/", "../../../../outside/1-1.2", "a" * 255])
def test_a_link_that_leads_nowhere_is_no_hardware(tmp_path: Path, to: str) -> None:
    root = tmp_path / "root"
    make(root, {2: MIC})
    outside = tmp_path / "root/outside/1-1.2"
    outside.mkdir(parents=True)
    (outside / "idVendor").write_text("1111")
    (outside / "idProduct").write_text("2222")
    break_link(root, to)
    shutil.rmtree(root / "proc/asound/card2")
    assert read_hardware(root) == {2: Hardware("Device", NAME)}


def test_what_is_no_file_is_nothing(tmp_path: Path) -> None:
    make(tmp_path, {2: MIC, 3: YETI})
    usb = tmp_path / "sys/devices/platform/soc/3f980000.usb/usb1/1-1"
    for path in (usb / "1-1.2/idVendor", tmp_path / "proc/asound/cards"):
        path.unlink()
        path.mkdir()
    (usb / "1-1.4/serial").unlink()
    os.mkfifo(usb / "1-1.4/serial")
    (usb / "1-1.4/idProduct").write_bytes(b"9e8\0\xff4" * 100_000)
    open_files = len(os.listdir("/proc/self/fd"))
    assert read_hardware(tmp_path) == {
        2: Hardware("Device", None, "1-1.2", None),
        3: Hardware("Microphone", None, "1-1.4", None),
    }
    assert len(os.listdir("/proc/self/fd")) == open_files


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    make(root, {1: HAT, 2: MIC, 3: YETI})
    return root


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_in_the_files_only_what_has_the_form_is_told(tree: Path, data: st.DataObject) -> None:
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    chosen = data.draw(st.lists(st.sampled_from(files), min_size=1, max_size=8, unique=True), label="files")
    kept = {path: path.read_bytes() for path in chosen}
    try:
        for path, old in kept.items():
            cut = data.draw(st.integers(0, len(old)))
            path.write_bytes(old[:cut] + data.draw(st.binary(max_size=200)) + old[cut:])
        cards = read_hardware(tree)
    finally:
        for path, old in kept.items():
            path.write_bytes(old)
    assert {1, 2, 3} <= set(cards)
    for card in cards.values():
        assert card.usb_path is None or re.fullmatch(PORT, card.usb_path)
        assert card.usb_id is None or re.fullmatch("[0-9a-f]{4}:[0-9a-f]{4}", card.usb_id)
        assert card.serial is None or re.fullmatch(SERIAL, card.serial)
        assert all(text is None or text.isprintable() for text in (card.id, card.name))


@pytest.mark.parametrize(
    ("name", "host", "card"),
    [
        ("USB PnP Sound Device: Audio (hw:2,0)", "ALSA", 2),
        ("USB PnP Sound Device: Audio (plughw:2,0)", "ALSA", 2),
        ("USB PnP Sound Device: - (hw:2,0)", "ALSA", 2),
        ("USB PnP Sound Device: Audio (hw:3,0)", "ALSA", None),  # another card by now
        ("USB PnP Sound Device Pro: Audio (hw:2,0)", "ALSA", None),
        ("USB PnP Sound Device: Audio (hw:9,0)", "ALSA", None),
        ("USB PnP Sound Device: Audio (hw:2,0)", "OSS", None),
        ("USB PnP Sound Device: Audio (hw:2,0) x", "ALSA", None),
        ("default", "ALSA", None),
        ("pulse", "ALSA", None),
    ],
)
def test_hardware_is_put_to_the_device_that_it_is(tmp_path: Path, name: str, host: str, card: int | None) -> None:
    make(tmp_path, {2: MIC, 3: YETI})
    cards = read_hardware(tmp_path)
    told = with_hardware(InputDevice(0, name, 1, 48000, host, False), cards).hardware
    assert told == (Hardware() if card is None else cards[card])
