"""What came of listening to a source until its end."""

from __future__ import annotations

from edge_asd.audio.health import DEAD_SECONDS, LIKE_MUTED
from edge_asd.errors import AudioFormatError, DataError
from edge_asd.monitor.listener import Listener
from edge_asd.monitor.loop import Note


def conclude(listener: Listener, error: Exception | None, note: Note) -> int:
    """Count the anomalous decisions, or say why there is no decision.

    Parameters
    ----------
    listener : Listener
    error : Exception, optional
        That ended the sound early. One that was cut off or damaged is a note, if a decision before was anomalous.
    note : callable

    Returns
    -------
    anomalies : int

    Raises
    ------
    DataError
        If there was no decision.
    EdgeAsdError
        `error`, otherwise.
    """
    if error is not None:
        if not isinstance(error, AudioFormatError) or not listener.anomalies:
            raise error
        note(str(error))  # an anomaly that was heard before stays one
    if listener.decisions:
        return listener.anomalies
    span = f"{listener.span_s:.1f} s"
    if listener.engine.unjudged:
        raise DataError(
            f"There was no decision: in every span of {span} there was a second that is quieter than the machine ever "
            "was when its threshold was calibrated, so that it seems to be off. Calibrate anew if it was not."
        )
    if listener.engine.withheld or listener.died:
        raise DataError(
            f"There was no decision: the sound stays within 1 of a constant for {DEAD_SECONDS} s or more in every span "
            f"of {span}; {LIKE_MUTED}. Check the input, and record it again."
        )
    raise DataError(f"The sound {too_short(listener.span_s)}")


def too_short(span_s: float) -> str:
    """Say that sound is shorter than the span of a score [s]. Starts with a verb."""
    return (
        f"lasts less than the {span_s:.1f} s that one score of this bundle spans. "
        "Use a longer recording, or quantise with a shorter --score-seconds."
    )
