"""Ranges of bands that moved, for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from edge_asd.heard.ranges import Evidence, Floats, Range, explained, find_ranges

Way = Literal["level", "unsteadiness"]

_NAMED = 0.4
"""Share of what a range explains from which on its level, or its unsteadiness, is named for it."""

_MOST_DB = 200.0
"""Bounds what directions that no fit makes can lead one to expect; sound has less than 208 dB from end to end."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A range of frequencies in which a sound differs from healthy sound.

    Attributes
    ----------
    low_hz, high_hz : float [Hz]
    level_db : float [dB]
        How much louder it is; negative if it is quieter.
    unsteadiness : float > 0
        How many times as much its level swings: the standard deviation over time of its decibels against healthy
        sound's.
    share : float, 0 to 1
        Of the score: without these bands it would be less by so much.
    ways : tuple of {"level", "unsteadiness"}
        Which of the two it is about; none where the detector cannot tell.
    """

    low_hz: float
    high_hz: float
    level_db: float
    unsteadiness: float
    share: float
    ways: tuple[Way, ...]


def moved_ranges(evidence: Evidence, limits: Floats, levels: Floats, score: float) -> list[Moved]:
    """Name the ranges of bands that a score is about, the one that explains most first.

    Parameters
    ----------
    evidence : Evidence
        Of two kinds of features: level and unsteadiness [dB].
    limits : ndarray, float64 [shape=(n_mels + 1,), Hz]
    levels : ndarray, float64 [shape=(n_mels,), dB]
        Of the sound.
    score : float > 0
        In the unit of the evidence.
    """
    found = []
    for one in find_ranges(evidence, limits):
        places = one.features(2, len(levels))
        total, surprise = explained(evidence, places)
        surprise = np.clip(surprise, -_MOST_DB, _MOST_DB)
        alone = {"level": explained(evidence, places[::2])[0], "unsteadiness": explained(evidence, places[1::2])[0]}
        most = max(alone.values())
        ways: list[Way] = ["level", "unsteadiness"]
        found.append(
            described(
                one,
                limits,
                levels,
                levels[one.bands] - surprise[::2],
                float(surprise[1::2].mean()),
                one.explained / score,
                tuple(way for way in ways if alone[way] >= min(most, _NAMED * total)),
            )
        )
    return found


def described(
    one: Range,
    limits: Floats,
    levels: Floats,
    expected: Floats,
    unsteadier_db: float,
    share: float,
    ways: tuple[Way, ...],
) -> Moved:
    """Describe a range, with the levels that were to be expected of its bands [dB]."""
    now, before = (float(np.sum(10 ** (some / 10))) for some in (levels[one.bands], expected))
    return Moved(
        low_hz=round(float(limits[one.first]), 1),
        high_hz=round(float(limits[one.last + 1]), 1),
        level_db=round(10 * float(np.log10(now / before)), 1),
        unsteadiness=float(f"{10 ** (unsteadier_db / 10):.3g}"),
        share=round(min(1.0, max(0.0, share)), 3),
        ways=ways,
    )
