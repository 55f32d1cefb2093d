"""One sound file of a data set, looked at cheaply: its header, whether it is silent, and what tells its sound apart."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from edge_asd.audio.recording_file import open_sound
from edge_asd.audio.sample_formats import Sound, frame_bytes
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
    silent : bool
        Whether every sample is zero.
    fingerprint : bytes
        Hash of the length of the sound and of blocks of it: equal sounds have equal ones, and
        different sounds of real recordings hardly ever. `sound_hash` decides.
    """

    header: SoundHeader | None
    trouble: str = ""
    silent: bool = False
    fingerprint: bytes = b""


def check_wav(path: Path) -> WavCheck:
    """Read a file's header, and a block each at the beginning, middle and end of its sound."""
    try:
        with _opened(path) as (header, pieces):
            length = pieces.length
            last = max(0, length - _BLOCK)
            blocks = [pieces.read(offset, min(_BLOCK, length)) for offset in (0, last // 2, last)]
            # Only a file whose blocks are silent has to be read on.
            silent = not any(map(_sounds, blocks)) and not any(map(_sounds, pieces))
    except AudioFormatError as error:
        return WavCheck(None, str(error))
    except (OSError, ValueError) as error:
        return WavCheck(None, f"cannot be read: {error}.")
    fingerprint = hashlib.blake2b(b"".join((length.to_bytes(8, "little"), *blocks)), digest_size=16).digest()
    return WavCheck(header, "", silent, fingerprint)


def sound_hash(path: Path) -> bytes:
    """Hash the sound of a file, its header left out, so that a copy saved anew is still a copy.

    Raises
    ------
    AudioFormatError, OSError
        If the file has become unreadable.
    """
    with _opened(path) as (_, pieces):
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
    return digest.digest()


class _Pieces:
    """The bytes of a sound, as a WAV file has them.

    Those of other files are decoded, and their first channel taken, so that a copy saved as FLAC is seen to be one.
    """

    def __init__(self, file: BinaryIO, sound: Sound) -> None:
        header = sound.header
        self._handle, self._start = file.fileno(), header.start
        self._decoded: bytes | None = None
        if header.start:
            self.length = (header.frames or 0) * frame_bytes(header)
        else:
            blocks = list(sound.blocks(0))
            self.frames = sum(map(len, blocks))
            self._decoded = b"".join(samples.tobytes() for samples in blocks)
            self.length = len(self._decoded)

    def read(self, offset: int, length: int) -> bytes:
        if self._decoded is not None:
            return self._decoded[offset : offset + length]
        return os.pread(self._handle, length, self._start + offset)

    def __iter__(self) -> Iterator[bytes]:
        for offset in range(0, self.length, _PIECE):
            yield self.read(offset, min(_PIECE, self.length - offset))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[SoundHeader, _Pieces]]:
    """Open a file for its header and its bytes of sound."""
    with open(path, "rb", opener=open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise AudioFormatError("is not a regular file. Put the sound file itself there.")
        with open_sound(file) as sound:
            pieces, header = _Pieces(file, sound), sound.header
            if header.frames is None:
                header = replace(header, frames=pieces.frames)
            yield header, pieces


def _sounds(block: bytes) -> bool:
    return block.count(0) < len(block)
