"""Decisions and events on the standard output: for people, in full or in short, or as JSON."""

from __future__ import annotations

import json
from datetime import datetime

from edge_asd.audio.stream import Break
from edge_asd.detectors.scores import score_value, told_apart
from edge_asd.monitor.alarms import Event, EventName, State
from edge_asd.monitor.engine import Decision
from edge_asd.monitor.reports import Report

_MINUTE_S = 60


class Lines:
    """Prints a line a decision and a line an event, for people; that the input died is left to the loop's note.

    Parameters
    ----------
    unit : str
        Of the scores.
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit

    def __call__(self, report: Report, /) -> None:
        """Print it."""
        what = report.what
        if isinstance(what, Event):
            if what.event is EventName.dead:
                return
            text = event_text(what, self._unit)
        else:
            text = f"{scores_text(what.score, what.threshold, self._unit)}  {'ANOMALY' if what.anomaly else 'healthy'}"
        print(f"{_place(what.time_s)}  section {what.section}  {text}", flush=True)

    def close(self) -> None:
        """Do nothing: every line was printed at once."""


class Minutes:
    """Prints events, the first decision, and a summary a minute of sound, for people.

    Parameters
    ----------
    unit : str
        Of the scores.
    time_of_day : bool
        Begin lines with the time of day; with the place in the sound otherwise.
    """

    def __init__(self, unit: str, *, time_of_day: bool = True) -> None:
        self._unit, self._time_of_day = unit, time_of_day
        self._minute: list[Decision] = []
        self._last: Report | None = None
        self._waiting = True  # for the first decision, since the start or since the input was dead

    def __call__(self, report: Report, /) -> None:
        """Print it, or count it."""
        what = report.what
        if isinstance(what, Event):
            self._print(report, event_text(what, self._unit))
            self._waiting = self._waiting or what.event is EventName.alive
            return
        if self._waiting:
            self._print(report, f"{shown(report.state)}  {scores_text(what.score, what.threshold, self._unit)}")
            self._waiting = False
        if self._minute and what.time_s // _MINUTE_S > self._minute[0].time_s // _MINUTE_S:
            self.close()
        self._minute.append(what)
        self._last = report

    def close(self) -> None:
        """Sum up the minute that has begun."""
        if self._last is None:
            return
        scores, threshold = [decision.score for decision in self._minute], self._minute[-1].threshold
        greatest, limit = told_apart(max(scores), threshold)
        over = sum(decision.anomaly for decision in self._minute)
        self._print(
            self._last,
            f"{shown(self._last.state)}  scores {score_value(min(scores)):.2f} to {greatest} {self._unit}, "
            f"mean {score_value(round(sum(scores) / len(scores))):.2f}  threshold {limit}  "
            f"over it: {over} of {len(scores)}",
        )
        self._minute, self._last = [], None

    def _print(self, report: Report, text: str) -> None:
        when = f"{report.time:%Y-%m-%d %H:%M:%S}" if self._time_of_day else _place(report.what.time_s)
        print(f"{when}  section {report.what.section}  {text}", flush=True)


class JsonLines:
    """Prints a line of JSON a decision and an event."""

    def __call__(self, report: Report, /) -> None:
        """Print it."""
        print(json.dumps(report.for_programs()), flush=True)

    def close(self) -> None:
        """Do nothing: every line was printed at once."""


def _place(time_s: float) -> str:
    return f"{time_s:9.1f} s"


def shown(state: State) -> str:
    """Write a state so that an alarm stands out."""
    return "ALARM" if state is State.alarm else state


def scores_text(score: int, threshold: int, unit: str) -> str:
    """Write a score [Q15.16] beside its threshold."""
    ours, limit = told_apart(score, threshold)
    return f"score {ours:>8} {unit}  threshold {limit}"


def event_text(event: Event, unit: str) -> str:
    """Write an event without its place."""
    text = "ALARM raised" if event.event is EventName.alarm else str(event.event)
    if event.score is not None and event.threshold is not None:
        text += f"  {scores_text(event.score, event.threshold, unit)}"
    match event.event:
        case EventName.alarm:
            return f"{text}  began {event.duration_s:.1f} s before"
        case EventName.cleared:
            return f"{text}  the alarm lasted {event.duration_s:.1f} s"
        case EventName.dead:
            return f"{text}: no sound, no decisions"
        case EventName.alive:
            return f"{text}: there was no sound for {event.duration_s:.1f} s"


def json_break(gap: Break, time_s: float) -> None:
    """Print a break of the stream, at the engine's `time_s` [s], as one line of JSON."""
    event = {
        "event": gap.event,
        "time": datetime.fromtimestamp(gap.clock).astimezone().isoformat(timespec="milliseconds"),
        "time_s": time_s,
        "seconds": round(gap.seconds, 3),
    }
    print(json.dumps(event), flush=True)
