"""The distance detector's fit, in floating point; `edge_asd.distance.distance` says what the distance is.

The covariance is Ledoit and Wolf's shrunk estimate ("A well-conditioned estimator for large-dimensional covariance
matrices", Journal of Multivariate Analysis 88, 2004), of the residuals from each section's source mean, all sections
together: sections are one machine's, and a hundred clips of one are few for 256 features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.clips import Domain
from edge_asd.distance.adapting import GAMMA, LEAST_SOURCE_CLIPS, target_normaliser
from edge_asd.errors import DataError

Floats = npt.NDArray[np.float64]
Features = Mapping[str, Mapping[Domain, Floats]]
"""By section and domain [shape=(clips, features), dB]."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What is chosen; docs/distance.md says how.

    Attributes
    ----------
    directions : int, 1 to 64
    gamma : float > 0
        How much farther than its training clips the target domain is taken to reach.
    folds : int > 1
        Parts of the source clips that are held out in turn for the source's normaliser.
    """

    directions: int = 32
    gamma: float = GAMMA
    folds: int = 5


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


def float_distances(differences: Floats, vectors: Floats) -> Floats:
    """Compute squared distances [shape=(clips,), dB^2] of differences from a mean [shape=(clips, features), dB]."""
    squares = (differences**2).sum(axis=-1) - ((differences @ vectors.T) ** 2).sum(axis=-1)
    found: Floats = np.maximum(squares, 0)
    return found


def fit(features: Features, settings: FitSettings | None = None) -> FloatModel:
    """Fit a machine's detector.

    Parameters
    ----------
    features : mapping of str to mapping of {"source", "target"} to ndarray
        See `Features`. Each section has at least `LEAST_SOURCE_CLIPS` of the source domain.
    settings : FitSettings, optional

    Raises
    ------
    DataError
        If a section has too few source clips, or the clips are all the same.
    """
    settings = settings or FitSettings()
    source = {section: domains.get("source", np.empty((0, 0))) for section, domains in features.items()}
    if few := [section for section, clips in source.items() if len(clips) < LEAST_SOURCE_CLIPS]:
        raise DataError(
            f"Section {few[0]} has {len(source[few[0]])} training clips of the source domain, and the distance "
            f"detector needs {LEAST_SOURCE_CLIPS}. Record more healthy clips of it, or leave the section out."
        )
    means = {section: clips.mean(axis=0) for section, clips in source.items()}
    vectors = _directions([clips - means[section] for section, clips in source.items()], settings.directions)
    held_out = _held_out(source, settings)
    sections: dict[str, dict[Domain, FloatCentre]] = {}
    for section, domains in features.items():
        own = float(np.median(held_out[section]))
        sections[section] = {"source": FloatCentre(means[section], own)}
        target = domains.get("target", np.empty((0, 0)))
        if len(target):
            sections[section]["target"] = target_centre(target, own, vectors, settings.gamma)
    return FloatModel(vectors, sections)


def target_centre(clips: Floats, source: float, vectors: Floats, gamma: float) -> FloatCentre:
    """Return the centre of target clips [shape=(t, features), dB], where the source's normaliser is `source`."""
    mean = clips.mean(axis=0)
    return FloatCentre(mean, target_normaliser(float_distances(clips - mean, vectors), source, gamma))


def _directions(residuals: list[Floats], count: int) -> Floats:
    from sklearn.covariance import ledoit_wolf

    covariance, _ = ledoit_wolf(np.concatenate(residuals), assume_centered=True)
    values, vectors = np.linalg.eigh(covariance)
    if values[0] <= 0:
        raise DataError("The training clips are all the same sound. Record clips at different times.")
    kept = slice(None, -count - 1, -1)
    weights = np.sqrt(np.maximum(0, 1 - values[0] / values[kept]))
    directions: Floats = weights[:, None] * vectors[:, kept].T
    return directions


def _held_out(source: Mapping[str, Floats], settings: FitSettings) -> dict[str, Floats]:
    """Distances of each section's clips by fits that held them out."""
    found = {section: np.zeros(len(clips)) for section, clips in source.items()}
    for fold in range(settings.folds):
        out = {section: np.arange(len(clips)) % settings.folds == fold for section, clips in source.items()}
        means = {section: clips[~out[section]].mean(axis=0) for section, clips in source.items()}
        residuals = [clips[~out[section]] - means[section] for section, clips in source.items()]
        vectors = _directions(residuals, settings.directions)
        for section, clips in source.items():
            found[section][out[section]] = float_distances(clips[out[section]] - means[section], vectors)
    return found
