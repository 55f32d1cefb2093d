"""Clip scores of a trained model in floating point, many clips to a batch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge_asd.detectors.section_id import log_odds
from edge_asd.train.backend import import_tensorflow
from edge_asd.train.features.store import ClipFeatures
from edge_asd.train.features.windows import Windows
from edge_asd.train.runs.run import Run

if TYPE_CHECKING:
    import keras

_BATCH_VALUES = 2_621_440  # as many as keep the processor busy, and ten megabytes


class FloatScorer:
    """Scores clips with a run's Keras model.

    Unless the run is faithful, these are the float scores that the evaluation of its bundle computes
    by TFLite (`edge_asd.quantize.evaluation.scoring.float_scores`): one figure, within float32.

    Parameters
    ----------
    run : Run
        A faithful one is scored as the published code does: windows at its hop, its log-odds with
        the misplaced parenthesis.
    model : keras.Model
        The run's.
    """

    def __init__(self, run: Run, model: keras.Model) -> None:
        tf = import_tensorflow()
        self._run = run
        self._shape = run.baseline.input_shape(run.features.n_mels)
        self.hop = run.baseline.published_test_hop if run.faithful else run.baseline.test_hop
        network = model if run.faithful else run.baseline.shipped_form(model)

        def answer(x: Any) -> Any:
            y = network(x, training=False)
            return y if run.baseline.kind.classifies else tf.reduce_mean(tf.square(x - y), axis=1)

        self._answer = tf.function(answer, input_signature=[tf.TensorSpec((None, *self._shape), tf.float32)])

    def clip_scores(
        self,
        clips: Sequence[ClipFeatures],
        sections: Sequence[str],
        *,
        hop: int | None = None,
        progress: Callable[[int, int], None] = lambda *_: None,
    ) -> npt.NDArray[np.float64]:
        """Score clips.

        Parameters
        ----------
        clips : sequence of ClipFeatures
        sections : sequence of str
            One a clip; a classifier's score depends on it.
        hop : int, optional
            Frames between two windows, where it is not to be that of tests.
        progress : callable, optional
            Called with (windows done, windows).

        Returns
        -------
        scores : ndarray, float64 [shape=(len(clips),), dB^2 or nat]
            Means of window scores.
        """
        if not clips:
            return np.empty(0)
        windows = Windows(clips, self._run.baseline.window_frames, hop or self.hop)
        own = np.array([self._run.classes.index(section) for section in sections]) if self._run.classes else None
        batch = max(1, _BATCH_VALUES // windows.width)
        total = np.zeros(len(clips))
        counts = np.zeros(len(clips))
        for first in range(0, len(windows), batch):
            numbers = np.arange(first, min(first + batch, len(windows)))
            of = windows.clips_of(numbers)
            answers = np.asarray(self._answer(windows.gather(numbers).reshape(len(numbers), *self._shape)))
            scores = answers if own is None else self._odds(answers, own[of])
            total += np.bincount(of, scores, len(clips))
            counts += np.bincount(of, minlength=len(clips))
            progress(int(numbers[-1]) + 1, len(windows))
        mean: npt.NDArray[np.float64] = total / counts
        return mean

    def _odds(self, answers: npt.NDArray[np.float32], own: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        if self._run.faithful:
            return published_odds(answers[np.arange(len(own)), own])
        scores = np.empty(len(own))
        for section in np.unique(own):
            scores[own == section] = log_odds(answers[own == section], int(section))
        return scores


def published_odds(p: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Compute the published code's score of windows, whose parenthesis is misplaced.

    log(max(1 - p, eps) - log(max(p, eps))), where log((1 - p) / p) was meant: DCASE 2021 Task 2,
    MobileNetV2 baseline, since its first version.

    Parameters
    ----------
    p : ndarray, float32 [shape=(n,), 0 to 1]
        Probability of the windows' own section.
    """
    eps = sys.float_info.epsilon
    wide = p.astype(np.float64)
    scores: npt.NDArray[np.float64] = np.log(np.maximum(1 - wide, eps) - np.log(np.maximum(wide, eps)))
    return scores
