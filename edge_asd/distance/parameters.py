"""What a fitted distance detector is: integers, checked so that no sound can make the arithmetic overflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.clips import Domain
from edge_asd.distance.blocks import Blocks
from edge_asd.errors import BundleError

DISTANCE_NUMBER = 1
"""Number of this arithmetic; tests/golden/distance.npz holds vectors of it."""

MOST_FEATURES = 256
MOST_DIRECTIONS = 64

LEAST_MEAN, LARGEST_MEAN = -157 << 7, 51 << 7
"""No feature lies beyond, so that its difference from a mean fits int16 [dB in Q8.7]."""

MULTIPLIER_BITS = 32
"""Fractional bits of a direction's multiplier."""

PROJECTION_BITS = 14
"""Projections are int32 decibels with this many fractional bits."""

NORMALISER_BITS = 16
"""Normalisers are dB^2 with this many fractional bits."""

LARGEST_NORMALISER = (1 << 40) - 1
"""2^24 dB^2, 256 features 256 dB away."""

_LARGEST_DIFFERENCE = LARGEST_MEAN - LEAST_MEAN
_LARGEST_MULTIPLIER = (1 << 25) - 1


@dataclass(frozen=True, slots=True)
class Directions:
    """Directions in which healthy sound of a machine varies, and which therefore count less.

    Attributes
    ----------
    vectors : ndarray, int16 [shape=(k, features), -32767 to 32767]
        k is 0 to 64, and there are 2 to 256 features.
    multipliers : ndarray, int32, 0 to 2^25 - 1 [shape=(k,), Q0.32]
        A row's scale times 2^7: it turns products with Q8.7 features into decibels in Q14.

    Raises
    ------
    BundleError
        If they are no such arrays, or a projection could reach 2^28.
    """

    vectors: npt.NDArray[np.int16]
    multipliers: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        vectors, multipliers = self.vectors, self.multipliers
        if vectors.dtype != np.int16 or multipliers.dtype != np.int32 or vectors.ndim != 2:
            raise BundleError("Directions must be int16 rows, and their multipliers int32. Fit anew.")
        k, features = vectors.shape
        if k > MOST_DIRECTIONS or not 2 <= features <= MOST_FEATURES or features % 2 or multipliers.shape != (k,):
            raise BundleError(
                f"{multipliers.size} multipliers for directions of shape {vectors.shape} are not one for each of at "
                f"most {MOST_DIRECTIONS} rows of 2 to {MOST_FEATURES} features, two for each band. Fit anew."
            )
        reach = np.abs(vectors.astype(np.int64)).sum(axis=1) * _LARGEST_DIFFERENCE  # below 2^38
        fits = (vectors != -(2**15)).all() and ((multipliers >= 0) & (multipliers <= _LARGEST_MULTIPLIER)).all()
        if not fits or (reach * multipliers >= 1 << (28 + MULTIPLIER_BITS)).any():
            raise BundleError("A direction is out of range: the integer distance could overflow. Fit anew.")


@dataclass(frozen=True, slots=True)
class Centre:
    """What a section sounds like in one domain.

    Attributes
    ----------
    mean : ndarray, int16, -20096 to 6528 [shape=(features,), dB in Q8.7]
    normaliser : int, 1 to 2^40 - 1 [dB^2 in Q16]
        The distance that counts as 1.

    Raises
    ------
    BundleError
        If they are not.
    """

    mean: npt.NDArray[np.int16]
    normaliser: int

    def __post_init__(self) -> None:
        if (
            self.mean.dtype != np.int16
            or self.mean.ndim != 1
            or not ((self.mean >= LEAST_MEAN) & (self.mean <= LARGEST_MEAN)).all()
            or not 1 <= self.normaliser <= LARGEST_NORMALISER
        ):
            raise BundleError(
                f"A mean must be int16 from {LEAST_MEAN} to {LARGEST_MEAN}, and its normaliser 1 to "
                f"{LARGEST_NORMALISER}. Fit anew."
            )


@dataclass(frozen=True, slots=True)
class DistanceModel:
    """A machine's directions, and the centres of its sections.

    Attributes
    ----------
    blocks : Blocks
    directions : Directions
    sections : mapping of str to mapping of {"source", "target"} to Centre
        Each section has at least one centre.

    Raises
    ------
    BundleError
        If a centre does not fit the directions, or a section has none.
    """

    blocks: Blocks
    directions: Directions
    sections: Mapping[str, Mapping[Domain, Centre]]

    def __post_init__(self) -> None:
        features = self.directions.vectors.shape[1]
        for section, centres in self.sections.items():
            if not centres or any(centre.mean.shape != (features,) for centre in centres.values()):
                raise BundleError(f"Section {section} needs a mean of {features} features for a domain. Fit anew.")

    @property
    def n_mels(self) -> int:
        """Bands; two features are of each."""
        return int(self.directions.vectors.shape[1]) // 2
