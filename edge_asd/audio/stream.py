"""Sound as a stream of blocks: from an array, from raw bytes, at another rate.

A source is an iterator of int16 arrays [shape=(n,), n >= 1] at the wanted rate. Files,
pipes and microphones go through the same resampler, so that they give the same samples.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from edge_asd.audio.containers import FIRST_BYTES, bytes_needed, container_of
from edge_asd.audio.sound_header import MAX_CHANNELS, MAX_RATE, MIN_RATE
from edge_asd.errors import AudioFormatError, DependencyError

Pcm = NDArray[np.int16]

_READ_BYTES = 1 << 16
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a stream broke: what is before and after it does not belong together.

    Attributes
    ----------
    event : {"signal-lost", "signal-back", "samples-lost", "next-file"}
    samples : int >= 0
        That are missing here, at the stream's rate. A lost signal's are told when it is back.
    seconds : float >= 0 [s]
        Without sound: until it was noticed that the signal was lost, until it was back, or of the lost samples.
    clock : float [s]
        When the sound ended, for a lost signal, or went on; since 1970.
    text : str
        For people; may be empty. The next file's path, for that.
    """

    event: Literal["signal-lost", "signal-back", "samples-lost", "next-file"]
    samples: int
    seconds: float
    clock: float
    text: str


class Waiting:
    """Nothing has come from a live source for a moment, and it knows: told so that nobody thinks that it hangs."""

    __slots__ = ()


class Resampler:
    """Another sample rate for a stream of int16, by soxr ("HQ").

    soxr computes in float32 and the result is rounded here: soxr's own int16 output adds
    dither, which turns silence into noise.

    Parameters
    ----------
    source_rate, sample_rate : int, 1000 to 384000 [Hz]
        Rate that goes in and rate that comes out.

    Raises
    ------
    AudioFormatError
        If a rate is out of range.
    DependencyError
        If soxr is missing.
    """

    def __init__(self, source_rate: int, sample_rate: int) -> None:
        check_rate(source_rate)
        check_rate(sample_rate)
        self._stream = _import_soxr().ResampleStream(source_rate, sample_rate, 1, dtype="float32", quality="HQ")

    def process(self, pcm: Pcm) -> Pcm:
        """Take the next samples; return those that are ready, possibly none."""
        return self._run(pcm, last=False)

    def flush(self) -> Pcm:
        """End the stream and return its last samples. Call once, then nothing else."""
        return self._run(np.zeros(0, np.int16), last=True)

    def _run(self, pcm: Pcm, *, last: bool) -> Pcm:
        out = self._stream.resample_chunk(pcm.astype(np.float32), last=last)
        ready: Pcm = np.clip(np.rint(out), -32768, 32767).astype(np.int16)
        return ready


def _import_soxr() -> Any:
    # Only here, so that who needs no other rate does not load it.
    try:
        return importlib.import_module("soxr")
    except ImportError as error:
        raise DependencyError("The package soxr, which resamples, is missing. Install it: pip install soxr.") from error


def resample(blocks: Iterable[Pcm], source_rate: int, sample_rate: int) -> Iterator[Pcm]:
    """Bring a stream to another rate; where the rates are equal, pass it on untouched.

    Parameters
    ----------
    blocks : iterable of int16 [shape=(n,)]
    source_rate, sample_rate : int, 1000 to 384000 [Hz]

    Yields
    ------
    int16 [shape=(m,), m >= 1]
    """
    if source_rate == sample_rate:
        yield from blocks
        return
    resampler = Resampler(source_rate, sample_rate)
    for block in blocks:
        # Pieces bound the float copies, however long a block is.
        for start in range(0, block.size, _PIECE):
            out = resampler.process(block[start : start + _PIECE])
            if out.size:
                yield out
    out = resampler.flush()
    if out.size:
        yield out


def from_recording(pcm: Pcm, block: int) -> Iterator[Pcm]:
    """Cut an array into blocks of `block` samples; the last may be shorter.

    Parameters
    ----------
    pcm : int16 [shape=(n,)]
    block : int > 0 [samples]
    """
    if block < 1:
        raise ValueError(f"block must be at least 1 sample, not {block}")
    if pcm.dtype != np.int16 or pcm.ndim != 1:
        raise ValueError(f"pcm must be int16 with one axis, not {pcm.dtype} with {pcm.ndim}")
    return (pcm[start : start + block] for start in range(0, pcm.size, block))


def from_raw(
    file: BinaryIO, *, source_rate: int, sample_rate: int = 16000, channels: int = 1, channel: int = 0
) -> Iterator[Pcm]:
    """Read raw little-endian int16, such as standard input; each block is what has come so far.

    Parameters
    ----------
    file : binary file
        `sys.stdin.buffer`, a pipe, an open file.
    source_rate : int, 1000 to 384000 [Hz]
        Rate of the bytes.
    sample_rate : int, 1000 to 384000 [Hz]
        Rate of the blocks.
    channels : int, 1 to 256
        Interleaved channels in the bytes.
    channel : int, 0 to `channels` - 1
        The one to use.

    Yields
    ------
    int16 [shape=(n,), n >= 1]

    Raises
    ------
    AudioFormatError
        At once: a number out of range. While reading: the first bytes of a sound file, no sound at all, or, after
        all whole frames were given, an end in the middle of a frame.
    """
    check_rate(source_rate)
    check_rate(sample_rate)
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioFormatError(f"Raw sound cannot have {channels} channels: give a number from 1 to {MAX_CHANNELS}.")
    check_channel("The raw sound", channel, channels)
    return _read_raw(file, source_rate, sample_rate, channels, channel)


def _read_raw(file: BinaryIO, source_rate: int, sample_rate: int, channels: int, channel: int) -> Iterator[Pcm]:
    rest = b""

    def blocks() -> Iterator[Pcm]:
        nonlocal rest
        frame_bytes = 2 * channels
        needed = FIRST_BYTES  # A file's first bytes must be seen whole before they count as sound.
        for data in _chunks(file):
            rest += data
            if needed:
                needed = bytes_needed(rest)
                if len(rest) < needed:
                    continue
                _refuse_file(rest)
                needed = 0
            whole = len(rest) - len(rest) % frame_bytes
            if whole:
                yield _pick(rest[:whole], channels, channel)
                rest = rest[whole:]
        if needed:
            _refuse_file(rest)
        whole = len(rest) - len(rest) % frame_bytes
        if whole:  # A stream that ended before a file's first bytes could be told.
            yield _pick(rest[:whole], channels, channel)
            rest = rest[whole:]

    any_sound = False
    for block in resample(blocks(), source_rate, sample_rate):
        any_sound = True
        yield block
    if rest:
        raise AudioFormatError(
            f"The raw sound ended in the middle of a frame: {len(rest)} byte(s) left over of {2 * channels}. "
            f"It was cut off, or it is not {channels}-channel 16-bit little-endian PCM."
        )
    if not any_sound:
        raise AudioFormatError("No sound came in: the raw stream ended at once. Check the program that feeds it.")


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """Give what is there as soon as it is there, until the end of the file."""
    # io.UnsupportedOperation is an OSError: no descriptor, nothing to set.
    with contextlib.suppress(OSError, AttributeError):
        # A program that shares the pipe may have left it non-blocking; "nothing yet" would look like the end.
        os.set_blocking(file.fileno(), True)
    # read() of a buffered file waits for the full count; read1() does not.
    read = getattr(file, "read1", file.read)
    while data := read(_READ_BYTES):
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


def _pick(data: bytes, channels: int, channel: int) -> Pcm:
    return np.frombuffer(data, "<i2").reshape(-1, channels)[:, channel].astype(np.int16)


def check_rate(rate: int) -> None:
    """Refuse a sample rate outside 1 to 384 kHz, with an `AudioFormatError`."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioFormatError(f"A sample rate of {rate} Hz cannot be used: give {MIN_RATE} to {MAX_RATE} Hz.")


def check_channel(what: str, channel: int, channels: int) -> None:
    """Refuse a channel that `what` lacks, with an `AudioFormatError`."""
    if not 0 <= channel < channels:
        have = "one channel, number 0" if channels == 1 else f"{channels} channels, 0 to {channels - 1}"
        raise AudioFormatError(f"{what} has {have}; there is no channel {channel}. Choose another with --channel.")
