"""Clip scores of a bundle: in the shipped arithmetic, and by its float model for comparison."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.distance_file import DistanceArrays
from edge_asd.detectors.detector import BaseDetector
from edge_asd.detectors.loading import load_detector, load_network
from edge_asd.detectors.scores import mean_score
from edge_asd.distance.floating import float_features
from edge_asd.errors import BundleError
from edge_asd.interpreter import Model
from edge_asd.threads import available
from edge_asd.train.features.store import ClipFeatures
from edge_asd.train.features.windows import frames_db

Progress = Callable[[int, int], None]
"""Called with (items done, items)."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ShippedScores:
    """Clip scores in the bundle's arithmetic of record [Q15.16], and the share of input values cut off."""

    scores: list[int]
    saturated_share: float


class ShippedScorer:
    """Scores clips as the monitor does, from any number of threads.

    Parameters
    ----------
    bundle : Bundle
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._own = threading.local()
        self._detectors: list[BaseDetector] = []

    def score(self, frames: npt.NDArray[np.int32], section: str) -> int:
        """Return the clip score [Q15.16] of frames of the shipped front end."""
        # An interpreter a thread: it leaves Python's lock while it runs.
        if not hasattr(self._own, "detector"):
            self._own.detector = load_detector(self._bundle)
            self._detectors.append(self._own.detector)
        return mean_score(self._own.detector.window_scores(frames, section))

    @property
    def saturated_share(self) -> float:
        """Share of the input values so far that were cut off."""
        quantised = sum(detector.quantised for detector in self._detectors)
        return sum(detector.saturated for detector in self._detectors) / max(1, quantised)


def shipped_scores(
    bundle: Bundle, clips: Sequence[tuple[str, ClipFeatures]], progress: Progress = lambda *_: None
) -> ShippedScores:
    """Score clips as the monitor does.

    Parameters
    ----------
    bundle : Bundle
    clips : sequence of (section, features)
        Features of the shipped front end.
    """
    scorer = ShippedScorer(bundle)
    scores = in_threads(lambda clip: scorer.score(clip[1].frames, clip[0]), clips, progress)
    return ShippedScores(scores, scorer.saturated_share)


def float_scores(
    bundle: Bundle, clips: Sequence[tuple[str, ClipFeatures]], progress: Progress = lambda *_: None
) -> list[float]:
    """Score clips with the bundle's float model, whatever front end their features come from.

    Raises
    ------
    BundleError
        If the float model is not of the shipped model's shape.
    """
    score = _network_score(bundle) if bundle.kind.network else _distance_score(bundle)
    return in_threads(lambda clip: score(clip[0], frames_db(clip[1].frames)), clips, progress)


FloatScore = Callable[[str, npt.NDArray[np.float32]], float]
"""Scores log-mel frames [shape=(n, n_mels), dB] of a section."""


def _distance_score(bundle: Bundle) -> FloatScore:
    arrays = DistanceArrays.read(bundle.model)
    model, blocks = arrays.read_fit(bundle.float_model), arrays.blocks
    if model.vectors.shape[1] != 2 * bundle.features.n_mels:
        raise BundleError("The fit in the bundle does not fit its integers: it has another number of bands.")

    def score(section: str, frames: npt.NDArray[np.float32]) -> float:
        if section not in model.sections:
            raise BundleError(f"The fit in the bundle knows no section {section}. Quantise anew.")
        return float(model.scores(float_features(frames.astype(np.float64), blocks), section).mean())

    return score


def _network_score(bundle: Bundle) -> FloatScore:
    detector = load_network(bundle)
    own = threading.local()

    def model() -> Model:
        if not hasattr(own, "model"):
            own.model = Model(bundle.float_model, arithmetic="xnnpack")
        found: Model = own.model
        return found

    try:
        detector.check_shapes(bundle, model(), np.float32)
    except BundleError as error:
        raise BundleError(f"The float model in the bundle does not fit its int8 model: {error}") from error

    def score(section: str, frames: npt.NDArray[np.float32]) -> float:
        windows = detector.windows(frames)
        outputs = model().run(windows.reshape(len(windows), *model().input_shape))
        return float(np.mean(detector.float_scores(windows, outputs, section)))

    return score


def in_threads(work: Callable[[Item], Result], items: Sequence[Item], progress: Progress) -> list[Result]:
    """Call `work` on each item, in as many threads as may be used; return the results in order."""
    done: list[Result] = []
    with ThreadPoolExecutor(available()) as pool:
        try:
            for result in pool.map(work, items):
                done.append(result)
                progress(len(done), len(items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return done
