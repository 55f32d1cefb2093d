"""Sample rates and channels of clips' files, from their headers, and what the user should know of them.

What lies above half of a clip's own rate is not in it, whatever it is resampled to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from edge_asd.audio.recording_stream import file_header
from edge_asd.audio.sound_header import SoundHeader
from edge_asd.train.data.dataset import Clip


def headers_of(clips: Iterable[Clip]) -> list[SoundHeader]:
    """Read the headers of clips' files, and nothing else of them.

    Raises
    ------
    AudioFormatError
        If a file cannot be read.
    """
    return [file_header(clip.path) for clip in clips]


def rates_of(headers: Iterable[SoundHeader]) -> dict[int, int]:
    """Count clips by the sample rate of their files [Hz]."""
    return dict(sorted(Counter(header.sample_rate for header in headers).items()))


def header_notes(headers: Sequence[SoundHeader], sample_rate: int, channel: int, kind: str) -> list[str]:
    """Say which clips hold less than the front end listens to, and which hold more channels than the one used.

    Parameters
    ----------
    headers : sequence of SoundHeader
    sample_rate : int [Hz]
        The front end's.
    channel : int
        The one that is used.
    kind : str
        What the clips are: "training clips".
    """
    notes = [note for note in [rates_note(rates_of(headers), sample_rate, kind)] if note]
    channels = Counter(header.channels for header in headers)
    notes += [
        f"{count} of {len(headers)} {kind} have {several} channels; channel {channel} is used."
        for several, count in sorted(channels.items())
        if several > 1
    ]
    return notes


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
