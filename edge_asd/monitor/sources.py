"""Where the monitor's samples come from: a file, raw bytes, a microphone."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from edge_asd.audio.health import clipped_share, clipping_text, dead_place, dead_text, is_silent, other_channels
from edge_asd.audio.stream import Break, Pcm
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import DataError

_BLOCK_SECONDS = 1.0  # of a file: large enough to be fast, small enough for a small computer


def from_file(path: Path, bundle: Bundle, channel: int, note: Callable[[str], None]) -> Iterator[Pcm]:
    """Read a file's channel, and say what the user should know of it.

    Raises
    ------
    AudioFormatError
        If it cannot be used.
    DataError
        If it is silent.
    """
    from edge_asd.audio.recording_file import read_recording
    from edge_asd.audio.stream import from_recording

    rate = bundle.features.sample_rate
    recording = read_recording(path, sample_rate=rate, channel=channel)
    for text in recording.notes:
        note(f"{path} {text}")
    if recording.file_channels > 1:
        note(f"{path} has {recording.file_channels} channels; listening to channel {channel}.")
    if recording.file_rate != rate:
        note(f"{path} has {recording.file_rate} Hz; resampled to {rate} Hz.")
    if narrow := narrow_text(recording.file_rate, bundle):
        note(narrow)
    others = recording.sounding_channels
    if is_silent(recording.pcm):
        raise DataError(f"{path} {dead_text(recording.pcm, rate, channel=channel, sounding=others)}")
    if dead := dead_place(recording.pcm, rate):
        note(f"{path} {dead}: no decisions there." + (f" In it, {other_channels(others)}" if others else ""))
    if clipped := clipping_text(clipped_share(recording.pcm, recording.beyond)):
        note(f"{path} {clipped} Scores of such sound mean little.")
    return from_recording(recording.pcm, int(_BLOCK_SECONDS * rate))


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


def from_standard_input(
    file: BinaryIO, bundle: Bundle, *, rate: int, channels: int, channel: int, note: Callable[[str], None]
) -> Iterator[Pcm]:
    """Read raw little-endian int16 at `rate` [Hz], as it comes, and say what the user should know of it.

    Raises
    ------
    AudioFormatError
        At once or while it is read; see `edge_asd.audio.stream.from_raw`.
    """
    from edge_asd.audio.stream import from_raw

    if narrow := narrow_text(rate, bundle):
        note(narrow)
    return from_raw(file, source_rate=rate, sample_rate=bundle.features.sample_rate, channels=channels, channel=channel)


def from_microphone(
    device: str | None,
    bundle: Bundle,
    section: str,
    channel: int,
    note: Callable[[str], None],
    gain_db: float = 0.0,
) -> Generator[Pcm | Break]:
    """Listen to a microphone for good: it may come later, be unplugged and come back.

    Parameters
    ----------
    device : str, optional
        What `edge_asd.audio.selectors.choose_device` takes.
    gain_db : float, -60 to 60 [dB]
        Digital gain.

    Raises
    ------
    AudioDeviceError
        If PortAudio is missing or what was asked for is ambiguous, before the first sound.
    """
    from edge_asd.audio.capture import Capture

    with Capture(device, sample_rate=bundle.features.sample_rate, channel=channel, gain_db=gain_db) as capture:
        told = False
        for item in capture.sound():
            if capture.description is not None and not told:
                told = True
                if capture.caution:
                    note(capture.caution)
                note(
                    f"Listening to {capture.description} for {bundle.machine}, section {section}. "
                    f"First decision after {bundle.score_seconds:.1f} s; Ctrl-C stops."
                )
            yield item
