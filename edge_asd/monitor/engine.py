"""The monitor's engine: blocks of samples in, decisions out; the same for files, pipes and microphones."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_asd.audio.health import MAX_CLIPPED_SHARE, DeadLine, Stretch
from edge_asd.audio.loudness import db_of_power, power_of_db
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.policy import INTERVAL_S
from edge_asd.detectors.detector import BaseDetector
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import RollingScore
from edge_asd.frontend import Stream
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.heard.explaining import Explainer, why_not
from edge_asd.heard.moved import Moved
from edge_asd.monitor.decisions import Condition, Decision, InputChange, Verdict
from edge_asd.monitor.last_frames import LastFrames
from edge_asd.monitor.span_watch import BLOCK_HOPS, Measures, SpanWatch
from edge_asd.thresholds import is_anomalous

PIECE = 1 << 16
"""Samples that are scored at once: bounds the memory, however long a block is."""


def interval_frames(spec: FeatureSpec, interval_s: float = INTERVAL_S) -> int:
    """Round the time between two decisions to whole frames, at least one."""
    return max(1, round(interval_s * spec.sample_rate / spec.hop_length))


class _Due(NamedTuple):
    """A decision that waits, what its span holds, and where that ends."""

    end: int
    decision: Decision
    measures: Measures


class Engine:
    """Scores a stream with a bundle's detector.

    No decision is made whose span holds part of a dead stretch (`edge_asd.audio.health`). While the input may yet
    turn out to be dead, for half a second at most, decisions wait.

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
    detector : BaseDetector, optional
        The bundle's, where it has been loaded already.
    off_level_db : float, optional [dB re full scale]
        Below it the machine is off, and nothing is judged: no decision is made whose span holds a quieter second
        (`edge_asd.monitor.span_watch`). None for never.

    Attributes
    ----------
    dead : bool
        The input is dead now.
    withheld : int
        Decisions that were not made because of dead stretches.
    unjudged : int
        Decisions that were not made because the machine was off.
    section : str
    unit : str
        Of the scores.
    """

    def __init__(
        self,
        bundle: Bundle,
        section: str,
        *,
        domain: str | None = None,
        interval_s: float = INTERVAL_S,
        detector: BaseDetector | None = None,
        off_level_db: float | None = None,
    ) -> None:
        self._bundle, self.section = bundle, section
        self._threshold = bundle.threshold(section, domain).score
        self._detector = detector or load_detector(bundle)
        self.unit = self._detector.unit
        spec = bundle.features
        self._explainer = None if why_not(bundle, section) else Explainer(bundle, self._detector)
        self._interval = interval_frames(spec, interval_s)
        self.withheld = self.unjudged = 0
        self._off_power = 0 if off_level_db is None else power_of_db(off_level_db)
        self._off = self._clipped = False
        self._start(0)

    def _start(self, origin: int) -> None:
        """Begin afresh, after `origin` samples."""
        spec = self._bundle.features
        self._origin = origin
        self._rolling = RollingScore(self._bundle.windows_per_score)
        self._stream = Stream(spec)
        explained = 0 if self._explainer is None else self._explainer.frames
        # A decision is told after its piece, and after what is waited to know whether the input is dead.
        self._last = LastFrames(explained and explained + spec.frame_count(2 * PIECE))
        self._scores = self._detector.follow(self.section)
        self._windows = 0
        self._input = DeadLine(spec.sample_rate)
        self._died = -1  # the start of the last dead line that was told
        self._dead: list[Stretch] = []  # those that ended, as long as a score may hold them
        bundle = self._bundle
        windows = (bundle.windows_per_score - 1) * bundle.window_hop
        first = spec.sample_count(bundle.window_frames + windows)  # where the first score ends
        self._watch = SpanWatch(spec.hop_length, first, first, self._off_power)
        self._waiting: deque[_Due] = deque()

    @property
    def sample_rate(self) -> int:
        """Of the sound [Hz]."""
        return self._bundle.features.sample_rate

    @property
    def span_s(self) -> float:
        """Length of sound that one score spans [s]."""
        return self._bundle.score_seconds

    @property
    def dead(self) -> bool:
        """The input is dead now."""
        return self._input.dead

    @property
    def time_s(self) -> float:
        """End of what was heard or missed so far [s], counted in samples since the start."""
        return self.place / self.sample_rate

    @property
    def place(self) -> int:
        """Samples heard or missed so far."""
        return self._origin + self._input.count

    def heard(self, time_s: float) -> list[Moved] | None:
        """Tell which bands moved in the span of a decision, and how.

        Parameters
        ----------
        time_s : float [s]
            Of a decision that the last call returned, for `PIECE` samples at most.

        Returns
        -------
        moved : list of Moved, or None
            None if the detector cannot tell, or the sound is no longer there.
        """
        if self._explainer is None:
            return None
        end = self._bundle.features.frame_count(round(time_s * self.sample_rate) - self._origin)
        frames = self._last.before(end, self._explainer.frames)
        return None if frames is None else self._explainer.explain(frames, self.section).moved

    def push(self, samples: npt.NDArray[np.int16]) -> list[Decision]:
        """Take the next samples; return the decisions that they complete.

        Parameters
        ----------
        samples : ndarray, int16 [shape=(n,)]

        Raises
        ------
        EdgeAsdError
            If `samples` is not a one-dimensional int16 array.
        """
        return [news for news in self.hear(samples) if isinstance(news, Decision)]

    def hear(self, samples: npt.NDArray[np.int16]) -> list[Decision | InputChange]:
        """Do what `push` does; return the changes of the input among the decisions, in their order.

        Both are the same, and in the same order, whatever the blocks.
        """
        return _made(self.judge(samples))

    def judge(self, samples: npt.NDArray[np.int16]) -> list[Verdict | InputChange]:
        """Do what `hear` does; return each decision with its span's measures, those that are not made, too."""
        heard: list[Verdict | InputChange] = []
        for start in range(0, max(1, len(samples)), PIECE):
            changes = self._take(samples[start : start + PIECE])
            heard += sorted([*self._settled(ended=False), *changes], key=lambda news: news.time_s)
        return heard

    def finish(self) -> list[Decision]:
        """End the stream: return the decisions that waited for more of it."""
        return [news for news in self.hear_end() if isinstance(news, Decision)]

    def hear_end(self) -> list[Decision | InputChange]:
        """Do what `finish` does; return the changes of the input among the decisions."""
        return _made(self.judge_end())

    def judge_end(self) -> list[Verdict | InputChange]:
        """Do what `finish` does; return what `judge` returns."""
        return self._settled(ended=True)

    def skip(self, samples: int) -> list[Decision | InputChange]:
        """Begin a fresh span behind a gap: no score mixes what was before it with what comes after it.

        Parameters
        ----------
        samples : int >= 0
            That are missing. Time goes on by them.

        Returns
        -------
        heard : list of Decision or InputChange
            Decisions that waited for more of the stream; and that the input is dead no longer, where it was.
        """
        heard: list[Decision | InputChange] = self.hear_end()
        if self.dead:
            heard.append(InputChange(self.time_s, Condition.dead, began=False))
        self._start(self._origin + self._input.count + samples)
        return heard

    def _take(self, samples: npt.NDArray[np.int16]) -> list[InputChange]:
        bundle, spec = self._bundle, self._bundle.features
        frames = self._stream.push(samples)
        self._last.push(frames)
        ended = self._input.push(samples)
        self._dead += ended
        self._watch.push(samples)
        for score in self._scores.push(frames).tolist():
            mean = self._rolling.push(score)
            self._windows += 1
            late = self._windows - bundle.windows_per_score
            if mean is not None and late * bundle.window_hop % self._interval < bundle.window_hop:
                end = spec.sample_count(bundle.window_frames + (self._windows - 1) * bundle.window_hop)
                decision = Decision(
                    time_s=(self._origin + end) / spec.sample_rate,
                    section=self.section,
                    score=mean,
                    threshold=self._threshold,
                    anomaly=is_anomalous(mean, self._threshold),
                )
                self._waiting.append(_Due(end, decision, self._watch.at(end)))
        return self._changes(ended)

    def _changes(self, ended: list[Stretch]) -> list[InputChange]:
        """Tell of dead stretches that have ended, and of the one that goes on, what was not told yet."""
        line, rate = self._input, self._bundle.features.sample_rate
        changes: list[InputChange] = []
        for stretch in [*ended, line.line] if line.dead else ended:
            if stretch is not None and stretch.start != self._died:
                self._died = stretch.start
                place = self._origin + stretch.start + line.least
                changes.append(InputChange(place / rate, Condition.dead, began=True))
            if stretch in ended:
                changes.append(InputChange((self._origin + stretch.stop) / rate, Condition.dead, began=False))
        return changes

    def _settled(self, *, ended: bool) -> list[Verdict | InputChange]:
        """Take from those that wait what no longer has to."""
        bundle, window, line = self._bundle, self._input.window, self._input.line
        span, block = bundle.score_samples, BLOCK_HOPS * bundle.features.hop_length
        news: list[Verdict | InputChange] = []
        while self._waiting:
            end, decision, measures = self._waiting[0]
            # A line counts from where it could first be told.
            begun = line is not None and line.start + window <= end
            if begun and not self.dead and not ended:
                break
            self._waiting.popleft()
            dead = [stretch.stop for stretch in self._dead if stretch.start + window <= end]
            # Where the sound was dead last; before the span, if nowhere.
            last = end if begun and self.dead else max(dead, default=end - span)
            if last <= end - min(block, span):
                news += self._changed(Condition.off, self._off, measures.quiet_now, decision.time_s)
                self._off = measures.quiet_now
            clipped = measures.clipped > MAX_CLIPPED_SHARE * span
            news += self._changed(Condition.clipped, self._clipped, clipped, decision.time_s)
            self._clipped = clipped
            # What is dead is not told to be quiet, too.
            withheld = last > end - span
            unjudged = measures.quiet and not withheld
            self.withheld += withheld
            self.unjudged += unjudged
            news.append(Verdict(decision, db_of_power(measures.power), withheld, unjudged, clipped))
        oldest = self._waiting[0].end if self._waiting else self._input.count
        self._dead = [stretch for stretch in self._dead if stretch.stop > oldest - span]
        return news

    def _changed(self, condition: Condition, before: bool, now: bool, time_s: float) -> list[InputChange]:
        return [InputChange(time_s, condition, began=now)] if now is not before else []


def _made(news: list[Verdict | InputChange]) -> list[Decision | InputChange]:
    """Leave out the decisions that are not made."""
    return [
        one.decision if isinstance(one, Verdict) else one for one in news if not isinstance(one, Verdict) or one.made
    ]
