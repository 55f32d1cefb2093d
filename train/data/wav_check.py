"""One sound file of a data set, looked at cheaply: its header, whether it is dead, and what tells its sound apart."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edge_asd.audio.health import dead_text, has_line, is_silent, wrong_scale
from edge_asd.audio.recording_stream import open_sound
from edge_asd.audio.sample_formats import Sound, frame_bytes, to_int16, wav_blocks
from edge_asd.audio.sound_header import SoundHeader
from edge_asd.errors import AudioFormatError
from edge_asd.files import open_without_waiting

_BLOCK = 4096
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class WavCheck:
    """What a file holds.

    Attributes
    ----------
    header : SoundHeader or None
        None where the file cannot be used.
    trouble : str
        Why not; it starts with a verb. "" where the header is there.
    dead : str
        Where the file is silent or dead; it starts with a verb. "" where at least one of three short pieces of it
        sounds, for only the others are read through.
    wrong_scale : str
        That its float samples are not of full scale 1, as far as these pieces tell; it starts with a verb.
    fingerprint : bytes
        Hash of the length of the sound and of blocks of it: equal sounds have equal ones, and
        different sounds of real recordings hardly ever. `sound_hash` decides.
    """

    header: SoundHeader | None
    trouble: str = ""
    dead: str = ""
    wrong_scale: str = ""
    fingerprint: bytes = b""


def check_wav(path: Path, channel: int = 0) -> WavCheck:
    """Read a file's header, and a block each at the beginning, middle and end of its sound.

    Parameters
    ----------
    path : Path
    channel : int
        Which has to hold sound.
    """
    try:
        with _opened(path, channel) as (header, pieces):
            if channel >= header.channels:
                return WavCheck(None, f"has no channel {channel}.")
            step = pieces.frame_bytes
            # Long enough to tell a line, and whole frames.
            size = min(pieces.length, max(_BLOCK, step * header.sample_rate // 50) // step * step)
            last = pieces.length - size
            blocks = [pieces.read(offset // step * step, size) for offset in (0, last // 2, last)]
            dead = _dead(blocks, pieces, channel)
            floats = header.subtype in ("FLOAT", "DOUBLE")
            scale = _wrong_scale([pieces.samples(block, channel) for block in blocks]) if floats else ""
    except AudioFormatError as error:
        return WavCheck(None, str(error))
    except (OSError, ValueError) as error:
        return WavCheck(None, f"cannot be read: {error}.")
    fingerprint = hashlib.blake2b(b"".join((pieces.length.to_bytes(8, "little"), *blocks)), digest_size=16).digest()
    return WavCheck(header, "", dead, scale, fingerprint)


def _dead(blocks: list[bytes], pieces: _Pieces, channel: int) -> str:
    """Read on only where all blocks may be part of something dead."""
    rate = pieces.header.sample_rate

    def sounds(number: int) -> bool:
        decoded = (to_int16(pieces.samples(block, number))[0] for block in blocks)
        return not all(is_silent(pcm) or has_line(pcm, rate) for pcm in decoded)

    if sounds(channel):
        return ""
    whole = np.concatenate([to_int16(pieces.samples(piece, channel))[0] for piece in pieces])
    others = [number for number in pieces.channels if number != channel and sounds(number)]
    return dead_text(whole, rate, channel=channel, sounding=others)


def _wrong_scale(blocks: list[NDArray[Any]]) -> str:
    samples = np.abs(np.concatenate(blocks))
    return wrong_scale(float(np.mean(samples > 1)), float(samples.max()))


def sound_hash(path: Path) -> bytes:
    """Hash the sound of a file, its header left out, so that a copy saved anew is still a copy.

    Raises
    ------
    AudioFormatError, OSError
        If the file has become unreadable.
    """
    with _opened(path, 0) as (_, pieces):
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
    return digest.digest()


class _Pieces:
    """The bytes of a sound, as a WAV file has them.

    Those of other files are decoded, and one channel taken, so that a copy saved as FLAC is seen to be one.
    """

    def __init__(self, file: BinaryIO, sound: Sound, channel: int) -> None:
        self.header = header = sound.header
        self._handle, self._start = file.fileno(), header.start
        self._decoded: bytes | None = None
        if header.start:
            self.frame_bytes, self.channels = frame_bytes(header), range(header.channels)
            self.length = (header.frames or 0) * self.frame_bytes
        else:
            blocks = list(sound.blocks(channel))
            self._type = blocks[0].dtype
            self.frame_bytes, self.channels = self._type.itemsize, range(channel, channel + 1)
            self._decoded = b"".join(samples.tobytes() for samples in blocks)
            self.length = len(self._decoded)
            self.header = replace(header, frames=self.length // self.frame_bytes)

    def samples(self, piece: bytes, channel: int) -> NDArray[Any]:
        """Decode a channel of whole frames, as `to_int16` takes it."""
        if self._decoded is not None:
            return np.frombuffer(piece, self._type)
        header = replace(self.header, start=0, frames=len(piece) // self.frame_bytes)
        return np.concatenate(list(wav_blocks(io.BytesIO(piece), header, channel)))

    def read(self, offset: int, length: int) -> bytes:
        if self._decoded is not None:
            return self._decoded[offset : offset + length]
        return os.pread(self._handle, length, self._start + offset)

    def __iter__(self) -> Iterator[bytes]:
        piece = max(1, _PIECE // self.frame_bytes) * self.frame_bytes
        for offset in range(0, self.length, piece):
            yield self.read(offset, min(piece, self.length - offset))


@contextmanager
def _opened(path: Path, channel: int) -> Iterator[tuple[SoundHeader, _Pieces]]:
    """Open a file for its header and its bytes of sound."""
    with open(path, "rb", opener=open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise AudioFormatError("is not a regular file. Put the sound file itself there.")
        with open_sound(file) as sound:
            pieces = _Pieces(file, sound, channel)
            yield pieces.header, pieces
