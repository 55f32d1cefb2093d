"""A WAV file as one channel of int16 at the wanted rate."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edge_asd.audio.riff import PLAIN_START, WavHeader, read_header
from edge_asd.audio.stream import Pcm, check_channel, check_rate, resample
from edge_asd.errors import AudioFormatError, DependencyError
from edge_asd.files import open_without_waiting

_BLOCK_SAMPLES = 1 << 18  # Over all channels: bounds the memory of a wide file.


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
    subtype : {"PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"}
        The file's sample format.
    saturated : int >= 0
        Samples of the file that lay outside int16's range and were cut to it.
    """

    pcm: Pcm
    sample_rate: int
    channel: int
    file_rate: int
    file_channels: int
    subtype: str
    saturated: int

    @property
    def silent(self) -> bool:
        """True where every sample is zero: a muted or broken input."""
        return not self.pcm.any()

    @property
    def seconds(self) -> float:
        """Length of `pcm` [s]."""
        return self.pcm.size / self.sample_rate


def read_wav(
    path: str | os.PathLike[str], *, sample_rate: int = 16000, channel: int = 0, contents: bytes | None = None
) -> Recording:
    """Read one channel of a WAV file.

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
        If the file is missing, not a regular file, not a WAV file of a format named in
        `Recording.subtype`, truncated, without samples, longer than two hours, without that
        channel, or holds samples that are not finite. The message names the file.
    DependencyError
        If soundfile or libsndfile is missing.
    """
    check_rate(sample_rate)
    name = str(Path(path))
    try:
        with _open(path, name) if contents is None else io.BytesIO(contents) as file:
            try:
                header = read_header(file, file.seek(0, os.SEEK_END))
            except AudioFormatError as error:
                raise AudioFormatError(f"{name} {error}") from None
            check_channel(name, channel, header.channels)
            pcm, saturated = _decode(file, name, header, sample_rate, channel)
    except FileNotFoundError:
        raise AudioFormatError(f"{name} does not exist. Check the path.") from None
    except IsADirectoryError:
        raise AudioFormatError(f"{name} is a folder. Give one WAV file.") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte.
        raise AudioFormatError(f"{name!r} cannot be read: {error}.") from error
    return Recording(
        pcm=pcm,
        sample_rate=sample_rate,
        channel=channel,
        file_rate=header.sample_rate,
        file_channels=header.channels,
        subtype=header.subtype,
        saturated=saturated,
    )


def _open(path: str | os.PathLike[str], name: str) -> BinaryIO:
    file = open(path, "rb", opener=open_without_waiting)  # noqa: SIM115
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise AudioFormatError(f"{name} is not a regular file. Give one WAV file.")


def _decode(file: BinaryIO, name: str, header: WavHeader, sample_rate: int, channel: int) -> tuple[Pcm, int]:
    """Read what the header promises, block by block."""
    reader = _Int16Reader(name, header, channel)
    with _sound(file, name, header) as sound:
        blocks = list(resample(reader.blocks(sound), header.sample_rate, sample_rate))
    if not blocks:
        raise AudioFormatError(f"{name} is too short: no sample is left at {sample_rate} Hz. Record it again.")
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks), reader.saturated


@contextmanager
def _sound(file: BinaryIO, name: str, header: WavHeader) -> Iterator[Any]:
    """Open the samples of a file."""
    if header.plain:
        # libsndfile's calls, some twenty of a few microseconds, keep threads waiting for Python's lock:
        # two were slower with it than one.
        file.seek(PLAIN_START)
        yield _PlainSound(file, header)
        return
    soundfile = _import_soundfile()
    try:
        file.seek(0)
        with soundfile.SoundFile(file) as sound:
            seen = WavHeader(sound.samplerate, sound.channels, sound.subtype, sound.frames)
            if seen != header:
                raise AudioFormatError(f"{name} has a header that can be read in two ways. Save it again.")
            yield sound
    except soundfile.LibsndfileError as error:
        raise AudioFormatError(f"{name} cannot be read as a WAV file: {error.error_string}") from error


def _import_soundfile() -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise DependencyError("The package soundfile is missing. Install it: pip install soundfile.") from error
    except OSError as error:
        raise DependencyError(
            "The library libsndfile, which reads sound files, is missing. Install it: sudo apt install libsndfile1."
        ) from error
    return soundfile


class _PlainSound:
    """The 16-bit samples from a file's position on, read as `soundfile.SoundFile` reads them."""

    def __init__(self, file: BinaryIO, header: WavHeader) -> None:
        self._file, self._channels = file, header.channels

    def read(self, frames: int, **_: object) -> Pcm:
        data = np.empty((frames, self._channels), "<i2")
        whole = self._file.readinto(data) // (2 * self._channels)  # type: ignore[attr-defined]
        return data[:whole].astype(np.int16, copy=False)


class _Int16Reader:
    """Read one channel as int16 and count what saturates."""

    def __init__(self, name: str, header: WavHeader, channel: int) -> None:
        self._name = name
        self._header = header
        self._channel = channel
        self.saturated = 0

    def blocks(self, sound: Any) -> Iterator[Pcm]:
        header = self._header
        dtype = {"PCM_16": "int16", "PCM_24": "int32", "PCM_32": "int32"}.get(header.subtype, "float64")
        step = max(1, _BLOCK_SAMPLES // header.channels)
        done = 0
        while done < header.frames:
            data = sound.read(min(step, header.frames - done), dtype=dtype, always_2d=True)
            if not len(data):
                raise AudioFormatError(f"{self._name} ended at sample {done} of {header.frames}. Copy it again.")
            done += len(data)
            yield self._to_int16(data[:, self._channel])

    def _to_int16(self, samples: NDArray[Any]) -> Pcm:
        if samples.dtype == np.int16:
            return np.ascontiguousarray(samples)
        if samples.dtype == np.int32:
            wide = (samples.astype(np.int64) + (1 << 15)) >> 16
        else:
            if not np.isfinite(samples).all():
                raise AudioFormatError(
                    f"{self._name} holds samples that are not numbers (NaN or infinite). Save it again."
                )
            # Clipped once before rounding so that a huge float cannot overflow the integer.
            wide = np.rint(np.clip(samples * 32768.0, -40000.0, 40000.0)).astype(np.int64)
        clipped = np.clip(wide, -32768, 32767)
        self.saturated += int(np.count_nonzero(clipped != wide))
        pcm: Pcm = clipped.astype(np.int16)
        return pcm
