"""What every detector is to those who use it: frames in, integer window scores out."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.detector_model import DetectorModel


class BaseDetector:
    """Integer window scores of a model in its arithmetic of record.

    Parameters
    ----------
    spec : DetectorModel
        Such as a bundle.

    Attributes
    ----------
    unit : str
        Of the scores, for people to read.
    runtime : str
        What computes the model here.
    saturated, quantised : int
        Input values that were cut off so far, and all input values.
    """

    def __init__(self, spec: DetectorModel) -> None:
        self._spec = spec
        self.unit = spec.kind.unit
        self.runtime = ""
        self.saturated = self.quantised = 0

    def window_scores(self, frames: npt.NDArray[np.int32], section: str) -> npt.NDArray[np.int32]:
        """Score every window in consecutive log-mel frames.

        Parameters
        ----------
        frames : ndarray, int32 [shape=(n, n_mels), dB in Q15.16]
        section : str
            Whose sound it should be.

        Returns
        -------
        scores : ndarray, int32 [shape=(1 + (n - window_frames) // window_hop,), Q15.16]
            Empty where `frames` is shorter than a window.
        """
        raise NotImplementedError

    def follow(self, section: str) -> WindowStream:
        """Begin to score a stream's frames."""
        return _Tail(self, self._spec, section)


class WindowStream(Protocol):
    """Window scores of a stream of frames: those of `BaseDetector.window_scores`, however the stream is cut."""

    def push(self, frames: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Take the next frames [shape=(n, n_mels), dB in Q15.16]; return the scores of windows that end in them."""


class _Tail:
    """Keeps the frames that windows to come begin with."""

    def __init__(self, detector: BaseDetector, spec: DetectorModel, section: str) -> None:
        self._detector, self._section, self._hop = detector, section, spec.window_hop
        self._frames = np.empty((0, spec.features.n_mels), dtype=np.int32)

    def push(self, frames: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        frames = np.concatenate([self._frames, frames])
        scores = self._detector.window_scores(frames, self._section)
        self._frames = frames[len(scores) * self._hop :]
        return scores
