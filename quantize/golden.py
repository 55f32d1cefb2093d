"""Golden vectors of a bundle: PCM and every value computed from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.arrays import write_arrays
from edge_asd.bundle.detector_model import DetectorModel
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import mean_score
from edge_asd.detectors.windowed import WindowDetector
from edge_asd.frontend import log_mel
from edge_asd.frontend.spec import FeatureSpec

_MORE_FRAMES = 35
"""Frames beyond the first window."""

_LONGEST = 128
"""More frames of sound than these are mostly one short stretch, again and again: it packs well."""

_SHORT = 40
"""Frames of theirs that do not repeat."""

_PERIOD = 4096
"""Samples that longer sound repeats at its beginning."""


def golden_pcm(spec: FeatureSpec, window_frames: int, level_db: float) -> npt.NDArray[np.int16]:
    """Make sound of some more frames than a window spans, at the data's level: never a user's recording.

    Noise with a falling spectrum and a tone; a click, a loud stretch that clips, and silence, so
    that every branch of the arithmetic is passed.
    """
    whole = spec.sample_count(window_frames + _MORE_FRAMES)
    n = whole if window_frames + _MORE_FRAMES <= _LONGEST else spec.sample_count(_SHORT)
    rng = np.random.default_rng(20210610)
    spectrum = np.fft.rfft(rng.normal(size=n))
    noise = np.fft.irfft(spectrum / np.sqrt(1 + np.arange(len(spectrum))), n)
    sound = noise / np.sqrt(np.mean(noise**2)) + np.sin(2 * np.pi * 437.0 * np.arange(n) / spec.sample_rate)
    sound *= 32768 * 10 ** (level_db / 20) / np.sqrt(1.5)
    sound[n // 4] = 32767
    # Shares of the whole, too: with a short hop, a few frames would be all there is.
    sound[n // 2 : n // 2 + min(2 * spec.n_fft, n // 8)] *= 1e4
    sound[n - min(4 * spec.n_fft, n // 4) :] = 0
    pcm: npt.NDArray[np.int16] = np.clip(np.round(sound), -32768, 32767).astype(np.int16)
    if whole == n:
        return pcm
    first = np.resize(pcm[: min(n, _PERIOD)], whole - n)
    return np.concatenate([first, pcm])


def golden_vectors(model: DetectorModel, section: str, level_db: float) -> bytes:
    """Compute the contents of ``golden.npz``, with the scores of one section."""
    detector = load_detector(model)
    pcm = golden_pcm(model.features, model.window_frames, level_db)
    features = log_mel(pcm, model.features)
    between: dict[str, npt.NDArray[Any]] = {}
    if isinstance(detector, WindowDetector):
        between["model_input"] = inputs = detector.quantise(features)
        between["model_output"] = outputs = detector.run(detector.windows(inputs))
        scores = detector.scores_of_outputs(detector.windows(features), outputs, section)
    else:
        between["span_features"] = spans = detector.features(features)
        scores = detector.scores_of_features(spans, section)
    return write_arrays(
        pcm=pcm, features=features, **between, window_scores=scores, score=np.array(mean_score(scores), np.int64)
    )
