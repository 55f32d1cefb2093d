"""An event in plain English, from plain values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from edge_asd.notify.message import Message, Severity

# Of an event: its severity; the title behind the source's name; what it means and what to do.
_EVENTS: dict[str, tuple[Severity, str, str]] = {
    "alarm": (
        Severity.warning,
        "sounds wrong",
        "It no longer sounds as it did when it was healthy. Have a look at it.",
    ),
    "escalated": (Severity.failure, "still sounds wrong", "The alarm has gone on, or has become worse. See to it now."),
    "cleared": (Severity.info, "sounds healthy again", "The alarm has ended."),
    "signal-lost": (
        Severity.warning,
        "is not being heard",
        "No sound arrives: look at the microphone, its plug and the network. Listening goes on once it is back.",
    ),
    "signal-back": (Severity.info, "is being heard again", "Sound arrives again."),
    "dead": (
        Severity.warning,
        "has a dead microphone",
        "Sound arrives, but it is constant: the input is muted, or the microphone is unplugged or broken.",
    ),
    "alive": (Severity.info, "has a working microphone again", "The sound is no longer constant."),
    "clipped": (Severity.warning, "is too loud to be judged", "The input clips: lower its gain, or move it away."),
    "overloaded": (Severity.warning, "cannot be followed", "This computer is too slow for all that it listens to."),
}
_ENDS = ("cleared", "signal-back", "alive")  # what they end is what lasted
_ORDINARY = (Severity.info, "", "")


def event_message(
    *,
    event: str,
    source: str,
    time: datetime,
    machine: str | None = None,
    section: str | None = None,
    score: float | None = None,
    threshold: float | None = None,
    unit: str = "",
    duration_s: float | None = None,
    clip: str | None = None,
    heard: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Message:
    """Write the message of an event.

    Parameters
    ----------
    event : str
        Its name; one that is not known here makes a plain message of severity info.
    source : str
    time : datetime, with a zone
    machine, section : str, optional
    score, threshold : float [`unit`], optional
    unit : str
        Of both.
    duration_s : float >= 0 [s], optional
        How long it had been going on.
    clip : str, optional
        Where the recording is, or will be.
    heard : str, optional
        What moved, in words.
    details : mapping, optional
        For programs, beside the values above.
    """
    severity, words, meaning = _EVENTS.get(event, _ORDINARY)
    title = f"{source} {words}" if words else f"{source}: {event.replace('-', ' ')}"
    lines = [meaning] if meaning else []
    lines.append(f"Time: {time:%Y-%m-%d %H:%M:%S %z}")
    if machine is not None:
        lines.append(f"Machine: {machine}" + (f", section {section}" if section is not None else ""))
    elif section is not None:
        lines.append(f"Section: {section}")
    lines.append(f"Source: {source}")
    if score is not None:
        limit = "" if threshold is None else f" (threshold {_figure(threshold, unit)})"
        lines.append(f"Score: {_figure(score, unit)}{limit}")
    if duration_s is not None:
        lines.append(f"It lasted {span(duration_s)}." if event in _ENDS else f"It began {span(duration_s)} before.")
    if heard:
        lines.append(f"Heard: {heard}.")
    if clip is not None:
        lines.append(f"Recording: {clip}")
    facts = {
        "machine": machine,
        "section": section,
        "score": score,
        "threshold": threshold,
        "unit": unit or None,
        "duration_s": duration_s,
        "clip": clip,
    }
    known = {key: value for key, value in facts.items() if value is not None}
    return Message(title, "\n".join(lines), severity, source, time, event, {**known, **(details or {})})


def span(seconds: float) -> str:
    """Write a time span by its two largest units.

    Examples
    --------
    >>> span(45.2), span(125), span(7300), span(200000)
    ('45 s', '2 min 5 s', '2 h 1 min', '2 d 7 h')
    """
    whole = round(seconds)
    for (name, size), (next_name, next_size) in pairwise((("d", 86400), ("h", 3600), ("min", 60), ("s", 1))):
        if whole >= size:
            rest = whole % size // next_size
            return f"{whole // size} {name}" + (f" {rest} {next_name}" if rest else "")
    return f"{whole} s"


def _figure(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip()


def trial_message(source: str, time: datetime) -> Message:
    """Write the message that a person sends to see whether messages arrive."""
    body = f"If you read this, alarms will reach you here.\nTime: {time:%Y-%m-%d %H:%M:%S %z}\nFrom: {source}"
    return Message("edge-asd: this is a test", body, Severity.info, source, time, "test")


def summary_message(
    source: str, counts: Mapping[str, int], severity: Severity, last: Message, *, limit: int, period_s: float
) -> Message:
    """Write the one message that stands for all those of a source beyond the limit.

    Parameters
    ----------
    source : str
    counts : mapping of str to int > 0
        How many of each event.
    severity : Severity
        The highest among them.
    last : Message
        The last of them.
    limit : int
        Messages that are sent in `period_s` [s].
    """
    number = sum(counts.values())
    (name,) = counts if len(counts) == 1 else ("message",)
    noun = {"alarm": "alarm", "message": "message"}.get(name, f"{name} message") + ("s" if number > 1 else "")
    body = (
        f"At most {limit} messages in {span(period_s)} are sent for one source; these were beyond that: "
        f"{', '.join(f'{count} {event}' for event, count in counts.items())}.\n"
        f"The last, at {last.time:%Y-%m-%d %H:%M:%S %z}: {last.title[:200]}."
    )
    title = f"{number} more {noun} of {source} until {last.time:%H:%M}"
    return Message(title, body, severity, source, last.time, "summary", {"counts": dict(counts)})


def with_losses(message: Message, lost: int) -> str:
    """Return the body, and how many messages were lost before it."""
    if not lost:
        return message.body
    were = "message before this one was" if lost == 1 else "messages before this one were"
    return f"{message.body}\n\n{lost} {were} dropped, as too many waited to be sent or their file was damaged."
