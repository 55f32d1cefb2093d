"""The monitor's loop: blocks of samples in, decisions out; the same for files, pipes and microphones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import RollingScore
from edge_asd.frontend import log_mel
from edge_asd.thresholds import is_anomalous

SILENCE_SECONDS = 5.0
"""Zeros for so long are no machine: the input is muted or unplugged."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on the stretch of sound that ends at `time_s`.

    Attributes
    ----------
    time_s : float [s]
        End of the last frame scored, counted in samples since the start.
    section : str
    score, threshold : int [Q15.16]
    anomaly : bool
        The score is greater than the threshold.
    """

    time_s: float
    section: str
    score: int
    threshold: int
    anomaly: bool


class Engine:
    """Scores a stream with a bundle's detector.

    Parameters
    ----------
    bundle : Bundle
    section : str
        Whose threshold decides.
    domain : {"source", "target"}, optional
        Decide by this domain's threshold, where the section has one, and by the section's elsewhere.
    interval_s : float > 0 [s]
        Time between two decisions, rounded to whole frames. The first falls when the score's
        span (`bundle.score_window_frames`) has been heard.

    Attributes
    ----------
    silent : bool
        The stream has held nothing but zeros for the last `SILENCE_SECONDS`: a muted or unplugged
        input. No decision is made then, nor before such silence has left the score's span.
    heard : bool
        At least one sample was not zero.
    unit : str
        Of the scores.
    """

    def __init__(self, bundle: Bundle, section: str, *, domain: str | None = None, interval_s: float = 1.0) -> None:
        self._bundle, self._section = bundle, section
        self._threshold = bundle.threshold(section, domain).score
        self._detector = load_detector(bundle)
        self.unit = self._detector.unit
        self._rolling = RollingScore(bundle.windows_per_score)
        spec = bundle.features
        self._interval = max(1, round(interval_s * spec.sample_rate / spec.hop_length))
        self._samples = np.empty(0, dtype=np.int16)
        self._frames = np.empty((0, spec.n_mels), dtype=np.int32)
        self._windows = 0
        self._silence = int(SILENCE_SECONDS * spec.sample_rate)
        self._count = 0  # samples so far
        self._sound = -1  # place of the last that was not zero
        self._silence_end = -(1 << 62)  # place of the first sound after the last long silence
        self.silent = self.heard = False

    def push(self, samples: npt.NDArray[np.int16]) -> Iterator[Decision]:
        """Take the next samples; yield the decisions that they complete."""
        bundle, spec = self._bundle, self._bundle.features
        sounds = np.concatenate([[self._sound], np.flatnonzero(samples) + self._count])
        ends = sounds[1:][np.diff(sounds) > self._silence]
        silence_end, self._silence_end = self._silence_end, int(ends[-1]) if ends.size else self._silence_end
        self._count, self._sound = self._count + samples.size, int(sounds[-1])
        self.silent, self.heard = self._count - 1 - self._sound >= self._silence, self._sound >= 0
        span = spec.sample_count(bundle.score_window_frames)

        def muted(end: int) -> bool:
            """Tell whether a long silence lies in the span that ends before sample `end`."""
            last = int(sounds[np.searchsorted(sounds, end) - 1]) if sounds[0] < end else -1
            ended = int(past[-1]) if (past := ends[ends < end]).size else silence_end
            return end - 1 - last >= self._silence or end - ended < span

        self._samples = np.concatenate([self._samples, samples])
        new = log_mel(self._samples, spec)
        self._samples = self._samples[len(new) * spec.hop_length :]
        frames = np.concatenate([self._frames, new])
        scores = self._detector.window_scores(frames, self._section)
        self._frames = frames[len(scores) * bundle.window_hop :]
        for score in scores.tolist():
            mean = self._rolling.push(score)
            self._windows += 1
            late = self._windows - bundle.windows_per_score
            if mean is not None and late * bundle.window_hop % self._interval < bundle.window_hop:
                frames_heard = bundle.window_frames + (self._windows - 1) * bundle.window_hop
                end = spec.sample_count(frames_heard)
                if muted(end):
                    continue
                yield Decision(
                    time_s=end / spec.sample_rate,
                    section=self._section,
                    score=mean,
                    threshold=self._threshold,
                    anomaly=is_anomalous(mean, self._threshold),
                )
