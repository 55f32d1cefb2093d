"""Samples of any width as int16: one rule for all files, whoever decoded them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_asd.audio.sound_header import SoundHeader
from edge_asd.errors import AudioFormatError

BLOCK_SAMPLES = 1 << 18
"""Samples of a block over all channels: bounds the memory of a wide file."""

_STORED = {"PCM_16": "<i2", "PCM_24": "V3", "PCM_32": "<i4", "FLOAT": "<f4", "DOUBLE": "<f8"}


class Sound(NamedTuple):
    """An open sound file.

    Attributes
    ----------
    header : SoundHeader
    blocks : function of a channel's number
        Gives that channel, block by block: int16, int32 or floating [shape=(n,)], as `to_int16` takes them.
    repeatable : bool
        `blocks` starts afresh whenever it is called; otherwise it can be called once.
    """

    header: SoundHeader
    blocks: Callable[[int], Iterator[NDArray[Any]]]
    repeatable: bool = False


def frame_bytes(header: SoundHeader) -> int:
    """Bytes of a frame of a WAV file."""
    return header.channels * np.dtype(_STORED[header.subtype]).itemsize


def block_frames(channels: int) -> int:
    """Frames of a block."""
    return max(1, BLOCK_SAMPLES // channels)


def wav_blocks(file: BinaryIO, header: SoundHeader, channel: int) -> Iterator[NDArray[Any]]:
    """Read one channel of a WAV file, block by block.

    Yields
    ------
    int16, int32 or floating [shape=(n,)]
        24-bit samples are the upper bytes of int32.

    Raises
    ------
    AudioFormatError
        If the file has become shorter. The message starts with a verb.
    """
    # A few calls for a clip of ten seconds: more keep threads waiting for Python's lock.
    frames = header.frames or 0
    step, done = block_frames(header.channels), 0
    file.seek(header.start)
    while done < frames:
        data = np.empty((min(step, frames - done), header.channels), _STORED[header.subtype])
        read = file.readinto(data.view(np.uint8))  # type: ignore[attr-defined]
        if read < data.nbytes:
            done += read * len(data) // data.nbytes
            raise AudioFormatError(f"ended at sample {done} of {frames} while it was read. Copy it again.")
        done += len(data)
        samples = data[:, channel]
        yield _from_24_bits(samples) if header.subtype == "PCM_24" else samples


def _from_24_bits(samples: NDArray[Any]) -> NDArray[np.int32]:
    wide = np.zeros((samples.size, 4), np.uint8)
    wide[:, 1:] = np.ascontiguousarray(samples).view(np.uint8).reshape(-1, 3)
    return wide.view("<i4")[:, 0]


def to_int16(samples: NDArray[Any]) -> tuple[NDArray[np.int16], int]:
    """Round samples to int16, and count those that were cut to its range.

    Parameters
    ----------
    samples : int16, int32 or floating [shape=(n,)]
        Integers of 32 bits use them all; floats have full scale 1.0.

    Raises
    ------
    AudioFormatError
        If one is not finite. The message starts with a verb.
    """
    if samples.dtype.itemsize == 2:
        return np.ascontiguousarray(samples, np.int16), 0
    if samples.dtype.kind == "i":
        wide = (samples.astype(np.int64) + (1 << 15)) >> 16
    else:
        with np.errstate(invalid="ignore"):  # A signalling NaN would warn; it is refused below.
            samples = samples.astype(np.float64)
        if not np.isfinite(samples).all():
            raise AudioFormatError("holds samples that are not numbers (NaN or infinite). Save it again.")
        # Clipped once before rounding so that a huge float cannot overflow the integer.
        with np.errstate(over="ignore"):
            wide = np.rint(np.clip(samples * 32768.0, -40000.0, 40000.0)).astype(np.int64)
    clipped = np.clip(wide, -32768, 32767)
    return clipped.astype(np.int16), int(np.count_nonzero(clipped != wide))
