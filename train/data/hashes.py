"""Hashes of clips: one file's, and one for many clips."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from edge_asd.errors import AudioFormatError
from edge_asd.files import open_without_waiting
from edge_asd.train.data.dataset import Clip


def file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a clip's file.

    Raises
    ------
    AudioFormatError
        If it cannot be read, or is not a regular file.
    """
    return digest_and_contents(path, 0)[0]


def digest_and_contents(path: Path, largest: int) -> tuple[bytes, bytes | None]:
    """Return the SHA-256 of a clip's file, and what was hashed; None where that is more than `largest` bytes.

    Raises
    ------
    AudioFormatError
        If it cannot be read, or is not a regular file.
    """
    try:
        # Unbuffered: large pieces are read.
        with open(path, "rb", buffering=0, opener=open_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise AudioFormatError(f"{path} is not a regular file. Put the WAV file itself there.")
            if status.st_size > largest:
                return hashlib.file_digest(file, "sha256").digest(), None
            contents = file.read()
            return hashlib.sha256(contents).digest(), contents
    except OSError as error:
        raise AudioFormatError(f"{path} cannot be read: {error.strerror or error}.") from error


def content_hash(clips: Iterable[Clip], digest: Callable[[Path], bytes] = file_digest) -> str:
    """Return one SHA-256 for the keys and contents of clips, whatever their order.

    Parameters
    ----------
    clips : iterable of Clip
    digest : callable, optional
        `file_digest`, or what remembers the digests that it has returned.
    """
    lines = sorted(f"{clip.key} {digest(clip.path).hex()}" for clip in clips)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
