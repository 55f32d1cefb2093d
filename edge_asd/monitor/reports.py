"""What the monitor tells its sinks: decisions and events, the sound itself, and how things stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from edge_asd.audio.stream import Pcm
from edge_asd.monitor.alarms import Event, State
from edge_asd.monitor.decisions import Decision

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
        """Return it as one flat JSON object; only events have the key `event`, and `text` only where there is one."""
        values = asdict(self.what)
        if values.get("text", "") is None:
            del values["text"]
        return {
            **values,
            "time": self.time.isoformat(timespec="milliseconds"),
            "source": self.source,
            "state": self.state,
        }


@dataclass(frozen=True, slots=True)
class Status:
    """How a source stands, a few times a second.

    Attributes
    ----------
    source, section : str
    state : State
    time_s : float [s]
        Heard or missed so far, counted in samples.
    level_db : float or None [dB re full scale]
        RMS of the last block; None where no sound came since the last status.
    peak_db : float or None [dB re full scale]
        Greatest magnitude of these samples.
    load : float >= 0 or None
        Time that the last seconds of sound took to be scored, as a share of their length; None before there is sound.
    lost_s : float >= 0 [s]
        Sound that was lost so far while the source was there.
    description : str
        What the source is, for people; may be empty.
    """

    source: str
    section: str
    state: State
    time_s: float
    level_db: float | None = None
    peak_db: float | None = None
    load: float | None = None
    lost_s: float = 0.0
    description: str = ""


class Sink:
    """Is told what happens, in its order, by one thread. Each method does nothing until it is overridden.

    None may block for longer than a moment: sound waits meanwhile. What a sink raises ends the monitor, unless it is an
    `OutputError`, which is told.
    """

    def report(self, report: Report, /) -> None:
        """Take the next decision or event."""

    def hear(self, source: str, place: int, pcm: Pcm, /) -> None:
        """Take the next sound of a source, before what is reported of it.

        Parameters
        ----------
        source : str
        place : int >= 0
            Samples of the source before the first one, the missing ones counted.
        pcm : int16 [shape=(n,)]
            At the bundle's rate. Not to be changed.
        """

    def status(self, status: Status, /) -> None:
        """Take how a source stands."""

    def close(self) -> None:
        """Hand on what waits; nothing follows."""
