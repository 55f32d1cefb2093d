"""Distance of features from what a section sounds like, and the score.

D is a squared Mahalanobis distance by the covariance delta I + sum of (lambda_k - delta) v_k v_k^T over the leading
eigenvectors v_k, times delta: |d|^2 - sum of (1 - delta / lambda_k) (v_k . d)^2, with d the features' difference from
the mean. The fit folds the root of the factor into v_k, and rounds that to int16 with one scale for each row: D is what
little is left of |d|^2 where a machine is louder as a whole, and int8 rows lose it.

7. d = x - mean, in Q8.7 and int16.
8. Y_k = sum of q_ki d_i, int64; z_k = floor((Y_k * multiplier_k + 2^31) / 2^32): decibels in Q14, int32.
9. D = max(0, 2^14 * sum of d_i^2 - sum of z_k^2): dB^2 in Q28, int64.
10. The score of a centre is min(2^31 - 1, floor((16 D + floor(n / 2)) / n)), in Q15.16, with n its normaliser in Q16;
    the section's score is the least of its centres': a healthy sound is near one of them. 1 is the distance of half of
    all healthy clips.

Bounds: features and means lie between -20096 and 6528, so |d_i| <= 26624, |Y_k| <= 256 * 32767 * 26624 < 2^38 and the
sum of d_i^2 < 2^38. Multipliers are below 2^25, and products with them below 2^63. Parameters for which |z_k| could
reach 2^28 are refused, so that the sum of 64 squares stays below 2^62; 16 D + n / 2 < 2^56 + 2^39.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edge_asd.clips import Domain
from edge_asd.distance.features import FEATURE_BITS
from edge_asd.distance.parameters import MULTIPLIER_BITS, NORMALISER_BITS, PROJECTION_BITS, Centre, Directions
from edge_asd.frontend.logarithm import Int64

SCORE_BITS = 16
"""Scores are int32 with this many fractional bits."""

DISTANCE_BITS = 2 * PROJECTION_BITS
"""Distances are dB^2 with this many fractional bits."""

_SCORE_MAX = 2**31 - 1


def projections(differences: Int64, directions: Directions) -> Int64:
    """Project differences from a mean on the directions.

    Parameters
    ----------
    differences : ndarray, int64, -26624 to 26624 [shape=(n, features), dB in Q8.7]
    directions : Directions

    Returns
    -------
    z : ndarray, int64 [shape=(n, k), dB in Q14]
        They fit int32.
    """
    products = differences @ directions.vectors.T.astype(np.int64)
    z: Int64 = (products * directions.multipliers + (1 << (MULTIPLIER_BITS - 1))) >> MULTIPLIER_BITS
    return z


def distances(features: npt.NDArray[np.int16], centre: Centre, directions: Directions) -> Int64:
    """Compute the distances from a centre.

    Parameters
    ----------
    features : ndarray, int16 [shape=(n, features), dB in Q8.7]
    centre : Centre
    directions : Directions

    Returns
    -------
    distances : ndarray, int64, at least 0 [shape=(n,), dB^2 in Q28]
    """
    d = features.astype(np.int64) - centre.mean
    z = projections(d, directions)
    square = (d * d).sum(axis=1) << (DISTANCE_BITS - 2 * FEATURE_BITS)
    found: Int64 = np.maximum(square - (z * z).sum(axis=1), 0)
    return found


def centre_scores(
    features: npt.NDArray[np.int16], centres: Mapping[Domain, Centre], directions: Directions
) -> dict[Domain, npt.NDArray[np.int32]]:
    """Compute the scores of each centre [shape=(n,), Q15.16].

    A threshold is fitted on the scores of healthy clips by their own domain's centre, never by the least: few target
    clips make a wide target, which takes in half of the source's, and the threshold would sink with them.
    """
    up = NORMALISER_BITS + SCORE_BITS - DISTANCE_BITS
    return {
        domain: np.minimum(
            ((distances(features, centre, directions) << up) + centre.normaliser // 2) // centre.normaliser, _SCORE_MAX
        ).astype(np.int32)
        for domain, centre in centres.items()
    }


def scores(
    features: npt.NDArray[np.int16], centres: Mapping[Domain, Centre], directions: Directions
) -> npt.NDArray[np.int32]:
    """Compute a section's scores: the least of its centres'.

    Parameters
    ----------
    features : ndarray, int16 [shape=(n, features), dB in Q8.7]
    centres : mapping of {"source", "target"} to Centre
        Of the section; at least one.
    directions : Directions

    Returns
    -------
    scores : ndarray, int32, at least 0 [shape=(n,), Q15.16]
    """
    least: npt.NDArray[np.int32] = np.min(list(centre_scores(features, centres, directions).values()), axis=0)
    return least
