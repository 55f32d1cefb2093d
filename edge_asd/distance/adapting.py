"""New centres from a few clips: means and normalisers, on the device, without training.

A clip's mean distance from the mean of t clips, itself among them, is (t - 1) / t of that from the true mean, and a new
clip's is (t + 1) / t: what t clips show of themselves, times (t + 1) / (t - 1), is what to expect of new ones.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edge_asd.clips import Domain
from edge_asd.distance.distance import DISTANCE_BITS, distances
from edge_asd.distance.features import FEATURE_BITS
from edge_asd.distance.parameters import LARGEST_NORMALISER, NORMALISER_BITS, Centre, Directions
from edge_asd.errors import DataError

GAMMA = 1.25
"""How much farther than its clips show the target domain is taken to reach; docs/distance.md says how it was chosen."""

LEAST_SOURCE_CLIPS = 10
LEAST_TARGET_CLIPS = 2


def expected_distances(own: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turn the distances of t > 1 clips from their own mean into those to expect of new clips [shape=(t,)]."""
    t = len(own)
    return own * ((t + 1) / (t - 1))


def target_normaliser(own: npt.NDArray[np.float64], source: float, gamma: float = GAMMA) -> float:
    """Return the normaliser of a target domain: no narrower than the source, and the source's if one clip is known.

    Parameters
    ----------
    own : ndarray, float64 [shape=(t,), dB^2]
        Distances of the target's clips from their mean.
    source : float [dB^2]
        The source's normaliser.
    gamma : float > 0
    """
    return source if len(own) < 2 else max(source, gamma * float(expected_distances(own).mean()))


def rounded_centre(mean: npt.NDArray[np.float64], normaliser: float) -> Centre:
    """Round a mean [shape=(features,), dB] to Q8.7, and its normaliser [dB^2] to Q16."""
    rounded = max(1, min(LARGEST_NORMALISER, round(normaliser * 2.0**NORMALISER_BITS)))
    return Centre(np.rint(mean * 2.0**FEATURE_BITS).astype(np.int16), rounded)


def adapted(
    features: npt.NDArray[np.int16], domain: Domain, centres: Mapping[Domain, Centre], directions: Directions
) -> Centre:
    """Compute a section's centre anew from healthy clips, which its directions were not fitted on.

    Parameters
    ----------
    features : ndarray, int16 [shape=(clips, features), dB in Q8.7]
        One row for each clip, from spans that do not overlap.
    domain : {"source", "target"}
        Whose centre it is to be.
    centres : mapping of {"source", "target"} to Centre
        The section's present ones; the caller keeps the old one.
    directions : Directions

    Raises
    ------
    DataError
        If there are fewer than `LEAST_SOURCE_CLIPS` or `LEAST_TARGET_CLIPS`, or they are all the same sound.
    """
    least = LEAST_SOURCE_CLIPS if domain == "source" else LEAST_TARGET_CLIPS
    if len(features) < least:
        raise DataError(
            f"{len(features)} healthy recordings are too few to learn the {domain} domain anew; it needs {least}, and "
            "twenty are better. Record more of them."
        )
    mean = features.mean(axis=0) / 2**FEATURE_BITS
    own = distances(features, rounded_centre(mean, 1.0), directions) / 2.0**DISTANCE_BITS
    if not own.any():
        raise DataError("The healthy recordings are all the same sound. Record at different times.")
    if domain == "source" or "source" not in centres:
        return rounded_centre(mean, float(np.median(expected_distances(own))))
    return rounded_centre(mean, target_normaliser(own, centres["source"].normaliser / 2.0**NORMALISER_BITS))
