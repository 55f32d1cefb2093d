"""The score spans of healthy sound as it comes: scored beside one another, as thresholds rest on them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge_asd.audio.loudness import block_power
from edge_asd.audio.stream import Pcm
from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.detector import BaseDetector
from edge_asd.detectors.distance import DistanceDetector
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import mean_score
from edge_asd.distance.features import FeatureStream
from edge_asd.frontend import Stream
from edge_asd.monitor.span_watch import BLOCK_HOPS

_PIECE = 1 << 16  # bounds the memory, however long a block is


@dataclass(frozen=True, slots=True)
class Span:
    """One span of a score.

    Attributes
    ----------
    score : int [Q15.16]
    powers : list of int [LSB^2]
        Of its blocks (`edge_asd.monitor.span_watch`), the last one first.
    features : ndarray, int16, optional [shape=(2 * n_mels,), dB in Q8.7]
        What a distance detector hears in it.
    """

    score: int
    powers: list[int]
    features: npt.NDArray[np.int16] | None = None


def block_powers(pcm: Pcm, hop_length: int) -> list[int]:
    """Return the power of each block of a score's span, the last one first, as the monitor measures it.

    Parameters
    ----------
    pcm : int16 [shape=(n,), n >= `hop_length`]
        All of the span.
    hop_length : int > 0 [samples]
    """
    length = min(BLOCK_HOPS, pcm.size // hop_length) * hop_length
    return [block_power(pcm[stop - length : stop]) for stop in range(pcm.size, length - 1, -length)]


def samples_for_spans(bundle: Bundle, spans: int) -> int:
    """Return how many samples without a gap hold so many spans, `spans` >= 1."""
    windows = (spans - 1) * bundle.span_step + bundle.windows_per_score
    return bundle.features.sample_count(bundle.window_frames + (windows - 1) * bundle.window_hop)


def spans_in(bundle: Bundle, samples: int) -> int:
    """Count the spans in so many samples without a gap."""
    frames = bundle.features.frame_count(samples)
    if frames < bundle.score_window_frames:
        return 0
    return 1 + (bundle.window_count(frames) - bundle.windows_per_score) // bundle.span_step


class SpanScorer:
    """Scores a stream of healthy sound, span by span; holds the last span's sound and no more.

    Parameters
    ----------
    bundle : Bundle
    detector : BaseDetector
        The bundle's.
    section : str
    """

    def __init__(self, bundle: Bundle, detector: BaseDetector, section: str) -> None:
        self._bundle, self._detector, self._section = bundle, detector, section
        self._span_samples = samples_for_spans(bundle, 1)
        self._step = bundle.span_step * bundle.window_hop * bundle.features.hop_length
        self.start()

    @property
    def span_seconds(self) -> float:
        """Sound from one span's start to the next one's [s]."""
        return self._step / self._bundle.features.sample_rate

    @property
    def pending_seconds(self) -> float:
        """Sound in the span that is not complete [s]."""
        return self._pcm.size / self._bundle.features.sample_rate

    def start(self) -> None:
        """Begin afresh: no span holds sound of before and of after."""
        self._stream = Stream(self._bundle.features)
        self._windows = self._detector.follow(self._section)
        self._scores = np.empty(0, np.int32)
        self._pcm = np.empty(0, np.int16)
        self._passed = 0  # windows that are to come and belong to no span

    def push(self, pcm: Pcm) -> list[Span]:
        """Take the next samples [shape=(n,)]; return the spans that they complete."""
        found: list[Span] = []
        for start in range(0, pcm.size, _PIECE):
            found += self._push(pcm[start : start + _PIECE])
        return found

    def _push(self, pcm: Pcm) -> list[Span]:
        bundle, windows = self._bundle, self._bundle.windows_per_score
        self._scores = np.concatenate([self._scores, self._window_scores(self._stream.push(pcm))])
        self._pcm = np.concatenate([self._pcm, pcm])
        found = []
        self._pass()
        while len(self._scores) >= windows:
            found.append(self._span(windows))
            self._passed += bundle.span_step
            self._pass()
        return found

    def _window_scores(self, frames: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        return self._windows.push(frames)

    def _span(self, windows: int) -> Span:
        """Return the span that the first windows are of."""
        powers = block_powers(self._pcm[: self._span_samples], self._bundle.features.hop_length)
        return Span(mean_score(self._scores[:windows]), powers)

    def _pass(self) -> None:
        """Leave out the windows up to the next span, as far as they are there, and their sound."""
        passed = min(self._passed, len(self._scores))
        self._passed -= passed
        self._drop(passed)

    def _drop(self, windows: int) -> None:
        self._scores = self._scores[windows:]
        self._pcm = self._pcm[windows * self._bundle.window_hop * self._bundle.features.hop_length :]


class SpanLearner(SpanScorer):
    """Takes a stream of healthy sound as `SpanScorer` does, and keeps what a distance detector hears in each span.

    Spans of a section that the detector does not know yet have the score 0.

    Parameters
    ----------
    bundle : Bundle
    detector : DistanceDetector
        The bundle's.
    section : str
    """

    def __init__(self, bundle: Bundle, detector: DistanceDetector, section: str) -> None:
        self._distance = detector
        super().__init__(bundle, detector, section)

    def start(self) -> None:
        """Begin afresh: no span holds sound of before and of after."""
        model = self._distance.model
        super().start()
        self._features = FeatureStream(model.blocks, model.n_mels)
        self._rows = np.empty((0, 2 * model.n_mels), np.int16)

    def _window_scores(self, frames: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        rows = self._features.push(frames)
        self._rows = np.concatenate([self._rows, rows])
        if self._section not in self._distance.model.sections:
            return np.zeros(len(rows), np.int32)
        return self._distance.scores_of_features(rows, self._section)

    def _span(self, windows: int) -> Span:
        return replace(super()._span(windows), features=self._rows[0])

    def _drop(self, windows: int) -> None:
        super()._drop(windows)
        self._rows = self._rows[windows:]


def span_scorer(bundle: Bundle, section: str, *, adapt: bool) -> SpanScorer:
    """Return what takes healthy sound: for a threshold, or for a distance detector to learn it."""
    detector = load_detector(bundle)
    if adapt and isinstance(detector, DistanceDetector):
        return SpanLearner(bundle, detector, section)
    return SpanScorer(bundle, detector, section)
