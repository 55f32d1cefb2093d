"""What the board says of its own health: temperature, and on a Raspberry Pi a weak supply or a throttled processor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_PLAUSIBLE_C = (-50.0, 200.0)  # what is outside was not measured
_MOST_BYTES = 64

_NOW = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "near its temperature limit"}
_SINCE_START = {16: "under-voltage", 18: "throttled"}
"""Bits of the firmware's word that a person can act on; the other two from before follow from them."""


@dataclass(frozen=True, slots=True)
class BoardHealth:
    """How the board is.

    Attributes
    ----------
    temperature_c : float or None [degree Celsius]
        Of the hottest sensor; None where there is none.
    now : tuple of str
        What is the matter now, for people; empty where nothing is, or where the board does not tell.
    before : tuple of str
        What was the matter since the board started and is so no longer.
    """

    temperature_c: float | None = None
    now: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


class Board:
    """Reads the kernel's files.

    Parameters
    ----------
    root : Path
        Under which ``sys`` lies.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._zones = _found(root / "sys/class/thermal", "thermal_zone*/temp")
        # The folder is soc on a Raspberry Pi 4 and before, and soc@ with an address since.
        self._firmware = _found(root / "sys/devices/platform", "soc*/soc*:firmware/get_throttled")

    def read(self) -> BoardHealth:
        """Ask once more. What cannot be read or understood is taken for absent."""
        temperatures = [value for path in self._zones if (value := _temperature(path)) is not None]
        bits = next((value for path in self._firmware if (value := _bits(path)) is not None), 0)
        now = tuple(text for bit, text in _NOW.items() if bits >> bit & 1)
        before = tuple(text for bit, text in _SINCE_START.items() if bits >> bit & 1 and text not in now)
        return BoardHealth(max(temperatures, default=None), now, before)


def _found(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("ascii", "replace").strip()
    except OSError:
        return ""


def _temperature(path: Path) -> float | None:
    text = _read(path)
    if re.fullmatch(r"-?[0-9]{1,9}", text) is None:
        return None
    degrees = int(text) / 1000
    return degrees if _PLAUSIBLE_C[0] <= degrees <= _PLAUSIBLE_C[1] else None


def _bits(path: Path) -> int | None:
    text = _read(path)
    return int(text, 16) if re.fullmatch(r"(0x)?[0-9a-fA-F]{1,8}", text) else None
