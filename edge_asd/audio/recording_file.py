"""A sound file as one channel of int16 at the wanted rate."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from edge_asd.audio.containers import FIRST_BYTES, bytes_needed, container_of
from edge_asd.audio.health import dead_stretches, is_silent, wrong_scale
from edge_asd.audio.riff import read_header
from edge_asd.audio.sample_formats import Sound, to_int16, wav_blocks
from edge_asd.audio.sound_header import SoundHeader
from edge_asd.audio.stream import Pcm, check_channel, check_rate, resample
from edge_asd.errors import AudioFormatError
from edge_asd.files import open_without_waiting

_CHANNELS_LOOKED_AT = 8  # for sound where the chosen one has none


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
    check_rate(sample_rate)
    name = str(Path(path))
    try:
        with ExitStack() as stack:
            file = stack.enter_context(_open(path, name) if contents is None else io.BytesIO(contents))
            with _named(name):
                header, blocks = stack.enter_context(open_sound(file))
            check_channel(name, channel, header.channels)
            count, saturated, largest = 0, 0, 0.0

            def rounded() -> Iterator[Pcm]:
                nonlocal count, saturated, largest
                for samples in blocks(channel):
                    pcm, cut = to_int16(samples)
                    count, saturated = count + pcm.size, saturated + cut
                    if cut and samples.dtype.kind == "f":
                        largest = max(largest, float(np.abs(samples).max()))
                    yield pcm

            with _named(name):
                pcm = _joined(resample(rounded(), header.sample_rate, sample_rate))
                if text := wrong_scale(saturated / max(1, count), largest):
                    raise AudioFormatError(text)
            sounding: tuple[int, ...] = ()
            if pcm.size and header.channels > 1 and (is_silent(pcm) or dead_stretches(pcm, sample_rate)):
                sounding = _sounding_channels(file, header, channel)
    except FileNotFoundError:
        raise AudioFormatError(f"{name} does not exist. Check the path.") from None
    except IsADirectoryError:
        raise AudioFormatError(f"{name} is a folder. Give one sound file.") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte.
        raise AudioFormatError(f"{name!r} cannot be read: {error}.") from error
    if not pcm.size:
        raise AudioFormatError(f"{name} is too short: no sample is left at {sample_rate} Hz. Record it again.")
    return Recording(
        pcm=pcm,
        sample_rate=sample_rate,
        channel=channel,
        file_rate=header.sample_rate,
        file_channels=header.channels,
        subtype=header.subtype,
        saturated=saturated,
        largest=largest,
        sounding_channels=sounding,
        notes=header.notes,
    )


@contextmanager
def open_sound(file: BinaryIO) -> Iterator[Sound]:
    """Open whatever kind of sound file it is, for its header and one pass over its samples.

    Parameters
    ----------
    file : binary file, seekable
        On disk or in memory.

    Raises
    ------
    AudioFormatError
        If it cannot be used, here or while the samples are read. The message starts with a verb: the caller puts
        the path before it.
    DependencyError
        If soundfile or libsndfile, which read what is not WAV, is missing.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    first = file.read(FIRST_BYTES)
    first += file.read(bytes_needed(first) - len(first))
    container = container_of(first)
    if not size:
        raise AudioFormatError("is empty (0 bytes). Record or copy it again.")
    if container is None:
        raise AudioFormatError("is not a WAV file, nor a FLAC, OGG, AIFF or W64 file. Convert it to 16-bit PCM WAV.")
    if container.reader == "riff":
        header = read_header(file, size)
        yield Sound(header, partial(wav_blocks, file, header))
    elif container.reader == "libsndfile":
        from edge_asd.audio.libsndfile import open_foreign  # Only here: most users have WAV files alone.

        with open_foreign(file, container) as sound:
            yield sound
    else:
        raise AudioFormatError(
            f"is {container.name} file, which is not read. Convert it to WAV or FLAC, for example: "
            "ffmpeg -i FILE FILE.wav"
        )


def _sounding_channels(file: BinaryIO, header: SoundHeader, channel: int) -> tuple[int, ...]:
    """Find other channels that hold sound in the file's first block."""
    found = []
    for other in range(min(header.channels, _CHANNELS_LOOKED_AT)):
        if other == channel:
            continue
        with open_sound(file) as (_, blocks):
            first = to_int16(next(iter(blocks(other))))[0]
        if not is_silent(first) and not dead_stretches(first, header.sample_rate):
            found.append(other)
    return tuple(found)


def file_header(path: str | os.PathLike[str]) -> SoundHeader:
    """Read a sound file's header: its own rate and channels.

    Raises
    ------
    AudioFormatError
        If it cannot be read. The message names the file.
    """
    name = str(Path(path))
    with _named(name), _open(path, name) as file, open_sound(file) as sound:
        return sound.header


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except AudioFormatError as error:
        raise AudioFormatError(f"{name} {error}") from error.__cause__


def _open(path: str | os.PathLike[str], name: str) -> BinaryIO:
    file = open(path, "rb", opener=open_without_waiting)  # noqa: SIM115
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise AudioFormatError(f"{name} is not a regular file. Give one sound file.")


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
