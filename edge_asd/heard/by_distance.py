"""What the distance detector heard: the features by which a sound is far from its section's nearest centre."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edge_asd.clips import Domain
from edge_asd.distance.bands import band_terms, metric
from edge_asd.distance.features import FEATURE_BITS
from edge_asd.distance.parameters import Centre, Directions
from edge_asd.heard.moved import Moved, moved_ranges
from edge_asd.heard.ranges import Evidence, Floats


def heard_by_distance(
    features: npt.NDArray[np.int16], centres: Mapping[Domain, Centre], directions: Directions, limits: Floats
) -> list[Moved]:
    """Tell which bands moved.

    Parameters
    ----------
    features : ndarray, int16 [shape=(2 * n_mels,), dB in Q8.7]
        Of one sound.
    centres : mapping of {"source", "target"} to Centre
        Of the section.
    directions : Directions
    limits : ndarray, float64 [shape=(n_mels + 1,), Hz]
        See `edge_asd.heard.ranges.band_limits`.
    """
    terms = band_terms(features, centres, directions)
    score = float(terms.part.sum())
    if score <= 0:
        return []
    unit = centres[terms.domain].normaliser / (1 << 16)
    matrix = metric(directions) / unit
    pull = matrix @ np.concatenate([terms.level, terms.unsteadiness])
    levels = features[: len(terms.level)] / (1 << FEATURE_BITS)
    try:
        return moved_ranges(Evidence(matrix, pull, 1.0, 2), limits, levels, score)
    except np.linalg.LinAlgError:  # directions that no fit makes: the matrix is not positive definite
        return []
