"""Sample rates of clips: what lies above half of a clip's own rate is not in it, whatever it is resampled to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from edge_asd.audio.recording_file import file_rate
from edge_asd.train.data.dataset import Clip


def rates_of(clips: Iterable[Clip]) -> dict[int, int]:
    """Count clips by the sample rates of their files; only headers are read.

    Raises
    ------
    AudioFormatError
        If a file cannot be read.
    """
    return dict(sorted(Counter(file_rate(clip.path) for clip in clips).items()))


def rates_note(rates: dict[int, int], sample_rate: int, kind: str) -> str | None:
    """Say which clips hold less than the front end listens to; None where all hold it.

    Parameters
    ----------
    rates : dict of int to int
        Number of clips by rate [Hz].
    sample_rate : int [Hz]
        The front end's.
    kind : str
        What the clips are: "training clips".
    """
    low = {rate: count for rate, count in rates.items() if rate < sample_rate}
    if not low:
        return None
    total = sum(rates.values())
    parts = [
        f"{count} of {total} {kind} have {rate} Hz: nothing above {rate // 2} Hz is in them"
        for rate, count in low.items()
    ]
    return "; ".join(parts) + "."
