"""What a bundle's detector heard in a sound, for those detectors that can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.healthy_file import Healthy
from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.detectors.detector import BaseDetector
from edge_asd.detectors.distance import DistanceDetector
from edge_asd.detectors.loading import load_detector
from edge_asd.distance.bands import band_terms
from edge_asd.distance.blocks import MOST_FRAMES, Blocks
from edge_asd.distance.features import FEATURE_BITS, clip_features
from edge_asd.heard.by_distance import heard_by_distance
from edge_asd.heard.by_error import heard_by_error
from edge_asd.heard.moved import Moved
from edge_asd.heard.ranges import Floats, band_limits

_ENOUGH_FRAMES = 4096  # of a long span: two minutes at the default hop, 2 MB


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one sound differs from its section's healthy sound.

    Attributes
    ----------
    moved : list of Moved
        What its score is about, most of all first.
    level, unsteadiness : ndarray, float64 [shape=(n_mels,), dB]
        By how much each band is louder, and its standard deviation over time larger (3 dB is twice).
    """

    moved: list[Moved]
    level: Floats
    unsteadiness: Floats


class Explainer:
    """Tells what a bundle's detector heard.

    Parameters
    ----------
    bundle : Bundle
        `why_not` of it is "", as it is of the section that is asked for.
    detector : BaseDetector, optional
        The bundle's, where it has been loaded already.

    Attributes
    ----------
    limits : ndarray, float64 [shape=(n_mels + 1,), Hz]
        Of the bands.
    frames : int > 0 [frames]
        The last ones of a score's span that an explanation needs.
    """

    def __init__(self, bundle: Bundle, detector: BaseDetector | None = None) -> None:
        self.limits = band_limits(bundle.features)
        self._detector = detector or load_detector(bundle)
        self._healthy = bundle.healthy_sections()
        most = MOST_FRAMES if isinstance(self._detector, DistanceDetector) else _ENOUGH_FRAMES
        self.frames = min(bundle.score_window_frames, most)

    def explain(self, frames: npt.NDArray[np.int32], section: str) -> Explanation:
        """Explain a sound.

        Parameters
        ----------
        frames : ndarray, int32 [shape=(n, n_mels), dB in Q15.16]
            Of the fixed-point front end; a window at least. Of more than `MOST_FRAMES` the last ones count.
        section : str
        """
        frames = frames[-MOST_FRAMES:]
        if isinstance(self._detector, DistanceDetector):
            return self._by_distance(self._detector, frames, section)
        assert isinstance(self._detector, AutoencoderDetector)
        return self._by_error(self._detector, frames, self._healthy[section])

    def _by_distance(self, detector: DistanceDetector, frames: npt.NDArray[np.int32], section: str) -> Explanation:
        features = detector.features(frames)
        worst = features[int(detector.scores_of_features(features, section).argmax())]
        centres, directions = detector.model.sections[section], detector.model.directions
        terms = band_terms(worst, centres, directions)
        moved = heard_by_distance(worst, centres, directions, self.limits)
        return Explanation(moved, terms.level, terms.unsteadiness)

    def _by_error(self, detector: AutoencoderDetector, frames: npt.NDArray[np.int32], healthy: Healthy) -> Explanation:
        features = clip_features(frames, Blocks.of_span(len(frames)))[0]
        moved = heard_by_error(features, detector.band_errors(frames), healthy, self.limits)
        difference = (features.astype(np.float64) - healthy.features) / (1 << FEATURE_BITS)
        return Explanation(moved, *np.split(difference, 2))


def why_not(bundle: Bundle, section: str | None = None) -> str:
    """Say why a bundle's detector cannot tell what it heard, of a section or at all, and what to do; "" if it can.

    Raises
    ------
    BundleError
        If the bundle's healthy spectrum is damaged.
    """
    if bundle.kind.classifies:
        return (
            "A section classifier judges a stretch of sound as a whole, and cannot say which bands moved. "
            "The distance detector and the autoencoder can: train --model distance, or ae."
        )
    if bundle.kind.network and bundle.healthy is None:
        return (
            "This bundle holds no healthy spectrum, as it was made by an earlier edge-asd, and cannot say which bands "
            "moved. Quantise its run anew."
        )
    if bundle.kind.network and section is not None and section not in bundle.healthy_sections():
        return (
            f"The bundle's healthy spectrum does not hold section {section}, and it cannot be said which bands move. "
            "Train on recordings of it, too."
        )
    return ""
