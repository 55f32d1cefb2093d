"""The distance detector's scores: a window is the whole span of a score, and moves on by a block.

So a span's score is the mean of one window's, and whatever follows a detector by its windows follows this one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.detector_model import DetectorModel
from edge_asd.bundle.distance_file import DistanceArrays
from edge_asd.detectors.detector import BaseDetector, WindowStream
from edge_asd.distance.distance import scores
from edge_asd.distance.features import FeatureStream, clip_features
from edge_asd.errors import BundleError


class DistanceDetector(BaseDetector):
    """Integer scores of a distance detector.

    Parameters
    ----------
    spec : DetectorModel
        Such as a bundle.

    Attributes
    ----------
    model : DistanceModel

    Raises
    ------
    BundleError
        If the arrays in the bundle are not those that its manifest describes.
    """

    def __init__(self, spec: DetectorModel) -> None:
        super().__init__(spec)
        self.runtime = "NumPy"
        self.model = model = DistanceArrays.read(spec.model).model
        if (model.n_mels, model.blocks.span, model.blocks.frames) != (
            spec.features.n_mels,
            spec.window_frames,
            spec.window_hop,
        ):
            raise BundleError(
                f"The bundle's arrays are of {model.n_mels} bands and {model.blocks.count} blocks of "
                f"{model.blocks.frames} frames; its manifest describes others. Quantise anew."
            )

    def features(self, frames: npt.NDArray[np.int32]) -> npt.NDArray[np.int16]:
        """Compute the features of every window in log-mel frames [shape=(windows, 2 * n_mels), dB in Q8.7]."""
        return clip_features(frames, self.model.blocks)

    def scores_of_features(self, features: npt.NDArray[np.int16], section: str) -> npt.NDArray[np.int32]:
        """Compute the scores of windows' features.

        Parameters
        ----------
        features : ndarray, int16 [shape=(n, 2 * n_mels), dB in Q8.7]
        section : str

        Returns
        -------
        scores : ndarray, int32 [shape=(n,), Q15.16]

        Raises
        ------
        BundleError
            If the detector does not know the section.
        """
        try:
            centres = self.model.sections[section]
        except KeyError:
            raise BundleError(
                f"The distance detector has no centre for section {section}. Teach it the section's sound: "
                "edge-asd calibrate --adapt."
            ) from None
        return scores(features, centres, self.model.directions)

    def follow(self, section: str) -> WindowStream:
        """Begin to score a stream's frames, each of which is summed once."""
        return _Blocks(self, FeatureStream(self.model.blocks, self.model.n_mels), section)

    def window_scores(self, frames: npt.NDArray[np.int32], section: str) -> npt.NDArray[np.int32]:
        """Score every window in consecutive log-mel frames; see `BaseDetector.window_scores`."""
        return self.scores_of_features(self.features(frames), section)


class _Blocks:
    """Keeps the sums of blocks."""

    def __init__(self, detector: DistanceDetector, features: FeatureStream, section: str) -> None:
        self._detector, self._features, self._section = detector, features, section

    def push(self, frames: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        return self._detector.scores_of_features(self._features.push(frames), self._section)
