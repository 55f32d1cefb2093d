"""Decisions and events on the standard output: for people, in full or in short, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from edge_asd.detectors.scores import score_value, told_apart
from edge_asd.monitor.alarms import Event, EventName
from edge_asd.monitor.engine import Decision
from edge_asd.monitor.reports import Report, Sink
from edge_asd.monitor.wording import event_text, scores_text, state_word

_MINUTE_S = 60

_NOTED = {EventName.signal_lost, EventName.signal_back, EventName.samples_lost}
"""Events that the loop's notes tell in full."""


class Lines(Sink):
    """Prints a line a decision and a line an event, for people; what has become of the input is left to notes.

    Parameters
    ----------
    units : mapping of source to str
        Units of the scores. Where there are several sources, lines name theirs.
    """

    def __init__(self, units: Mapping[str, str]) -> None:
        self._units = units

    def report(self, report: Report, /) -> None:
        """Print it."""
        what, unit = report.what, self._units[report.source]
        if isinstance(what, Event):
            if what.event in {*_NOTED, EventName.dead, EventName.clipped}:
                return
            text = event_text(what, unit)
        else:
            score, limit = told_apart(what.score, what.threshold)
            verdict = "ANOMALY" if what.anomaly else "healthy"
            text = f"score {score:>8} {unit}  threshold {limit}  {verdict}"
        print(f"{_place(what.time_s)}  {_whose(report, self._units)}  {text}", flush=True)


class Minutes(Sink):
    """Prints events, the first decision, and a summary a minute of sound, for people.

    Parameters
    ----------
    units : mapping of source to str
        Units of the scores. Where there are several sources, lines name theirs.
    time_of_day : bool
        Begin lines with the time of day; with the place in the sound otherwise.
    """

    def __init__(self, units: Mapping[str, str], *, time_of_day: bool = True) -> None:
        self._units, self._time_of_day = units, time_of_day
        self._minutes: dict[str, list[Decision]] = {}  # of sources that may come and go
        self._last: dict[str, Report] = {}
        self._judged: set[str] = set()  # after whose first decision, since the start or since there was no sound

    def report(self, report: Report, /) -> None:
        """Print it, or count it."""
        what, source = report.what, report.source
        if isinstance(what, Event):
            if what.event not in _NOTED:
                self._print(report, event_text(what, self._units[source]))
            if what.event in (EventName.alive, EventName.on, EventName.signal_back):
                self._judged.discard(source)
            return
        if source not in self._judged:
            self._print(
                report, f"{state_word(report.state)}  {scores_text(what.score, what.threshold, self._units[source])}"
            )
            self._judged.add(source)
        minute = self._minutes.setdefault(source, [])
        # Of a source that begins anew time begins anew, too.
        if minute and what.time_s // _MINUTE_S != minute[0].time_s // _MINUTE_S:
            self._sum_up(source)
        minute.append(what)
        self._last[source] = report

    def close(self) -> None:
        """Sum up the minutes that have begun."""
        for source in list(self._last):
            self._sum_up(source)

    def _sum_up(self, source: str) -> None:
        minute, last = self._minutes[source], self._last.pop(source)
        scores, threshold = [decision.score for decision in minute], minute[-1].threshold
        greatest, limit = told_apart(max(scores), threshold)
        over = sum(decision.anomaly for decision in minute)
        self._print(
            last,
            f"{state_word(last.state)}  scores {score_value(min(scores)):.2f} to {greatest} {self._units[source]}, "
            f"mean {score_value(round(sum(scores) / len(scores))):.2f}  threshold {limit}  "
            f"over it: {over} of {len(scores)}",
        )
        minute.clear()

    def _print(self, report: Report, text: str) -> None:
        when = f"{report.time:%Y-%m-%d %H:%M:%S}" if self._time_of_day else _place(report.what.time_s)
        print(f"{when}  {_whose(report, self._units)}  {text}", flush=True)


class JsonLines(Sink):
    """Prints a line of JSON a decision and an event."""

    def report(self, report: Report, /) -> None:
        """Print it."""
        print(json.dumps(report.for_programs()), flush=True)


def _whose(report: Report, units: Mapping[str, str]) -> str:
    section = f"section {report.what.section}"
    return section if len(units) == 1 else f"{report.source}  {section}"


def _place(time_s: float) -> str:
    return f"{time_s:9.1f} s"
