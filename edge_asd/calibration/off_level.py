"""The level below which a machine is off, learnt from its healthy sound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from edge_asd.audio.loudness import SILENCE_DB, db_of_power
from edge_asd.bundle.manifest import is_off_level

MARGIN_DB = 6.0
"""How far below the quietest block of the healthy machine the level lies."""

PAUSE_DB = 20.0
"""A machine whose quietest block lies further below its median block pauses: its room is as quiet when it is off."""


def learn_off_level(powers: Sequence[int]) -> tuple[float | None, str]:
    """Learn the machine-off level.

    Parameters
    ----------
    powers : sequence of int, at least one [LSB^2]
        Of the healthy machine's blocks (`edge_asd.monitor.span_watch`).

    Returns
    -------
    level_db : float or None [dB re full scale]
        `MARGIN_DB` below the quietest block, rounded down to 0.1; None where no level would mean anything.
    why_not : str
        Why there is none, in words; empty where there is one.
    """
    quietest, usual = db_of_power(min(powers)), db_of_power(round(median(powers)))
    if quietest - MARGIN_DB < SILENCE_DB:
        return None, f"the quietest second of the machine ({_db(quietest)}) is nearly silent"
    if usual - quietest > PAUSE_DB:
        return None, (
            f"the machine pauses: its quietest second ({_db(quietest)}) is {usual - quietest:.0f} dB below the usual "
            "one, and the room may be as loud when it is off"
        )
    return round_down(quietest - MARGIN_DB), ""


def round_down(level_db: float) -> float:
    """Round a level down to a tenth of a decibel."""
    nearest = round(level_db, 1)
    # A level that is a tenth already stays: 10 * -45.3 need not be -453.
    rounded = nearest if math.isclose(nearest, level_db, abs_tol=1e-9) else math.floor(level_db * 10) / 10
    assert is_off_level(rounded), rounded
    return rounded


def _db(level: float) -> str:
    return "no sound at all" if math.isinf(level) else f"{level:.1f} dB"
