"""The level of a fault against the machine's own, and the search for the level from which on it is heard.

The level of a fault in a clip is 20 log10(RMS of what is added / RMS of the clip), both over the whole clip, the
clip's mean taken away: 0 dB is as loud as the machine with all that sounds around it, pauses of either included.
The mix is rounded to 16 bits. One that leaves their range is not made: it would be judged for the clipping. Nor is one
whose fault has an RMS below 1 LSB, of which rounding leaves another level, or nothing. The loudest level of a fault in
a clip is therefore the loudest that fits, and the softest may lie above that of `LEVELS_DB`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.train.synthesis.signals import Float64

STEP_DB = 3
LEVELS_DB = range(12, -37, -STEP_DB)
"""Levels that a fault may be heard from [dB], the loudest first."""

_LEAST = 1.0  # RMS in LSB: rounding a tone moves it by 1.2 dB at most, by 6 dB at half of it

_COARSE, _WIDE = 2, 4  # steps at once


def mixed(clip: npt.NDArray[np.int16], wave: Float64, level_db: float) -> npt.NDArray[np.int16] | None:
    """Add a fault to a clip at a level.

    Parameters
    ----------
    clip : ndarray, int16 [shape=(n,)]
    wave : ndarray, float64 [shape=(n,)]
        The fault, of unit power.
    level_db : float [dB]
        The fault's, relative to the clip's.

    Returns
    -------
    mix : ndarray, int16 [shape=(n,)], or None
        None where it does not fit into 16 bits.
    """
    mix = np.rint(clip + wave * _fault_rms(clip, level_db))
    return mix.astype(np.int16) if mix.min() >= -32768 and mix.max() <= 32767 else None


def _fault_rms(clip: npt.NDArray[np.int16], level_db: float) -> float:
    return float(10 ** (level_db / 20) * clip.std())


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one fault in one clip.

    Attributes
    ----------
    loudest_db, softest_db : int [dB]
        The ends of what could be tried.
    from_db : int or None [dB]
        The fault is heard at this level and at every louder one that was tried; None where it is not heard at the
        loudest.
    lost : bool
        It is heard at a softer level, but not at the loudest.
    """

    loudest_db: int
    softest_db: int
    from_db: int | None
    lost: bool


def levels_within(clip: npt.NDArray[np.int16], wave: Float64) -> Sequence[int]:
    """Return those of `LEVELS_DB` at which a fault can be mixed into a clip: neighbours, or none."""
    loud_enough = [level for level in LEVELS_DB if _fault_rms(clip, level) >= _LEAST]
    first = next((i for i, level in enumerate(loud_enough) if mixed(clip, wave, level) is not None), len(loud_enough))
    return loud_enough[first:]


def search(heard: Callable[[int], bool], levels: Sequence[int]) -> Heard:
    """Find the level from which on a fault is heard, from the loudest downward.

    A detector's score need not grow with the level, so nothing is halved: every second level is tried until the fault
    is no longer heard, and then the one between. What softer levels would say does not matter, unless the loudest
    is not heard: then every fourth is tried until one is.

    Parameters
    ----------
    heard : callable
        Tells whether the fault is heard at one of the levels.
    levels : sequence of int [length n >= 1]
        Neighbours of `LEVELS_DB`, the loudest first.
    """
    loudest_db, softest_db = levels[0], levels[-1]
    coarse = [*levels[:-1:_COARSE], levels[-1]]
    if not heard(loudest_db):
        return Heard(loudest_db, softest_db, None, any(heard(level) for level in levels[_WIDE::_WIDE]))
    last = loudest_db
    for level in coarse[1:]:
        if heard(level):
            last = level
            continue
        between = last - STEP_DB
        return Heard(loudest_db, softest_db, between if between > level and heard(between) else last, False)
    return Heard(loudest_db, softest_db, last, False)


def share_level(results: Sequence[Heard], tenths: int) -> int | None:
    """Return the softest level from which on a share of clips is flagged; None where so many are not.

    Parameters
    ----------
    results : sequence of Heard
        One per clip.
    tenths : int, 1 to 10
        The share: at least so many tenths of the clips.
    """
    levels = sorted(result.from_db for result in results if result.from_db is not None)
    needed = -(-tenths * len(results) // 10)
    return levels[needed - 1] if 0 < needed <= len(levels) else None


def loudest_level(results: Sequence[Heard]) -> int | None:
    """Return the loudest level that was tried in at least half of the clips; None where there are none."""
    return _of_half(sorted((result.loudest_db for result in results), reverse=True))


def softest_level(results: Sequence[Heard]) -> int | None:
    """Return the softest level that was tried in at least half of the clips; None where there are none."""
    return _of_half(sorted(result.softest_db for result in results))


def _of_half(levels: Sequence[int]) -> int | None:
    return levels[-(-len(levels) // 2) - 1] if levels else None
