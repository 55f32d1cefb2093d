"""Scores and states summed up by the minute of sound, cut by the sample counter."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from edge_asd.monitor.alarms import State
from edge_asd.monitor.decisions import Decision

_MINUTE_S = 60


@dataclass(slots=True)
class Minute:
    """A minute of a source: one of those that its sample counter is cut into.

    Attributes
    ----------
    place : int >= 0
        Where it begins, in samples since the source's start.
    time : datetime, with a zone
        When that was, as far as the clock could tell; it orders nothing.
    samples : int > 0
        A minute's, fewer where the source ended in it. A long stretch without decisions, in which one state
        held, is summed up as a whole number of minutes.
    count, over : int >= 0
        Decisions in it; those of them over the threshold.
    minimum, mean, maximum : int or None [Q15.16]
        Of their scores; None without any.
    threshold : int or None [Q15.16]
        Of the last decision.
    states : dict of State to int >= 0 [samples]
        How long each held.
    """

    place: int
    time: datetime
    samples: int = 0
    count: int = 0
    over: int = 0
    minimum: int | None = None
    maximum: int | None = None
    threshold: int | None = None
    total: int = 0
    states: dict[State, int] = field(default_factory=dict)

    @property
    def mean(self) -> int | None:
        """Rounded half up."""
        return (self.total + self.count // 2) // self.count if self.count else None


class Minutes:
    """Cuts one source's decisions and states into minutes.

    Parameters
    ----------
    rate : int [Hz]
        Of the sample counter.
    """

    def __init__(self, rate: int) -> None:
        self._rate, self._length = rate, _MINUTE_S * rate
        self._minute: Minute | None = None
        self._state = State.starting
        self._reached = self._stop = 0  # what was told already; where the minute ends

    def advance(self, place: int, time: datetime, state: State) -> list[Minute]:
        """Learn that the sound has got to a place, and what holds from there on.

        Parameters
        ----------
        place : int >= 0
            One before what was told already counts as that.
        time : datetime, with a zone
            Now.
        state : State

        Returns
        -------
        minutes : list of Minute
            Those that ended before the place; a minute ends with its last decision.
        """
        if self._minute is None:
            self._open(0, place, time)
        ended = []
        while self._minute is not None and place > self._stop:
            self._add(self._stop - self._reached)
            ended.append(self._minute)
            self._open(self._stop, place, time)
            alike = (place - 1 - self._reached) // self._length  # whole minutes in which nothing was told
            self._stop = self._reached + max(1, alike) * self._length
        self._add(max(0, place - self._reached))
        self._state = state
        return ended

    def count(self, decision: Decision) -> None:
        """Count a decision into the minute that `advance` has got to."""
        minute, score = self._minute, decision.score
        if minute is None:
            raise ValueError("advance to the decision's place first")
        minute.minimum = score if minute.minimum is None else min(minute.minimum, score)
        minute.maximum = score if minute.maximum is None else max(minute.maximum, score)
        minute.threshold = decision.threshold
        minute.total += score
        minute.count += 1
        minute.over += decision.anomaly

    def finish(self) -> list[Minute]:
        """Return the minute that has begun, where there is something in it."""
        minute, self._minute = self._minute, None
        return [minute] if minute is not None and minute.samples else []

    def _open(self, start: int, place: int, time: datetime) -> None:
        with suppress(OverflowError):  # a counter that no clock can follow
            time -= timedelta(seconds=(place - start) / self._rate)
        self._minute = Minute(start, time)
        self._reached, self._stop = start, start + self._length

    def _add(self, samples: int) -> None:
        assert self._minute is not None
        if samples:
            self._minute.samples += samples
            self._minute.states[self._state] = self._minute.states.get(self._state, 0) + samples
            self._reached += samples
