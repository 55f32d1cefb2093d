"""What the terminal view shows: how each source stands, and what was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from edge_asd.monitor.alarms import Event, EventName, State
from edge_asd.monitor.board import BoardHealth
from edge_asd.monitor.reports import Report, Status
from edge_asd.monitor.sinks.sparkline import History

STATE_TONES = {
    State.starting: "calm",
    State.healthy: "good",
    State.suspect: "warn",
    State.alarm: "alarm",
    State.no_signal: "trouble",
    State.dead: "trouble",
    State.off: "calm",
    State.overloaded: "trouble",
    State.clipped: "trouble",
}

UNJUDGED = {State.starting, State.no_signal, State.dead, State.off}
"""States in which the last score is none of this moment's sound."""

_EVENT_TONES = {
    EventName.alarm: "bad",
    EventName.escalated: "bad",
    EventName.cleared: "good",
    EventName.signal_lost: "warn",
    EventName.samples_lost: "warn",
    EventName.dead: "warn",
    EventName.clipped: "warn",
    EventName.overloaded: "warn",
}

URGENCY = (
    State.alarm,
    State.no_signal,
    State.dead,
    State.overloaded,
    State.clipped,
    State.suspect,
    State.starting,
    State.healthy,
    State.off,
)
"""Which source is shown first where not all have room."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a source is listened to for.

    Attributes
    ----------
    machine, unit : str
        The unit is that of its scores.
    section : str
        Empty where it is told later.
    """

    machine: str
    unit: str
    section: str = ""


@dataclass(slots=True)
class Watched:
    """A source.

    Attributes
    ----------
    name : str
    subject : Subject
    status : Status
        The last.
    since : datetime, optional
        When its state began.
    history : History
    alarms : int >= 0
        Raised so far.
    """

    name: str
    subject: Subject
    status: Status
    since: datetime | None = None
    history: History = field(default_factory=History)
    alarms: int = 0
    state: State = State.starting

    def take(self, status: Status, now: datetime) -> None:
        """Take how it stands."""
        self.status = status
        self._enter(status.state, now)

    def report(self, report: Report) -> None:
        """Take the next decision or event."""
        if isinstance(report.what, Event):
            self.alarms += report.what.event is EventName.alarm
        else:
            self.history.push(report.what)
        self._enter(report.state, report.time)

    @property
    def section(self) -> str:
        """The section whose threshold decides; empty until it is told."""
        return self.status.section or self.subject.section

    def _enter(self, state: State, now: datetime) -> None:
        if state is not self.state or self.since is None:
            self.state, self.since = state, now


@dataclass(frozen=True, slots=True)
class Told:
    """A line among the events.

    Attributes
    ----------
    time : datetime
    source : str
        Empty where it is of none.
    text, tone : str
    """

    time: datetime
    source: str
    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is shown at one moment.

    Attributes
    ----------
    sources : sequence of Watched
    told : sequence of Told
        The latest last.
    now : datetime
    running_s : float >= 0 [s]
    board : BoardHealth
    """

    sources: Sequence[Watched]
    told: Sequence[Told]
    now: datetime
    running_s: float
    board: BoardHealth


def event_tone(event: EventName) -> str:
    """Return the tone in which an event is told."""
    return _EVENT_TONES.get(event, "")
