"""``healthy.npz``: what the sections of an autoencoder's bundle sound like when healthy, band by band.

It is for people to be told what moved (`edge_asd.heard`), and no part of any score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.arrays import Arrays, read_arrays, write_arrays
from edge_asd.distance.parameters import LARGEST_MEAN, LEAST_MEAN
from edge_asd.errors import BundleError

HEALTHY = "healthy.npz"

MAX_BYTES = 2**18
"""Of all arrays together; those of a hundred sections with 128 bands take 100 KiB."""

_ARRAYS: Arrays = {"sections": (np.uint8, (1,)), "features": (np.int16, (2,)), "errors": (np.int32, (2,))}


@dataclass(frozen=True, slots=True)
class Healthy:
    """Healthy sound of one section.

    Attributes
    ----------
    features : ndarray, int16, -20096 to 6528 [shape=(2 * n_mels,), dB in Q8.7]
        Mean level and unsteadiness of each band over clips (`edge_asd.distance.features`).
    errors : ndarray, int32, at least 1 [shape=(n_mels,), dB^2 in Q15.16]
        Mean of the squared difference from what the autoencoder makes of it.
    """

    features: npt.NDArray[np.int16]
    errors: npt.NDArray[np.int32]


def write_healthy(sections: Mapping[str, Healthy]) -> bytes:
    """Return the file's contents."""
    rows = [sections[section] for section in sorted(sections)]
    return write_arrays(
        sections=np.array([int(section) for section in sorted(sections)], np.uint8),
        features=np.stack([one.features for one in rows]),
        errors=np.stack([one.errors for one in rows]),
    )


def read_healthy(content: bytes, n_mels: int) -> dict[str, Healthy]:
    """Read and check the file's contents.

    Returns
    -------
    sections : dict of str to Healthy

    Raises
    ------
    BundleError
        If they are not those of a bundle with so many bands.
    """
    found = read_arrays(content, _ARRAYS, file=HEALTHY, most_bytes=MAX_BYTES)
    numbers, features, errors = found["sections"].tolist(), found["features"], found["errors"]
    if len(set(numbers)) < len(numbers) or max(numbers, default=0) > 99:
        raise _refusal("its sections are not each another of 00 to 99")
    if features.shape != (len(numbers), 2 * n_mels) or errors.shape != (len(numbers), n_mels):
        raise _refusal(f"it does not describe {len(numbers)} sections of {n_mels} bands")
    if not ((features >= LEAST_MEAN) & (features <= LARGEST_MEAN)).all() or not (errors > 0).all():
        raise _refusal("levels or errors are out of range")
    return {f"{number:02d}": Healthy(*rows) for number, *rows in zip(numbers, features, errors, strict=True)}


def _refusal(why: str) -> BundleError:
    return BundleError(f"The bundle's {HEALTHY} cannot be used: {why}. Make the bundle anew.")
