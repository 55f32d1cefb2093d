"""Sound as a stream of blocks: from an array, at another rate, with breaks.

A source is an iterator of int16 arrays [shape=(n,), n >= 1] at the wanted rate. Files,
pipes and microphones go through the same resampler, so that they give the same samples.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge_asd.audio.sound_header import MAX_RATE, MIN_RATE
from edge_asd.errors import AudioFormatError, DependencyError

Pcm = NDArray[np.int16]

SETTLE_SECONDS = 1.0
"""Left out wherever a microphone was opened: many begin with a click, or with nothing."""

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


def clock_of(moment: float) -> float:
    """Turn a moment of `time.monotonic` into seconds since 1970, as a `Break` has them."""
    return time.time() - (time.monotonic() - moment)


def check_rate(rate: int) -> None:
    """Refuse a sample rate outside 1 to 384 kHz, with an `AudioFormatError`."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioFormatError(f"A sample rate of {rate} Hz cannot be used: give {MIN_RATE} to {MAX_RATE} Hz.")


def check_channel(what: str, channel: int, channels: int) -> None:
    """Refuse a channel that `what` lacks, with an `AudioFormatError`."""
    if not 0 <= channel < channels:
        have = "one channel, number 0" if channels == 1 else f"{channels} channels, 0 to {channels - 1}"
        raise AudioFormatError(f"{what} has {have}; there is no channel {channel}. Choose another with --channel.")
