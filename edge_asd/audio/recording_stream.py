"""A sound file of any length, block by block: the one way in which files are decoded."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from edge_asd.audio.containers import FIRST_BYTES, bytes_needed, container_of
from edge_asd.audio.health import dead_stretches, is_silent, wrong_scale
from edge_asd.audio.riff import read_header
from edge_asd.audio.sample_formats import Sound, to_int16, wav_blocks
from edge_asd.audio.sound_header import MAX_SECONDS, SoundHeader
from edge_asd.audio.stream import Pcm, check_channel, check_rate, resample
from edge_asd.errors import AudioFormatError
from edge_asd.files import open_without_waiting

_CHANNELS_LOOKED_AT = 8  # for sound where the chosen one has none


class RecordingStream:
    """One channel of a sound file, inside a ``with`` statement, in as many passes as are asked for.

    Memory is bounded by a block, however long the file is.

    Parameters
    ----------
    path : path-like
    sample_rate : int, 1000 to 384000 [Hz]
        Rate of the blocks.
    channel : int >= 0
        Channel to use.
    contents : bytes, optional
        What the file holds, where it was read already.
    longest : int [s]
        Sound that lasts longer is refused.

    Attributes
    ----------
    name : str
        The path, as messages have it.
    header : SoundHeader
        Once it is open.
    samples : int >= 0
        Of `blocks`, at `sample_rate`, that the pass has given so far.
    saturated : int >= 0
        Samples of the file that lay outside int16's range in this pass, and were cut to it.
    largest : float >= 0
        Largest magnitude of a float file's samples where some were cut, full scale being 1.

    Raises
    ------
    AudioFormatError
        When it is opened, or while it is read: see `edge_asd.audio.recording_file.read_recording`.
    DependencyError
        If soundfile or libsndfile, which read what is not WAV, is missing.
    """

    header: SoundHeader

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sample_rate: int = 16000,
        channel: int = 0,
        contents: bytes | None = None,
        longest: int = MAX_SECONDS,
    ) -> None:
        check_rate(sample_rate)
        self.name = str(Path(path))
        self.samples, self.saturated, self.largest = 0, 0, 0.0
        self._path, self._contents = path, contents
        self._sample_rate, self._channel, self._longest = sample_rate, channel, longest
        self._kept, self._opened = ExitStack(), ExitStack()
        self._sound: Sound | None = None

    def __enter__(self) -> RecordingStream:
        """Open the file and read its header."""
        with self._kept as stack, _readable(self.name):
            if self._contents is None:
                self._file: BinaryIO = stack.enter_context(_open(self._path, self.name))
            else:
                self._file = io.BytesIO(self._contents)
            stack.enter_context(self._opened)
            with _named(self.name):
                self._sound = self._opened.enter_context(open_sound(self._file, self._longest))
            self.header = self._sound.header
            check_channel(self.name, self._channel, self.header.channels)
            self._kept = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._kept.__exit__(kind, error, trace)

    @property
    def beyond(self) -> float:
        """Share of the file's samples that were cut to int16's range in the last pass."""
        return self.saturated * self._sample_rate / (self.samples * self.header.sample_rate)

    def blocks(self) -> Iterator[Pcm]:
        """Give the sound from its start. A pass ends the one before.

        Yields
        ------
        int16 [shape=(n,), n >= 1]
            The same blocks in each pass.

        Raises
        ------
        AudioFormatError
            At the end, too: if the samples were of another scale (`edge_asd.audio.health.wrong_scale`), or none is
            left at the wanted rate.
        """
        count = 0

        def rounded(sound: Sound) -> Iterator[Pcm]:
            nonlocal count
            for samples in sound.blocks(self._channel):
                pcm, cut = to_int16(samples)
                count, self.saturated = count + pcm.size, self.saturated + cut
                if cut and samples.dtype.kind == "f":
                    self.largest = max(self.largest, float(np.abs(samples).max()))
                yield pcm

        with _readable(self.name):
            self.samples, self.saturated, self.largest = 0, 0, 0.0
            with _named(self.name):
                for pcm in resample(rounded(self._take()), self.header.sample_rate, self._sample_rate):
                    if pcm.size:
                        self.samples += pcm.size
                        yield pcm
                if text := wrong_scale(self.saturated / max(1, count), self.largest):
                    raise AudioFormatError(text)
            if not self.samples:
                raise AudioFormatError(
                    f"{self.name} is too short: no sample is left at {self._sample_rate} Hz. Record it again."
                )

    def _take(self) -> Sound:
        """Give the open sound for a pass, or open it again."""
        sound = self._sound
        if sound is None:
            self._opened.close()
            sound = self._opened.enter_context(open_sound(self._file, self._longest))
            if sound.header != self.header:
                raise AudioFormatError("was changed while it was read. Try again when it is complete.")
        # A WAV file that grows meanwhile, as its recorder goes on, stays what it was.
        self._sound = sound if sound.repeatable else None
        return sound

    def sounding_channels(self) -> tuple[int, ...]:
        """Find other channels that hold sound in the file's first block. Call it between passes."""
        found = []
        self._sound = None
        self._opened.close()
        with _readable(self.name), _named(self.name):
            for other in range(min(self.header.channels, _CHANNELS_LOOKED_AT)):
                if other == self._channel:
                    continue
                with open_sound(self._file, self._longest) as sound:
                    first = to_int16(next(iter(sound.blocks(other))))[0]
                if not is_silent(first) and not dead_stretches(first, self.header.sample_rate):
                    found.append(other)
        return tuple(found)


@contextmanager
def open_sound(file: BinaryIO, longest: int = MAX_SECONDS) -> Iterator[Sound]:
    """Open whatever kind of sound file it is, for its header and one pass over its samples.

    Parameters
    ----------
    file : binary file, seekable
        On disk or in memory.
    longest : int [s]
        Sound that lasts longer is refused.

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
        header = read_header(file, size, longest)
        yield Sound(header, partial(wav_blocks, file, header), repeatable=True)
    elif container.reader == "libsndfile":
        from edge_asd.audio.libsndfile import open_foreign  # Only here: most users have WAV files alone.

        with open_foreign(file, container, longest) as sound:
            yield sound
    else:
        raise AudioFormatError(
            f"is {container.name} file, which is not read. Convert it to WAV or FLAC, for example: "
            "ffmpeg -i FILE FILE.wav"
        )


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
def _readable(name: str) -> Iterator[None]:
    """Tell what the system says of a file that cannot be opened or read."""
    try:
        yield
    except FileNotFoundError:
        raise AudioFormatError(f"{name} does not exist. Check the path.") from None
    except IsADirectoryError:
        raise AudioFormatError(f"{name} is a folder. Give one sound file.") from None
    except OSError as error:
        raise AudioFormatError(f"{name!r} cannot be read: {error}.") from error


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except AudioFormatError as error:
        raise AudioFormatError(f"{name} {error}") from error.__cause__


def _open(path: str | os.PathLike[str], name: str) -> BinaryIO:
    try:
        file = open(path, "rb", opener=open_without_waiting)  # noqa: SIM115
    except ValueError as error:  # a null byte
        raise AudioFormatError(f"{name!r} cannot be read: {error}.") from error
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise AudioFormatError(f"{name} is not a regular file. Give one sound file.")
