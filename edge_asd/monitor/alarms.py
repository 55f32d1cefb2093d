"""Decisions become alarms: one that lasts and is raised once, where decisions alone would flap.

The machine is driven by decisions and the sample counter, never by the clock, so that a file, a pipe and a microphone
give the same alarms, whatever the blocks and the pauses between them.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from edge_asd.monitor.engine import INTERVAL_S, Decision, InputChange

MAX_DECISIONS = 100_000
"""Of the window in which decisions over the threshold are counted; it bounds the memory."""

_LOOK_BACK_S = 60  # the default counts over this time


@dataclass(frozen=True, slots=True)
class Policy:
    """When an alarm is raised, and when it ends.

    An alarm is raised once `needed` of the last `of` decisions were over the section's threshold. It ends once as many
    of them lie at or below the release threshold, which is `release_percent` of the threshold's magnitude below it;
    where `needed` is at most half of `of`, all but `needed` - 1 of them do.

    Why 45 of 60: with the default quantile of 0.9, one healthy score in ten is over the threshold. Decisions a second
    apart share nine of ten seconds of sound, so that counting a few of them changes little. On steady healthy sound
    (seconds independent, scores of ten), the threshold is crossed 2,700 times a day, 3 of 5 decisions with the same
    cooldown raise 640 alarms, 45 of 60 less than one a week; and three a day should two healthy scores in ten be over
    the threshold because it was fitted on few clips. The price: where a fault is told apart with an AUC of 0.95, half
    of the alarms come within a minute, where it is clear, within 50 s. `tests/monitor/test_false_alarms.py` computes
    these figures.

    Why 2 percent: healthy scores of ten seconds lie but a few percent below a threshold that is their quantile; a
    release threshold among them would hold an alarm for good.

    Attributes
    ----------
    needed : int, 1 to `of`
        Decisions over the threshold that raise an alarm.
    of : int, 1 to 100000
        The last decisions, among which they are counted; those before a dead stretch or an alarm's end do not count.
    release_percent : int, 0 to 100
    minimum_s : float >= 0 [s]
        The time since the first decision over the threshold, none of them more than `of` decisions apart, that has to
        pass, too.
    cooldown_s : float >= 0 [s]
        After an alarm has ended, none is raised for this long.

    Raises
    ------
    ValueError
        If one is out of its range.
    """

    needed: int = 45
    of: int = 60
    release_percent: int = 2
    minimum_s: float = 0.0
    cooldown_s: float = 60.0

    def __post_init__(self) -> None:
        if not 1 <= self.of <= MAX_DECISIONS:
            raise ValueError(f"an alarm cannot look at {self.of} decisions; use 1 to {MAX_DECISIONS}")
        if not 1 <= self.needed <= self.of:
            raise ValueError(f"an alarm cannot need {self.needed} of {self.of} decisions; use 1 to {self.of}")
        if not 0 <= self.release_percent <= 100:
            raise ValueError(f"the release threshold cannot be {self.release_percent} % lower; use 0 to 100")
        for name, seconds in (("minimum duration", self.minimum_s), ("cooldown", self.cooldown_s)):
            if not (math.isfinite(seconds) and seconds >= 0):
                raise ValueError(f"the {name} cannot be {seconds} s; use 0 or more")

    @classmethod
    def for_interval(cls, interval_s: float = INTERVAL_S) -> Policy:
        """Return the default for decisions every `interval_s` [s]: three quarters of a minute's decisions."""
        of = max(1, round(_LOOK_BACK_S / interval_s))
        return cls(needed=math.ceil(of * 3 / 4), of=of)

    def release_threshold(self, threshold: int) -> int:
        """Return the score [Q15.16] at or below which a decision speaks for the alarm's end."""
        return threshold - abs(threshold) * self.release_percent // 100

    @property
    def needed_to_end(self) -> int:
        """Decisions at or below the release threshold that end an alarm; never true of what would raise one."""
        return max(self.needed, self.of - self.needed + 1)


class State(StrEnum):
    """What the monitor holds the machine, or its sound, to be."""

    starting = "starting"
    """No decision yet, since the start or since the input came back."""
    healthy = "healthy"
    suspect = "suspect"
    """There is no alarm, but a decision over the threshold among those that the policy counts."""
    alarm = "alarm"
    """Raised and not ended, whatever the last decision was."""
    dead = "dead"
    """The input is muted or unplugged; an alarm from before goes on when it comes back."""


class EventName(StrEnum):
    """What can happen."""

    alarm = "alarm"
    cleared = "cleared"
    dead = "dead"
    alive = "alive"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person should know.

    Attributes
    ----------
    event : EventName
    time_s : float [s]
        Counted in samples since the start: the end of the decision that brought it about, or the place where the input
        had been constant for half a second, or was so no longer.
    section : str
    score, threshold : int [Q15.16], optional
        Of that decision.
    duration_s : float [s], optional
        For `alarm`, since the first decision over the threshold; for `cleared` and `alive`, since the event that it
        ends.
    """

    event: EventName
    time_s: float
    section: str
    score: int | None = None
    threshold: int | None = None
    duration_s: float | None = None


class Alarms:
    """The alarm of one section and source.

    Parameters
    ----------
    policy : Policy
    section : str
    sample_rate : int > 0 [Hz]
        Of the samples that `time_s` counts.
    """

    def __init__(self, policy: Policy, section: str, sample_rate: int) -> None:
        self._policy, self._section, self._rate = policy, section, sample_rate
        self._minimum, self._cooldown = round(policy.minimum_s * sample_rate), round(policy.cooldown_s * sample_rate)
        self._last: deque[tuple[bool, bool]] = deque()  # over the threshold; at or below the release threshold
        self._over = self._calm = 0  # how many of them
        # All places count samples since the start.
        self._begun: int | None = None  # the first decision over the threshold of those that hang together
        self._raised: int | None = None
        self._died: int | None = None
        self._earliest = 0  # no alarm before

    @property
    def state(self) -> State:
        """What holds after all that was pushed."""
        if self._died is not None:
            return State.dead
        if self._raised is not None:
            return State.alarm
        if not self._last:
            return State.starting
        return State.suspect if self._over else State.healthy

    def push(self, news: Decision | InputChange) -> Event | None:
        """Take the next decision or change of the input; return what it brings about."""
        place = round(news.time_s * self._rate)
        if isinstance(news, InputChange):
            return self._input_changed(place, dead=news.dead)
        self._count(news)
        if self._over == 0:
            self._begun = None
        elif self._begun is None:
            self._begun = place
        if self._raised is not None:
            if self._calm < self._policy.needed_to_end:
                return None
            since, self._raised = self._raised, None
            self._earliest = place + self._cooldown
            self._forget()
            self._count(news)  # which is what ended it, and so speaks for health
            return self._event(EventName.cleared, place, since, news)
        if self._begun is None or self._over < self._policy.needed:
            return None
        if place - self._begun < self._minimum or place < self._earliest:
            return None
        self._raised = place
        return self._event(EventName.alarm, place, self._begun, news)

    def interrupted(self) -> None:
        """Begin to count anew behind a gap of the input; an alarm that was raised goes on."""
        self._forget()

    def _count(self, decision: Decision) -> None:
        if len(self._last) == self._policy.of:
            over, calm = self._last.popleft()
            self._over -= over
            self._calm -= calm
        over, calm = decision.anomaly, decision.score <= self._policy.release_threshold(decision.threshold)
        self._last.append((over, calm))
        self._over += over
        self._calm += calm

    def _input_changed(self, place: int, *, dead: bool) -> Event:
        # Decisions on both sides of a gap do not make an alarm together, nor its end.
        self._forget()
        since, self._died = self._died, place if dead else None
        return self._event(EventName.dead if dead else EventName.alive, place, None if dead else since)

    def _forget(self) -> None:
        self._last.clear()
        self._over = self._calm = 0
        self._begun = None

    def _event(self, name: EventName, place: int, since: int | None, decision: Decision | None = None) -> Event:
        return Event(
            name,
            place / self._rate,
            self._section,
            score=None if decision is None else decision.score,
            threshold=None if decision is None else decision.threshold,
            duration_s=None if since is None else (place - since) / self._rate,
        )
