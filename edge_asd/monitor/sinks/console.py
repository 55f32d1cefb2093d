"""Decisions and events on the standard output: for people, in full or in short, or as JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress

from edge_asd.detectors.scores import score_value, told_apart
from edge_asd.errors import OutputError
from edge_asd.monitor.alarms import Event, EventName
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.records.retention import DISK_FULL
from edge_asd.monitor.reports import Report, Sink
from edge_asd.monitor.wording import event_text, scores_text, state_word

_MINUTE_S = 60

_NOTED = {EventName.signal_lost, EventName.signal_back, EventName.samples_lost}
"""Events that the loop's notes tell in full."""


class _Console(Sink):
    """Prints lines.

    Parameters
    ----------
    lasting : bool
        A disk that is full ends no monitor that goes on for good: it raises an `OutputError`, which is told.
    """

    def __init__(self, *, lasting: bool = False) -> None:
        self._lasting = lasting

    def _say(self, line: str) -> None:
        try:
            print(line, flush=True)
        except OSError as error:
            if not self._lasting or error.errno not in DISK_FULL:
                raise
            raise OutputError(
                f"Lines for the standard output are lost: {error.strerror}. Monitoring goes on. Free some space."
            ) from None

    def close(self) -> None:
        """Give up what the disk does not take: Python would tell of it at its end."""
        if self._lasting:
            try:
                sys.stdout.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Lines(_Console):
    """Prints a line a decision and a line an event, for people; what has become of the input is left to notes.

    Parameters
    ----------
    units : mapping of source to str
        Units of the scores. Where there are several sources, lines name theirs.
    lasting : bool
        See `_Console`.
    """

    def __init__(self, units: Mapping[str, str], *, lasting: bool = False) -> None:
        super().__init__(lasting=lasting)
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
        self._say(f"{_place(what.time_s)}  {_whose(report, self._units)}  {text}")


class Minutes(_Console):
    """Prints events, the first decision, and a summary a minute of sound, for people.

    Parameters
    ----------
    units : mapping of source to str
        Units of the scores. Where there are several sources, lines name theirs.
    time_of_day : bool
        Begin lines with the time of day; with the place in the sound otherwise.
    lasting : bool
        See `_Console`.
    """

    def __init__(self, units: Mapping[str, str], *, time_of_day: bool = True, lasting: bool = False) -> None:
        super().__init__(lasting=lasting)
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
        minute = self._minutes.get(source)
        # Of a source that begins anew time begins anew, too.
        over = minute is not None and what.time_s // _MINUTE_S != minute[0].time_s // _MINUTE_S
        try:
            if over:
                self._sum_up(source)
        finally:
            self._minutes.setdefault(source, []).append(what)
            self._last[source] = report

    def close(self) -> None:
        """Sum up the minutes that have begun."""
        with suppress(OutputError):
            for source in list(self._last):
                self._sum_up(source)
        super().close()

    def _sum_up(self, source: str) -> None:
        minute, last = self._minutes.pop(source), self._last.pop(source)
        scores, threshold = [decision.score for decision in minute], minute[-1].threshold
        greatest, limit = told_apart(max(scores), threshold)
        over = sum(decision.anomaly for decision in minute)
        self._print(
            last,
            f"{state_word(last.state)}  scores {score_value(min(scores)):.2f} to {greatest} {self._units[source]}, "
            f"mean {score_value(round(sum(scores) / len(scores))):.2f}  threshold {limit}  "
            f"over it: {over} of {len(scores)}",
        )

    def _print(self, report: Report, text: str) -> None:
        when = f"{report.time:%Y-%m-%d %H:%M:%S}" if self._time_of_day else _place(report.what.time_s)
        self._say(f"{when}  {_whose(report, self._units)}  {text}")


class JsonLines(_Console):
    """Prints a line of JSON a decision and an event."""

    def report(self, report: Report, /) -> None:
        """Print it."""
        self._say(json.dumps(report.for_programs()))


def _whose(report: Report, units: Mapping[str, str]) -> str:
    section = f"section {report.what.section}"
    return section if len(units) == 1 else f"{report.source}  {section}"


def _place(time_s: float) -> str:
    return f"{time_s:9.1f} s"
