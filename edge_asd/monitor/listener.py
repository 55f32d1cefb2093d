"""One source's sound, decided on: its engine, its alarm, its conditions, as reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from edge_asd.audio.stream import Break, Pcm
from edge_asd.heard.words import heard_text
from edge_asd.monitor.alarms import Alarms, Event, EventName, State
from edge_asd.monitor.decisions import Condition, Decision, InputChange
from edge_asd.monitor.engine import PIECE, Engine
from edge_asd.monitor.reports import Clock, Report, now

_EXPLAINED = {EventName.alarm, EventName.escalated}


class Listener:
    """Turns the sound of one source into reports.

    Parameters
    ----------
    source : str
        Its name, for reports.
    engine : Engine
    alarms : Alarms
        Made for the engine's section.
    clock : callable
        Tells the time that reports bear; nothing else depends on it.

    Attributes
    ----------
    source, section : str
    decisions, anomalies : int
        How many were made, and how many of them were anomalous.
    died : bool
        The input was dead once.
    """

    def __init__(self, source: str, engine: Engine, alarms: Alarms, *, clock: Clock = now) -> None:
        self.source, self.section, self.engine = source, engine.section, engine
        self.decisions = self.anomalies = 0
        self.died = False
        self._alarms, self._clock = alarms, clock

    @property
    def state(self) -> State:
        """What holds now."""
        return self._alarms.state

    @property
    def sample_rate(self) -> int:
        """Of the sound [Hz]."""
        return self.engine.sample_rate

    @property
    def span_s(self) -> float:
        """Length of sound that one score spans [s]."""
        return self.engine.span_s

    @property
    def time_s(self) -> float:
        """Length of the sound heard or missed so far [s]."""
        return self.engine.time_s

    @property
    def place(self) -> int:
        """Samples heard or missed so far."""
        return self.engine.place

    def hear(self, pcm: Pcm) -> list[Report]:
        """Take the next samples."""
        return [
            report
            for start in range(0, max(1, len(pcm)), PIECE)
            for report in self._reports(self.engine.hear(pcm[start : start + PIECE]))
        ]

    def finish(self) -> list[Report]:
        """End the stream."""
        return self._reports(self.engine.hear_end())

    def change(self, condition: Condition, *, began: bool, text: str | None = None) -> list[Report]:
        """Take a change of the input that is not heard in it."""
        return self._reports([InputChange(self.engine.time_s, condition, began, text)])

    def broken(self, gap: Break) -> list[Report]:
        """Begin afresh where the stream broke; no score mixes sound from both sides."""
        reports = [*self._reports(self.engine.hear_end()), *self._reports(self.engine.skip(gap.samples))]
        time = datetime.fromtimestamp(gap.clock).astimezone()
        text = gap.text or None
        if gap.event == "next-file":
            return [
                *reports,
                self._report(Event(EventName.next_file, self.engine.time_s, self.section, text=text), time),
            ]
        if gap.event == "samples-lost":
            self._alarms.interrupted()
            event = Event(EventName.samples_lost, self.engine.time_s, self.section, None, None, gap.seconds, text)
            return [*reports, self._report(event, time)]
        change = InputChange(self.engine.time_s, Condition.no_signal, gap.event == "signal-lost", text)
        told = self._alarms.push(change)
        return [*reports, *([] if told is None else [self._report(replace(told, duration_s=gap.seconds), time)])]

    def _reports(self, heard: Iterable[Decision | InputChange]) -> list[Report]:
        reports = []
        for news in heard:
            event = self._alarms.push(news)
            if isinstance(news, Decision):
                self.decisions += 1
                self.anomalies += news.anomaly
                reports.append(self._report(news))
            elif news.condition is Condition.dead:
                self.died = True
            if event is not None:
                reports.append(self._report(self._explained(event)))
        return reports

    def _explained(self, event: Event) -> Event:
        if event.event not in _EXPLAINED:
            return event
        moved = self.engine.heard(event.time_s)
        return event if moved is None else replace(event, heard=tuple(moved), text=heard_text(moved) or None)

    def _report(self, what: Decision | Event, time: datetime | None = None) -> Report:
        return Report(what, time or self._clock(), self.source, self._alarms.state)
