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
from edge_asd.distance.floating import FloatCentre, FloatModel, Floats, float_distances
from edge_asd.errors import DataError

Features = Mapping[str, Mapping[Domain, Floats]]
"""By section and domain [shape=(clips, features), dB]."""

Groups = Mapping[str, npt.NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What is chosen; docs/distance.md says how.

    Attributes
    ----------
    directions : int, 1 to 64
    gamma : float > 0
        How much farther than its training clips the target domain is taken to reach.
    folds : int > 1
        Parts of the source clips that are held out in turn, for the source's normaliser and the threshold.
    """

    directions: int = 32
    gamma: float = GAMMA
    folds: int = 10


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit, and what it makes of the clips that it was fitted on.

    Attributes
    ----------
    model : FloatModel
    held_out : mapping of str to mapping of {"source", "target"} to ndarray, float64 [shape=(clips,)]
        By section and domain: each clip's score by its own domain's centre, and by a fit without it. Of the source
        domain a tenth of the clips is held out at a time; of the target, each clip from the mean. A target of one clip
        has none.
    """

    model: FloatModel
    held_out: Mapping[str, Mapping[Domain, Floats]]


def fit(features: Features, settings: FitSettings | None = None, groups: Groups | None = None) -> Fitted:
    """Fit a machine's detector.

    Parameters
    ----------
    features : mapping of str to mapping of {"source", "target"} to ndarray
        See `Features`. Each section has at least `LEAST_SOURCE_CLIPS` rows of the source domain.
    settings : FitSettings, optional
    groups : mapping of str to ndarray, int, optional
        For each section, numbers of the recordings that its source rows are from: spans of one are held out together.
        By default each row is one.

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
    rows = {section: np.arange(len(clips)) for section, clips in source.items()}
    groups = rows if groups is None else {section: _ranks(groups[section]) for section in source}
    means = {section: clips.mean(axis=0) for section, clips in source.items()}
    vectors = _directions([clips - means[section] for section, clips in source.items()], settings.directions)
    out = _held_out(source, groups, settings)
    sections: dict[str, dict[Domain, FloatCentre]] = {}
    held_out: dict[str, dict[Domain, Floats]] = {}
    for section, domains in features.items():
        own = float(np.median(out[section]))
        sections[section] = {"source": FloatCentre(means[section], own)}
        held_out[section] = {"source": out[section] / own}
        target = domains.get("target", np.empty((0, 0)))
        if len(target):
            sections[section]["target"] = centre = target_centre(target, own, vectors, settings.gamma)
        if (t := len(target)) > 1:
            # From the mean of the others: t / (t - 1) times as far as from the mean of all.
            apart = (target - centre.mean) * (t / (t - 1))
            held_out[section]["target"] = float_distances(apart, vectors) / centre.normaliser
    return Fitted(FloatModel(vectors, sections), held_out)


def target_centre(clips: Floats, source: float, vectors: Floats, gamma: float) -> FloatCentre:
    """Return the centre of target clips [shape=(t, features), dB], where the source's normaliser is `source`."""
    mean = clips.mean(axis=0)
    return FloatCentre(mean, target_normaliser(float_distances(clips - mean, vectors), source, gamma))


def _directions(residuals: list[Floats], count: int) -> Floats:
    from sklearn.covariance import ledoit_wolf
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # so small a matrix costs several threads more than one
        covariance, _ = ledoit_wolf(np.concatenate(residuals), assume_centered=True)
        values, vectors = np.linalg.eigh(covariance)
    if values[0] <= 0:
        raise DataError("The training clips are all the same sound. Record clips at different times.")
    kept = slice(None, -count - 1, -1)
    weights = np.sqrt(np.maximum(0, 1 - values[0] / values[kept]))
    directions: Floats = weights[:, None] * vectors[:, kept].T
    return directions


def _ranks(recordings: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number recordings from 0 on; the spans of an only one count as recordings themselves."""
    numbers = np.unique(recordings, return_inverse=True)[1]
    return numbers if numbers.any() else np.arange(len(numbers))


def _held_out(source: Mapping[str, Floats], groups: Groups, settings: FitSettings) -> dict[str, Floats]:
    """Distances of each section's clips by fits that held them out."""
    found = {section: np.zeros(len(clips)) for section, clips in source.items()}
    for fold in range(settings.folds):
        out = {section: groups[section] % settings.folds == fold for section in source}
        if not any(part.any() for part in out.values()):
            continue
        means = {section: clips[~out[section]].mean(axis=0) for section, clips in source.items()}
        residuals = [clips[~out[section]] - means[section] for section, clips in source.items()]
        vectors = _directions(residuals, settings.directions)
        for section, clips in source.items():
            found[section][out[section]] = float_distances(clips[out[section]] - means[section], vectors)
    return found
