"""What a distance is made of: how far each mel band moved, and how much of the distance that is.

With M the distance's matrix, D = d^T M d is the sum of d_i (M d)_i over the features: each is a feature's part of it.
A band's part is that of its level and its unsteadiness together. Parts may be negative: where bands usually move
together, one that stays behind can make the other's movement the odder, and one that comes along excuses it.

This is for people to read, in floating point, and no part of the numbered arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.clips import Domain
from edge_asd.distance.distance import centre_scores, projections
from edge_asd.distance.features import FEATURE_BITS
from edge_asd.distance.parameters import MULTIPLIER_BITS, PROJECTION_BITS, Centre, Directions

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BandTerms:
    """How one sound differs from the centre that it is nearest to, band by band.

    Attributes
    ----------
    domain : {"source", "target"}
        Of that centre.
    level : ndarray, float64 [shape=(n_mels,), dB]
        How much louder than the centre.
    unsteadiness : ndarray, float64 [shape=(n_mels,), dB]
        How much larger the standard deviation over time of the band's decibels: 3 dB is twice.
    level_part, unsteadiness_part : ndarray, float64 [shape=(n_mels,)]
        Parts of the score, which add up to it, but for the rounding.
    """

    domain: Domain
    level: Floats
    unsteadiness: Floats
    level_part: Floats
    unsteadiness_part: Floats

    @property
    def part(self) -> Floats:
        """Each band's part of the score [shape=(n_mels,)]."""
        return self.level_part + self.unsteadiness_part


def metric(directions: Directions) -> Floats:
    """Return the distance's matrix M [shape=(features, features)], positive definite: D = d^T M d, with d in dB."""
    vectors = _float_vectors(directions)
    found: Floats = np.eye(vectors.shape[1]) - vectors.T @ vectors
    return found


def _float_vectors(directions: Directions) -> Floats:
    scale = directions.multipliers / (1 << (MULTIPLIER_BITS + PROJECTION_BITS // 2))
    vectors: Floats = scale[:, None] * directions.vectors
    return vectors


def band_terms(features: npt.NDArray[np.int16], centres: Mapping[Domain, Centre], directions: Directions) -> BandTerms:
    """Take the score of one sound apart.

    Parameters
    ----------
    features : ndarray, int16 [shape=(2 * n_mels,), dB in Q8.7]
    centres : mapping of {"source", "target"} to Centre
        Of the section.
    directions : Directions
    """
    of_centres = centre_scores(features[None], centres, directions)
    domain = min(of_centres, key=lambda name: int(of_centres[name][0]))
    centre = centres[domain]
    difference = features.astype(np.int64) - centre.mean
    z = projections(difference[None], directions)[0] / (1 << PROJECTION_BITS)
    moved = difference / (1 << FEATURE_BITS)
    parts = moved * (moved - z @ _float_vectors(directions)) / (centre.normaliser / (1 << 16))
    level, unsteadiness = np.split(moved, 2)
    return BandTerms(domain, level, unsteadiness, *np.split(parts, 2))
