"""Raw bytes as sound: samples without a header, as programs send them through pipes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from edge_asd.audio.containers import FIRST_BYTES, bytes_needed, container_of
from edge_asd.audio.sound_header import MAX_CHANNELS
from edge_asd.audio.stream import Pcm, Resampler, check_channel, check_rate
from edge_asd.errors import AudioFormatError

READ_BYTES = 1 << 16
"""As many are read at once."""


class RawDecoder:
    """Little-endian int16 as one channel at the wanted rate, in whatever pieces the bytes come.

    Parameters
    ----------
    source_rate : int, 1000 to 384000 [Hz]
        Rate of the bytes.
    sample_rate : int, 1000 to 384000 [Hz]
        Rate that is given.
    channels : int, 1 to 256
        Interleaved channels in the bytes.
    channel : int, 0 to `channels` - 1
        The one to use.

    Attributes
    ----------
    samples : int >= 0
        Given so far.

    Raises
    ------
    AudioFormatError
        If a number is out of range.
    """

    def __init__(self, *, source_rate: int, sample_rate: int = 16000, channels: int = 1, channel: int = 0) -> None:
        check_rate(source_rate)
        check_rate(sample_rate)
        if not 1 <= channels <= MAX_CHANNELS:
            raise AudioFormatError(
                f"Raw sound cannot have {channels} channels: give a number from 1 to {MAX_CHANNELS}."
            )
        check_channel("The raw sound", channel, channels)
        self.samples = 0
        self._channels, self._channel = channels, channel
        self._resampler = None if source_rate == sample_rate else Resampler(source_rate, sample_rate)
        self._needed = FIRST_BYTES  # A file's first bytes must be seen whole before they count as sound.
        self._rest = b""

    def push(self, data: bytes) -> Pcm:
        """Take the next bytes, about `READ_BYTES` at most; return the samples that are ready, possibly none.

        Raises
        ------
        AudioFormatError
            If these are the first bytes of a sound file.
        """
        self._rest += data
        if self._needed:
            self._needed = bytes_needed(self._rest)
            if len(self._rest) < self._needed:
                return np.zeros(0, np.int16)
            _refuse_file(self._rest)
            self._needed = 0
        return self._given(self._whole_frames())

    def finish(self) -> Pcm:
        """End the stream and return its last samples. Call once, then `check` at most.

        Raises
        ------
        AudioFormatError
            If what came was the start of a sound file.
        """
        if self._needed:
            _refuse_file(self._rest)
        last = self._given(self._whole_frames())
        if self._resampler is None:
            return last
        return np.concatenate([last, self._counted(self._resampler.flush())])

    def check(self) -> None:
        """Refuse a stream that ended in the middle of a frame or without any sound, with an `AudioFormatError`."""
        if self._rest:
            raise AudioFormatError(
                f"The raw sound ended in the middle of a frame: {len(self._rest)} byte(s) left over of "
                f"{2 * self._channels}. It was cut off, or it is not {self._channels}-channel 16-bit little-endian PCM."
            )
        if not self.samples:
            raise AudioFormatError("No sound came in: the raw stream ended at once. Check the program that feeds it.")

    def _whole_frames(self) -> Pcm:
        whole = len(self._rest) - len(self._rest) % (2 * self._channels)
        frames = np.frombuffer(self._rest[:whole], "<i2").reshape(-1, self._channels)
        self._rest = self._rest[whole:]
        return frames[:, self._channel].astype(np.int16)

    def _given(self, pcm: Pcm) -> Pcm:
        return self._counted(pcm if self._resampler is None or not pcm.size else self._resampler.process(pcm))

    def _counted(self, pcm: Pcm) -> Pcm:
        self.samples += pcm.size
        return pcm


def from_raw(
    file: BinaryIO, *, source_rate: int, sample_rate: int = 16000, channels: int = 1, channel: int = 0
) -> Iterator[Pcm]:
    """Read raw little-endian int16, such as standard input; each block is what has come so far.

    Parameters
    ----------
    file : binary file
        `sys.stdin.buffer`, a pipe, an open file.
    source_rate, sample_rate, channels, channel
        See `RawDecoder`.

    Yields
    ------
    int16 [shape=(n,), n >= 1]

    Raises
    ------
    AudioFormatError
        At once: a number out of range. While reading: the first bytes of a sound file, no sound at all, or, after
        all whole frames were given, an end in the middle of a frame.
    """
    decoder = RawDecoder(source_rate=source_rate, sample_rate=sample_rate, channels=channels, channel=channel)
    return _decoded(file, decoder)


def _decoded(file: BinaryIO, decoder: RawDecoder) -> Iterator[Pcm]:
    for data in _chunks(file):
        if (pcm := decoder.push(data)).size:
            yield pcm
    if (pcm := decoder.finish()).size:
        yield pcm
    decoder.check()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """Give what is there as soon as it is there, until the end of the file."""
    # io.UnsupportedOperation is an OSError: no descriptor, nothing to set.
    with contextlib.suppress(OSError, AttributeError):
        # A program that shares the pipe may have left it non-blocking; "nothing yet" would look like the end.
        os.set_blocking(file.fileno(), True)
    # read() of a buffered file waits for the full count; read1() does not.
    read = getattr(file, "read1", file.read)
    while data := read(READ_BYTES):
        yield data


def _refuse_file(first: bytes) -> None:
    container = container_of(first)
    if container is None:
        return
    keep = "" if container.reader is None else ", or save it as a file and read that"
    raise AudioFormatError(
        f"The raw stream starts with {container.name} header. Send samples only (for example: arecord -t raw -f S16_LE "
        f"-r 16000, sox FILE -t raw -e signed -b 16 -r 16000 -, or ffmpeg -i FILE -f s16le -ar 16000 -){keep}."
    )
