"""Sound of a lower rate than a detector listens at."""

from __future__ import annotations

from edge_asd.bundle.bundle import Bundle


def narrow_text(rate: int, bundle: Bundle) -> str | None:
    """Say what is missing in sound of a lower rate than the detector listens at; None where nothing is.

    A detector that was trained on sound of that rate misses nothing.
    """
    if rate >= bundle.features.sample_rate:
        return None
    text = f"Nothing above {rate // 2} Hz is in it"
    if bundle.trained_at(rate):
        return f"{text}, as in training clips."
    return f"{text}: it will sound anomalous, whatever the machine does."
