"""Decisions become alarms: one that lasts and is raised once, where decisions alone would flap.

The machine is driven by decisions and the sample counter, never by the clock, so that a file, a pipe and a microphone
give the same alarms, whatever the blocks and the pauses between them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from edge_asd.bundle.policy import Policy
from edge_asd.heard.moved import Moved
from edge_asd.monitor.decisions import Condition, Decision, InputChange

__all__ = ["Alarms", "Event", "EventName", "Policy", "State"]


class State(StrEnum):
    """What the monitor holds the machine, or its sound, to be.

    Where several hold, the one to tell is first what makes judging impossible, then an alarm, then what
    makes judgements doubtful.
    """

    starting = "starting"
    """No decision yet, since the start or since the input came back."""
    healthy = "healthy"
    suspect = "suspect"
    """There is no alarm, but a decision over the threshold among those that the policy counts."""
    alarm = "alarm"
    """Raised and not ended, whatever the last decision was."""
    no_signal = "no signal"
    """No sound comes: the microphone or the program that sends it is away. An alarm from before goes on afterwards."""
    dead = "dead"
    """The input is muted or unplugged; an alarm from before goes on when it comes back."""
    off = "off"
    """The machine is off: quieter than it ever was while its thresholds were calibrated. An alarm goes on likewise."""
    overloaded = "overloaded"
    """This computer cannot keep up with the sound."""
    clipped = "clipped"
    """The input is too loud for its converter, and scores mean little."""


class EventName(StrEnum):
    """What can happen."""

    alarm = "alarm"
    escalated = "escalated"
    cleared = "cleared"
    signal_lost = "signal-lost"
    signal_back = "signal-back"
    samples_lost = "samples-lost"
    dead = "dead"
    alive = "alive"
    off = "off"
    on = "on"
    clipped = "clipped"
    unclipped = "unclipped"
    overloaded = "overloaded"
    keeping_up = "keeping-up"
    next_file = "next-file"


_UNJUDGED = {Condition.no_signal: State.no_signal, Condition.dead: State.dead, Condition.off: State.off}
"""Conditions without decisions, the first being the one to tell."""

_DOUBTFUL = {Condition.overloaded: State.overloaded, Condition.clipped: State.clipped}

_NAMES = {
    Condition.no_signal: (EventName.signal_lost, EventName.signal_back),
    Condition.dead: (EventName.dead, EventName.alive),
    Condition.off: (EventName.off, EventName.on),
    Condition.overloaded: (EventName.overloaded, EventName.keeping_up),
    Condition.clipped: (EventName.clipped, EventName.unclipped),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person should know.

    Attributes
    ----------
    event : EventName
    time_s : float [s]
        Counted in samples since the start: the end of the decision that brought it about, or the place where the
        input changed.
    section : str
    score, threshold : int [Q15.16], optional
        Of that decision.
    duration_s : float [s], optional
        For `alarm`, since the first decision over the threshold of those that raised it; for `escalated`, since the
        alarm; for what ends something, since the event that it ends; for `samples-lost`, the length of what is missing.
    text : str, optional
        What else there is to say, for people.
    heard : tuple of Moved, optional
        For `alarm` and `escalated`, which bands moved, most of all first; None where the detector cannot tell.
    """

    event: EventName
    time_s: float
    section: str
    score: int | None = None
    threshold: int | None = None
    duration_s: float | None = None
    text: str | None = None
    heard: tuple[Moved, ...] | None = None


class Alarms:
    """The alarm of one section and source, and the conditions of its input.

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
        self._escalation = round(policy.escalation_s * sample_rate)
        # Over the threshold; at or below the release threshold; where.
        self._last: deque[tuple[bool, bool, int]] = deque()
        self._over = self._calm = 0  # how many of them
        # All places count samples since the start.
        self._begun: int | None = None  # the first decision over the threshold of those that hang together
        self._raised: int | None = None
        self._escalated = False
        self._conditions: dict[Condition, int] = {}  # that hold, with where they began
        self._earliest = 0  # no alarm before

    @property
    def state(self) -> State:
        """What holds after all that was pushed."""
        for condition, state in _UNJUDGED.items():
            if condition in self._conditions:
                return state
        if self._raised is not None:
            return State.alarm
        for condition, state in _DOUBTFUL.items():
            if condition in self._conditions:
                return state
        if not self._last:
            return State.starting
        return State.suspect if self._over else State.healthy

    def push(self, news: Decision | InputChange) -> Event | None:
        """Take the next decision or change of the input; return what it brings about."""
        place = round(news.time_s * self._rate)
        if isinstance(news, InputChange):
            return self._input_changed(place, news)
        self._count(news)
        if self._over == 0:
            self._begun = None
        elif self._begun is None:
            self._begun = place
        if self._raised is not None:
            return self._alarmed(self._raised, place, news)
        if self._begun is None or self._over < self._policy.needed:
            return None
        if place - self._begun < self._minimum or place < self._earliest:
            return None
        self._raised, self._escalated = place, False
        first = next(at for over, _, at in self._last if over)
        return self._event(EventName.alarm, place, first, news)

    def interrupted(self) -> None:
        """Begin to count anew behind a gap of the input; an alarm that was raised goes on."""
        self._forget()

    def _alarmed(self, since: int, place: int, news: Decision) -> Event | None:
        if self._calm >= self._policy.needed_to_end:
            self._raised = None
            self._earliest = place + self._cooldown
            self._forget()
            self._count(news)  # which is what ended it, and so speaks for health
            return self._event(EventName.cleared, place, since, news)
        if self._escalation and not self._escalated and place - since >= self._escalation:
            self._escalated = True
            return self._event(EventName.escalated, place, since, news)
        return None

    def _count(self, decision: Decision) -> None:
        if len(self._last) == self._policy.of:
            over, calm, _ = self._last.popleft()
            self._over -= over
            self._calm -= calm
        over, calm = decision.anomaly, decision.score <= self._policy.release_threshold(decision.threshold)
        self._last.append((over, calm, round(decision.time_s * self._rate)))
        self._over += over
        self._calm += calm

    def _input_changed(self, place: int, news: InputChange) -> Event | None:
        condition = news.condition
        if news.began is (condition in self._conditions):
            return None  # nothing new
        if condition in _UNJUDGED:
            # Decisions on both sides of a gap do not make an alarm together, nor its end.
            self._forget()
        began, ended = _NAMES[condition]
        if news.began:
            self._conditions[condition] = place
            return self._event(began, place, None, text=news.text)
        return self._event(ended, place, self._conditions.pop(condition), text=news.text)

    def _forget(self) -> None:
        self._last.clear()
        self._over = self._calm = 0
        self._begun = None

    def _event(
        self, name: EventName, place: int, since: int | None, decision: Decision | None = None, text: str | None = None
    ) -> Event:
        return Event(
            name,
            place / self._rate,
            self._section,
            score=None if decision is None else decision.score,
            threshold=None if decision is None else decision.threshold,
            duration_s=None if since is None else (place - since) / self._rate,
            text=text,
        )
