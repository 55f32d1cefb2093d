"""The distance detector in floating point, as it was fitted: what its integers are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.clips import Domain
from edge_asd.distance.blocks import SUM_BITS, Blocks
from edge_asd.distance.features import STEADY

Floats = npt.NDArray[np.float64]

_STEADY_DB = STEADY / (1 << SUM_BITS)


@dataclass(frozen=True, slots=True)
class FloatCentre:
    """Mean [shape=(features,), dB] and normaliser [dB^2] of a section's domain."""

    mean: Floats
    normaliser: float


@dataclass(frozen=True, slots=True)
class FloatModel:
    """What was fitted.

    Attributes
    ----------
    vectors : ndarray, float64 [shape=(k, features)]
        sqrt(1 - delta / lambda_k) v_k.
    sections : mapping of str to mapping of {"source", "target"} to FloatCentre
    """

    vectors: Floats
    sections: Mapping[str, Mapping[Domain, FloatCentre]]

    def centre_scores(self, features: Floats, section: str) -> dict[Domain, Floats]:
        """Score clips of a section [shape=(clips, features), dB] by each centre; half the healthy ones are below 1."""
        return {
            domain: float_distances(features - centre.mean, self.vectors) / centre.normaliser
            for domain, centre in self.sections[section].items()
        }

    def scores(self, features: Floats, section: str) -> Floats:
        """Score clips of a section: the least of its centres' scores."""
        least: Floats = np.min(list(self.centre_scores(features, section).values()), axis=0)
        return least


def float_features(frames: Floats, blocks: Blocks) -> Floats:
    """Compute the features of every span of a clip, as `edge_asd.distance.features.clip_features` does in integers.

    Parameters
    ----------
    frames : ndarray, float64 [shape=(n, n_mels), dB]
    blocks : Blocks

    Returns
    -------
    features : ndarray, float64 [shape=(max(0, n // blocks.frames - blocks.count + 1), 2 * n_mels), dB]
    """
    starts = range(0, len(frames) - blocks.span + 1, blocks.frames)
    spans = [frames[start : start + blocks.span] for start in starts]
    rows = [
        np.concatenate([10 * np.log10((10 ** (db / 10)).mean(axis=0)), 5 * np.log10(db.var(axis=0) + _STEADY_DB**2)])
        for db in spans
    ]
    return np.array(rows).reshape(len(rows), 2 * frames.shape[1])


def float_distances(differences: Floats, vectors: Floats) -> Floats:
    """Compute squared distances [shape=(clips,), dB^2] of differences from a mean [shape=(clips, features), dB]."""
    squares = (differences**2).sum(axis=-1) - ((differences @ vectors.T) ** 2).sum(axis=-1)
    found: Floats = np.maximum(squares, 0)
    return found
