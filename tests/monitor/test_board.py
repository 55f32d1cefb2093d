"""What the board tells, read from made trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_asd.monitor.board import Board, BoardHealth

ZONES = "sys/class/thermal"
FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"


def tree(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_a_board_that_tells_nothing(tmp_path: Path) -> None:
    assert Board(tmp_path).read() == BoardHealth(None, (), ())


def test_the_hottest_sensor_counts(tmp_path: Path) -> None:
    tree(tmp_path, {f"{ZONES}/thermal_zone0/temp": b"48312\n", f"{ZONES}/thermal_zone1/temp": b"61250\n"})
    board = Board(tmp_path)
    assert board.read() == BoardHealth(61.25)
    tree(tmp_path, {f"{ZONES}/thermal_zone1/temp": b"-3000"})
    assert board.read() == BoardHealth(48.312)


@pytest.mark.parametrize(
    ("text", "now", "before"),
    [
        (b"0\n", (), ()),
        (b"50005\n", ("under-voltage", "throttled"), ()),
        (b"0x50000", (), ("under-voltage", "throttled")),
        (b"e0008", ("near its temperature limit",), ("throttled",)),
        (b"2", ("frequency capped",), ()),
        (b"10001", ("under-voltage",), ()),
    ],
)
@pytest.mark.parametrize(
    "path", [FIRMWARE, "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"]
)
def test_a_raspberry_pi_tells_of_its_supply(
    tmp_path: Path, path: str, text: bytes, now: tuple[str, ...], before: tuple[str, ...]
) -> None:
    assert Board(tree(tmp_path, {path: text})).read() == BoardHealth(None, now, before)


@pytest.mark.parametrize(
    "text", [b"", b"hot", b"9" * 5000, b"999999999", b"-274000", b"\xff\x00", b"54.2", "\uff15\uff14".encode()]
)
def test_nonsense_is_taken_for_absent(tmp_path: Path, text: bytes) -> None:
    files = {f"{ZONES}/thermal_zone0/temp": text, FIRMWARE: text[:1] + b"z"}
    assert Board(tree(tmp_path, files)).read() == BoardHealth()


def test_a_folder_in_a_files_place_and_a_file_that_goes_are_taken_for_absent(tmp_path: Path) -> None:
    (tmp_path / ZONES / "thermal_zone0/temp").mkdir(parents=True)
    board = Board(tree(tmp_path, {f"{ZONES}/thermal_zone1/temp": b"40000"}))
    assert board.read() == BoardHealth(40.0)
    (tmp_path / ZONES / "thermal_zone1/temp").unlink()
    assert board.read() == BoardHealth()
