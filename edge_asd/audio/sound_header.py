"""What a sound file says of itself, and the bounds within which it is believed."""

from __future__ import annotations

from dataclasses import dataclass

from edge_asd.errors import AudioFormatError

MIN_RATE = 1_000
MAX_RATE = 384_000
MAX_SECONDS = 2 * 3600
"""Of a file, where who reads it does not say that it may be longer."""
LONGEST_HOURS = 100
"""Of a file that is read block by block: a mistaken header goes beyond, a long week-end does not."""
MAX_CHANNELS = 256


@dataclass(frozen=True, slots=True)
class SoundHeader:
    """The format of a sound file.

    Attributes
    ----------
    sample_rate : int, 1000 to 384000 [Hz]
    channels : int, 1 to 256
    subtype : str
        libsndfile's name of the sample format: "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"; in OGG files
        "VORBIS" or "OPUS" too.
    frames : int > 0, or None
        Samples a channel; None where the file does not say how many there are.
    start : int >= 0 [bytes]
        Where the sound starts in a WAV file.
    notes : tuple of str
        What the user should know of the file; each starts with a verb, so that its path can be put before it.
    """

    sample_rate: int
    channels: int
    subtype: str
    frames: int | None
    start: int = 0
    notes: tuple[str, ...] = ()


def check_file_rate(rate: int) -> None:
    """Refuse a file's sample rate outside 1 to 384 kHz. This message and those below start with a verb."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioFormatError(
            f"has a sample rate of {rate} Hz, outside {MIN_RATE} to {MAX_RATE}. Its header is probably damaged."
        )


def refuse_8_bits() -> AudioFormatError:
    """Say why 8-bit samples are not read."""
    return AudioFormatError(
        "has 8-bit samples. Their noise hides what a detector listens for: record with at least 16 bits."
    )


def check_length(frames: int, rate: int, longest: int = MAX_SECONDS) -> None:
    """Refuse a file without sound, or of more than `longest` seconds."""
    if frames < 1:
        raise AudioFormatError("holds no sound: zero samples. Record it again.")
    if frames > longest * rate:
        raise AudioFormatError(
            f"lasts {frames / rate / 3600:.1f} hours; at most {longest // 3600} hours are read. "
            "Cut it into shorter files."
        )
