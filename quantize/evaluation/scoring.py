"""Clip scores of a bundle: in the shipped arithmetic, and by its float model for comparison."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import mean_score
from edge_asd.errors import BundleError
from edge_asd.interpreter import Model
from edge_asd.train.features.store import ClipFeatures
from edge_asd.train.features.windows import frames_db

Progress = Callable[[int, int], None]
"""Called with (clips done, clips)."""


Score = TypeVar("Score", int, float)


@dataclass(frozen=True, slots=True)
class ShippedScores:
    """Clip scores in the bundle's arithmetic of record [Q15.16], and the share of input values cut off."""

    scores: list[int]
    saturated_share: float


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
    own = threading.local()
    detectors = []

    def score(clip: tuple[str, ClipFeatures]) -> int:
        # An interpreter a thread: it leaves Python's lock while it runs.
        if not hasattr(own, "detector"):
            own.detector = load_detector(bundle)
            detectors.append(own.detector)
        section, features = clip
        return mean_score(own.detector.window_scores(features.frames, section))

    scores = _map(score, clips, progress)
    quantised = sum(detector.quantised for detector in detectors)
    return ShippedScores(scores, sum(detector.saturated for detector in detectors) / max(1, quantised))


def float_scores(
    bundle: Bundle, clips: Sequence[tuple[str, ClipFeatures]], progress: Progress = lambda *_: None
) -> list[float]:
    """Score clips with the bundle's float model, whatever front end their features come from.

    Raises
    ------
    BundleError
        If the float model is not of the int8 model's shape.
    """
    detector = load_detector(bundle)
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

    def score(clip: tuple[str, ClipFeatures]) -> float:
        section, features = clip
        windows = detector.windows(frames_db(features.frames))
        outputs = model().run(windows.reshape(len(windows), *model().input_shape))
        return float(np.mean(detector.float_scores(windows, outputs, section)))

    return _map(score, clips, progress)


def _map(
    score: Callable[[tuple[str, ClipFeatures]], Score], clips: Sequence[tuple[str, ClipFeatures]], progress: Progress
) -> list[Score]:
    done: list[Score] = []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        try:
            for result in pool.map(score, clips):
                done.append(result)
                progress(len(done), len(clips))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return done
