"""A sound file as one channel of int16 at the wanted rate."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edge_asd.audio.health import dead_stretches, is_silent
from edge_asd.audio.recording_stream import RecordingStream
from edge_asd.audio.stream import Pcm


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One channel of a sound file.

    Attributes
    ----------
    pcm : int16 [shape=(n,), n >= 1]
        The sound at `sample_rate`.
    sample_rate : int [Hz]
        Rate of `pcm`.
    channel : int
        The file's channel that it came from.
    file_rate : int [Hz]
        The file's own rate; where it differs, `pcm` was resampled.
    file_channels : int
        Channels in the file.
    subtype : str
        The file's sample format, as `SoundHeader` names it.
    saturated : int >= 0
        Samples of the file that lay outside int16's range and were cut to it.
    largest : float >= 0
        Largest magnitude of a float file's samples, full scale being 1; 0 for other files.
    sounding_channels : tuple of int
        Other channels that hold sound, looked for only where this one is silent or dead somewhere.
    notes : tuple of str
        What the user should know of the file, such as a wrong length in its header; each starts with a verb, so that
        the path can be put before it.
    """

    pcm: Pcm
    sample_rate: int
    channel: int
    file_rate: int
    file_channels: int
    subtype: str
    saturated: int
    largest: float = 0.0
    sounding_channels: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def beyond(self) -> float:
        """Share of the file's samples that were cut to int16's range."""
        return self.saturated * self.sample_rate / (self.pcm.size * self.file_rate)

    @property
    def seconds(self) -> float:
        """Length of `pcm` [s]."""
        return self.pcm.size / self.sample_rate


def read_recording(
    path: str | os.PathLike[str], *, sample_rate: int = 16000, channel: int = 0, contents: bytes | None = None
) -> Recording:
    """Read one channel of a WAV (RIFF, RF64, BW64), FLAC, OGG, AIFF or W64 file, whatever its name.

    16-bit files at `sample_rate` come back bit for bit. Wider samples are rounded to int16
    (half up for integers, half to even for floats, full scale 1.0) and saturate; another rate
    is resampled after that.

    Parameters
    ----------
    path : path-like
    sample_rate : int, 1000 to 384000 [Hz]
        Rate to return.
    channel : int >= 0
        Channel to use.
    contents : bytes, optional
        What the file holds, where it was read already.

    Returns
    -------
    Recording

    Raises
    ------
    AudioFormatError
        If the file is missing, not a regular file, not of a kind and sample format that is read,
        truncated, without samples, longer than two hours, without that channel, or holds samples
        that are not finite or of another scale (`edge_asd.audio.health.wrong_scale`). The message names
        the file.
    DependencyError
        If soundfile or libsndfile, which read what is not WAV, is missing.
    """
    with RecordingStream(path, sample_rate=sample_rate, channel=channel, contents=contents) as stream:
        pcm = _joined(stream.blocks())
        header = stream.header
        sounding: tuple[int, ...] = ()
        if header.channels > 1 and (is_silent(pcm) or dead_stretches(pcm, sample_rate)):
            sounding = stream.sounding_channels()
        return Recording(
            pcm=pcm,
            sample_rate=sample_rate,
            channel=channel,
            file_rate=header.sample_rate,
            file_channels=header.channels,
            subtype=header.subtype,
            saturated=stream.saturated,
            largest=stream.largest,
            sounding_channels=sounding,
            notes=header.notes,
        )


def _joined(blocks: Iterable[Pcm]) -> Pcm:
    """Join blocks, with little more memory than they need together."""
    parts = iter(blocks)
    first, second = next(parts, None), next(parts, None)
    if first is None:
        return np.zeros(0, np.int16)
    if second is None:
        return first
    joined = bytearray(first.data)
    joined += second.data
    for part in parts:
        joined += part.data
    return np.frombuffer(joined, np.int16)
