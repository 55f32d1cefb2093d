"""Log-mel spectrograms on the disk, one file a clip, named after the clip's contents.

An entry is written under another name and renamed, so whoever looks sees all of it or nothing,
however many write at once. It is not forced onto the disk: a checksum tells, when it is read,
what a kill, a crash or a failing disk has left of it, and it is computed again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import time
import zlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.frontend.spec import FRONTEND_NUMBER, FeatureSpec
from train.mapping import map_int32

_MAGIC, _FORMAT = b"EASDfeat", 1
# Magic, format, front end, rate, n_fft, hop, bands, frames; level; checksum of the values; the clip's hash.
_HEADER = struct.Struct("<8s7IdI32s")
_START = 128
"""Where the values start [bytes]: behind the header and its own checksum."""

_STALE_S = 3600
"""Age after which an unfinished file is taken to be a killed process's."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipFeatures:
    """What is computed once of a clip.

    Attributes
    ----------
    frames : ndarray, int32 [shape=(n, n_mels), dB in Q15.16], read-only
        Its log-mel spectrogram, usually in a mapped file.
    level_db : float [dB re full scale]
        Its RMS level.
    """

    frames: npt.NDArray[np.int32]
    level_db: float


class FeatureStore:
    """Entries of one front end below `folder`.

    Parameters
    ----------
    folder : Path
    spec : FeatureSpec
    number : int
        The front end's.
    kind : str
        What computed them: "fixed" is the front end itself.
    """

    def __init__(self, folder: Path, spec: FeatureSpec, number: int = FRONTEND_NUMBER, kind: str = "fixed") -> None:
        self._n_mels = spec.n_mels
        self._kind = [_MAGIC, _FORMAT, number, *spec.as_dict().values()]
        self._temporary = folder / "unfinished"
        shape = "-".join(str(value) for value in spec.as_dict().values())
        # Clips of another rate are resampled first, and another resampler may round otherwise.
        self._folder = folder / f"{'' if kind == 'fixed' else f'{kind}-'}log-mel-{number}-{shape}-soxr{_soxr()}"

    def path(self, digest: bytes) -> Path:
        """Return the file of the clip whose SHA-256 is `digest`."""
        name = digest.hex()
        return self._folder / name[:2] / name

    def read(self, digest: bytes) -> ClipFeatures | None:
        """Map an entry; None where there is none, or it is damaged."""
        try:
            handle = os.open(self.path(digest), os.O_RDONLY)
        except OSError:
            return None
        try:
            size = os.fstat(handle).st_size
            header = os.pread(handle, _START, 0)
            if len(header) < _START:
                return None
            *start, frames, level, checksum, clip = _HEADER.unpack_from(header)
            if (
                start != self._kind
                or clip != digest
                or int.from_bytes(header[_HEADER.size : _HEADER.size + 4], "little")
                != zlib.crc32(header[: _HEADER.size])
                or size != _START + 4 * frames * self._n_mels
            ):
                return None
            # Read, not touched through the mapping: pages that are mapped count as this process's memory.
            if zlib.crc32(os.pread(handle, size - _START, _START)) != checksum:
                return None
            return ClipFeatures(map_int32(handle, size, _START, (frames, self._n_mels)), level)
        except OSError:
            return None
        finally:
            os.close(handle)

    def write(self, digest: bytes, features: ClipFeatures) -> None:
        """Keep an entry, in place of any other.

        Raises
        ------
        OSError
            If the folder cannot be written, or the disk is full.
        """
        values = np.ascontiguousarray(features.frames, dtype="<i4")
        header = _HEADER.pack(*self._kind, len(values), features.level_db, zlib.crc32(values), digest)
        path = self.path(digest)
        for folder in (path.parent, self._temporary):
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._temporary / f"{digest.hex()[:16]}.{os.getpid()}.{secrets.token_hex(4)}"
        try:
            with open(unfinished, "xb") as file:
                file.write((header + zlib.crc32(header).to_bytes(4, "little")).ljust(_START, b"\0"))
                file.write(values)
            os.replace(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise

    def sweep(self) -> None:
        """Remove what killed processes have left unfinished."""
        with contextlib.suppress(OSError):
            for entry in os.scandir(self._temporary):
                with contextlib.suppress(OSError):
                    if time.time() - entry.stat().st_mtime > _STALE_S:
                        os.unlink(entry.path)


def _soxr() -> str:
    try:
        return version("soxr")
    except PackageNotFoundError:
        return "none"
