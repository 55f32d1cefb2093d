"""States and events in plain words: what consoles, terminals and notifications say alike."""

from __future__ import annotations

from edge_asd.detectors.scores import told_apart
from edge_asd.monitor.alarms import Event, EventName, State

_WORDS = {
    State.starting: "STARTING",
    State.healthy: "HEALTHY",
    State.suspect: "SUSPECT",
    State.alarm: "ALARM",
    State.no_signal: "NO SIGNAL",
    State.dead: "DEAD INPUT",
    State.off: "MACHINE OFF",
    State.overloaded: "OVERLOADED",
    State.clipped: "CLIPPED",
}

_SENTENCES = {
    State.starting: "listening, no decision yet",
    State.healthy: "it sounds as it did when it was healthy",
    State.suspect: "it has sounded wrong of late, too briefly for an alarm",
    State.alarm: "it sounds wrong: look at the machine",
    State.no_signal: "no sound comes: check the microphone or the program",
    State.dead: "the input is muted or unplugged: nothing is judged",
    State.off: "too quiet for a machine that runs: nothing is judged",
    State.overloaded: "this computer cannot keep up with the sound",
    State.clipped: "the input is too loud and scores mean little: lower its gain",
}


def state_word(state: State) -> str:
    """Name a state in a word or two that stand out: ``ALARM``."""
    return _WORDS[state]


def state_text(state: State) -> str:
    """Say in one short sentence what a state means, and what to do where something is to be done."""
    return _SENTENCES[state]


def event_text(event: Event, unit: str) -> str:
    """Say what happened, without its place and time.

    Parameters
    ----------
    event : Event
    unit : str
        Of its scores.
    """
    if event.event is EventName.next_file:
        return event.text or ""
    text = _event_words(event)
    if event.score is not None and event.threshold is not None:
        text += f": {scores_text(event.score, event.threshold, unit)}"
    if event.event is EventName.alarm and event.duration_s is not None:
        text += f"; began {duration_text(event.duration_s)} before"
    return f"{text} ({event.text})" if event.text else text


def scores_text(score: int, threshold: int, unit: str) -> str:
    """Write a score [Q15.16] beside its threshold."""
    ours, limit = told_apart(score, threshold)
    return f"score {ours} {unit}, threshold {limit}"


def duration_text(seconds: float) -> str:
    """Write a length of time [s, >= 0] in its two greatest units: ``2.5 s``, ``12 min 5 s``, ``3 h 20 min``."""
    if (tenths := round(seconds * 10)) < 600:
        return f"{tenths / 10:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole // 60 % 60} min"
    return f"{whole // 86400} d {whole // 3600 % 24} h"


def _event_words(event: Event) -> str:
    length = "" if event.duration_s is None else duration_text(event.duration_s)
    after = f" after {length}" if length else ""
    match event.event:
        case EventName.alarm:
            return "ALARM raised"
        case EventName.escalated:
            return f"ALARM still on{after}"
        case EventName.cleared:
            return f"alarm over{after}"
        case EventName.signal_lost:
            return "no signal: no sound comes any more"
        case EventName.signal_back:
            return f"signal back{after}"
        case EventName.samples_lost:
            return f"{length} of sound lost" if length else "sound lost"
        case EventName.dead:
            return "input dead: muted or unplugged, no decisions"
        case EventName.alive:
            return f"input alive again{after}"
        case EventName.off:
            return "machine off: too quiet to be judged"
        case EventName.on:
            return f"machine on again{after}"
        case EventName.clipped:
            return "clipped: the input is too loud, scores mean little"
        case EventName.unclipped:
            return f"no longer clipped{after}"
        case EventName.overloaded:
            return "overloaded: this computer cannot keep up with the sound"
        case EventName.keeping_up:
            return f"keeping up again{after}"
        case EventName.next_file:
            return "next file"
