"""The committed bundles: one of each detector, and what they say of sound that integers make.

``make_bundles.py`` made them. What lies in ``bundles/`` does not change with the code: bundles that were made once
must score the same sound alike for good.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.data import RATE

FOLDER = Path(__file__).parent / "bundles"

NAMES = {"ae": FOLDER / "ae.easd", "mobilenetv2": FOLDER / "mobilenetv2.easd", "distance": FOLDER / "distance.easd"}
"""The bundle of each detector."""

EXPECTED = FOLDER / "expected.json"

SECONDS = 6

PITCHES = (200, 330)
"""Of the sounds: about those of the sections 00 and 01 of `tests.data`."""


def made_sound(seed: int, pitch: int) -> npt.NDArray[np.int16]:
    """Make a machine's hum in noise, as `tests.data.machine_sound` does, that begins to whine in the middle.

    The raw bits of PCG64 are the same in every version of NumPy; its distributions need not be.

    Parameters
    ----------
    seed : int
    pitch : int [Hz]
        A multiple of 10.
    """
    n = RATE * SECONDS
    raw = np.random.PCG64(seed).random_raw(n)
    # Four bytes of each word, added up, are nearly normal; twice that has a deviation of 296.
    sound = sum(((raw >> np.uint64(8 * i)) & np.uint64(255)).astype(np.int64) for i in range(4)) * 2 - 1020
    for harmonic in (1, 2, 3, 5):
        sound += _tone(pitch * harmonic, 900 / harmonic, seed + harmonic, n)
    whine = _tone(4100, 700, seed, n) * (np.arange(n) // 2667 % 2)
    whine[: n // 2] = 0
    return np.clip(sound + whine, -32768, 32767).astype(np.int16)


def _tone(frequency: int, height: float, phase: int, n: int) -> npt.NDArray[np.int64]:
    """Whole numbers from a table of a tenth of a second, none of which is near a half."""
    table = [round(height * math.sin(2 * math.pi * (frequency * k / RATE + phase / 7))) for k in range(RATE // 10)]
    return np.resize(np.array(table, np.int64), n)


def expected() -> dict[str, list[dict[str, Any]]]:
    """What the bundles said when they were made: by detector, a list of sounds with scores and decisions."""
    document: dict[str, list[dict[str, Any]]] = json.loads(EXPECTED.read_text())
    return document
