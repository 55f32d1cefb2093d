"""What the monitor hands to its sinks: a decision or an event, with when, from where, and the state after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from edge_asd.monitor.alarms import Event, State
from edge_asd.monitor.engine import Decision

Clock = Callable[[], datetime]
"""Tells the time, with its zone."""


def now() -> datetime:
    """Tell the time here."""
    return datetime.now().astimezone()


@dataclass(frozen=True, slots=True)
class Report:
    """A decision or an event.

    Attributes
    ----------
    what : Decision or Event
        Its `time_s` counts samples.
    time : datetime, with a zone
        When it was told.
    source : str
        Where the sound came from.
    state : State
        After it.
    """

    what: Decision | Event
    time: datetime
    source: str
    state: State

    def for_programs(self) -> dict[str, Any]:
        """Return it as one flat JSON object; only events have the key `event`."""
        return {
            **asdict(self.what),
            "time": self.time.isoformat(timespec="milliseconds"),
            "source": self.source,
            "state": self.state,
        }


class Sink(Protocol):
    """Is told of every decision and every event, in their order."""

    def __call__(self, report: Report, /) -> None:
        """Take the next one."""

    def close(self) -> None:
        """Hand on what waits; nothing follows."""
