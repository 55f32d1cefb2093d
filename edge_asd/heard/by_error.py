"""What an autoencoder heard: the bands that it reconstructs worse than those of healthy sound."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.healthy_file import Healthy
from edge_asd.distance.features import FEATURE_BITS
from edge_asd.heard.moved import Moved, Way, described
from edge_asd.heard.ranges import Evidence, Floats, find_ranges

CHANCE = 0.2
"""Share of the healthy errors by which those of all bands together may grow by chance."""

_LOUDER_DB = 1.0
_STEADIER = 1.25
"""From here on a level, or how much it swings, has changed: an autoencoder's error does not tell which it is about."""


def heard_by_error(
    features: npt.NDArray[np.int16], errors: npt.NDArray[np.int32], healthy: Healthy, limits: Floats
) -> list[Moved]:
    """Tell which bands moved.

    Parameters
    ----------
    features : ndarray, int16 [shape=(2 * n_mels,), dB in Q8.7]
        Level and unsteadiness of one sound.
    errors : ndarray, int32 [shape=(n_mels,), dB^2 in Q15.16]
        Of its bands, on average.
    healthy : Healthy
        Of its section.
    limits : ndarray, float64 [shape=(n_mels + 1,), Hz]
        See `edge_asd.heard.ranges.band_limits`.
    """
    usual = healthy.errors.astype(np.float64)
    excess = np.maximum(errors - usual, 0.0) / usual.sum()
    score = float(errors.sum()) / float(usual.sum())
    n_mels = len(usual)
    # Errors add up: no band stands for another.
    evidence = Evidence(np.eye(n_mels), np.sqrt(excess), CHANCE, 1)
    levels, normal = (x[:n_mels] / (1 << FEATURE_BITS) for x in (features, healthy.features))
    swings = (features[n_mels:].astype(np.float64) - healthy.features[n_mels:]) / (1 << FEATURE_BITS)
    found = []
    for one in find_ranges(evidence, limits):
        moved = described(
            one, limits, levels, normal[one.bands], float(swings[one.bands].mean()), one.explained / score, ()
        )
        found.append(replace(moved, ways=_ways(moved)))
    return found


def _ways(moved: Moved) -> tuple[Way, ...]:
    changed: dict[Way, bool] = {
        "level": abs(moved.level_db) >= _LOUDER_DB,
        "unsteadiness": abs(math.log(moved.unsteadiness)) >= math.log(_STEADIER),
    }
    return tuple(way for way, is_so in changed.items() if is_so)
