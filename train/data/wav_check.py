"""One WAV file of a data set, looked at cheaply: its header, whether it is silent, and what tells its sound apart."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_asd.audio.riff import WavHeader, read_header
from edge_asd.errors import AudioFormatError
from edge_asd.files import open_without_waiting

_SAMPLE_BYTES = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
_BLOCK = 4096
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class WavCheck:
    """What a file holds.

    Attributes
    ----------
    header : WavHeader or None
        None where the file cannot be used.
    trouble : str
        Why not; it starts with a verb. "" where the header is there.
    silent : bool
        Whether every sample is zero.
    fingerprint : bytes
        Hash of the length of the sound and of blocks of it: equal sounds have equal ones, and
        different sounds of real recordings hardly ever. `sound_hash` decides.
    """

    header: WavHeader | None
    trouble: str = ""
    silent: bool = False
    fingerprint: bytes = b""


def check_wav(path: Path) -> WavCheck:
    """Read a file's header, and a block each at the beginning, middle and end of its sound."""
    try:
        with open(path, "rb", buffering=0, opener=open_without_waiting) as file:
            header, start, length = _sound_of(file)
            handle = file.fileno()
            last = max(0, length - _BLOCK)
            blocks = [os.pread(handle, min(_BLOCK, length), start + offset) for offset in (0, last // 2, last)]
            # Only a file whose blocks are silent has to be read on.
            silent = not any(map(_sounds, blocks)) and not any(map(_sounds, _pieces(handle, start, length)))
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
    with open(path, "rb", buffering=0, opener=open_without_waiting) as file:
        _, start, length = _sound_of(file)
        digest = hashlib.sha256()
        for piece in _pieces(file.fileno(), start, length):
            digest.update(piece)
    return digest.digest()


def _sound_of(file) -> tuple[WavHeader, int, int]:  # type: ignore[no-untyped-def]
    """Return the header, and where the sound starts and how long it is [bytes]."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise AudioFormatError("is not a regular file. Put the WAV file itself there.")
    header = read_header(file, status.st_size)
    # The walk through the chunks ends behind the head of the data chunk.
    return header, file.tell(), header.frames * header.channels * _SAMPLE_BYTES[header.subtype]


def _pieces(handle: int, start: int, length: int) -> Iterator[bytes]:
    for offset in range(0, length, _PIECE):
        yield os.pread(handle, min(_PIECE, length - offset), start + offset)


def _sounds(block: bytes) -> bool:
    return block.count(0) < len(block)
