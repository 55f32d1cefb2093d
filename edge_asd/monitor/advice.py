"""What a person should know, and do, when the input changes."""

from __future__ import annotations

from edge_asd.audio.health import DEAD_SECONDS, MAX_CLIPPED_SHARE
from edge_asd.monitor.alarms import Event, EventName


def advice(event: Event, span_s: float) -> str:
    """Say it in a paragraph; "" where the event says all.

    Parameters
    ----------
    event : Event
    span_s : float > 0 [s]
        Length of sound that one score spans.
    """
    again = f"No decisions until {span_s:.1f} s of sound have been heard again."
    match event.event:
        case EventName.dead:
            return (
                f"The input has stayed within 1 of a constant for {DEAD_SECONDS} s: it is probably muted or unplugged. "
                f"{again}"
            )
        case EventName.off:
            return (
                "The machine seems to be off: it is quieter than it ever was when its threshold was calibrated. "
                f"{again} If it is not off, calibrate anew."
            )
        case EventName.clipped:
            return (
                f"The input clips: over {MAX_CLIPPED_SHARE:.1%} of the last {span_s:.1f} s is at full scale, and "
                "scores of such sound mean little. Turn the input's gain down."
            )
        case EventName.overloaded:
            return (
                f"This computer cannot keep up: {event.text}. What does not fit is lost, and counted. Stop other "
                "programs; edge-asd bench tells what it can do."
            )
        case EventName.signal_lost | EventName.signal_back | EventName.samples_lost:
            return event.text or ""
    return ""
