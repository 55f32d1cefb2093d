"""Log-mel spectrograms on the disk, one file a clip, named after the clip's contents.

An entry is written under another name and renamed, so whoever looks sees all of it or nothing,
however many write at once. It is not forced onto the disk: a checksum tells, when it is read,
what a kill, a crash or a failing disk has left of it, and it is computed again.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import math
import os
import secrets
import stat
import struct
import time
import zlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.frontend.spec import FRONTEND_NUMBER, FeatureSpec
from edge_asd.train.features.mapping import map_int32

_MAGIC, _FORMAT = b"EASDfeat", 1
# Magic, format, front end, rate, n_fft, hop, bands, frames; level; checksum of the values; the clip's hash.
_HEADER = struct.Struct("<8s7IdI32s")
_START = 128
"""Where the values start [bytes]: behind the header and its own checksum."""

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

_UNFINISHED = "."
"""How names of files start that are being written."""

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
    channel : int
        Of the clips, that was listened to.
    """

    def __init__(
        self, folder: Path, spec: FeatureSpec, number: int = FRONTEND_NUMBER, kind: str = "fixed", channel: int = 0
    ) -> None:
        self._n_mels = spec.n_mels
        self._kind = [_MAGIC, _FORMAT, number, *spec.as_dict().values()]
        shape = "-".join(str(value) for value in spec.as_dict().values())
        # Clips of another rate are resampled first, and another resampler may round otherwise.
        own = f"-channel{channel}" if channel else ""
        name = f"{'' if kind == 'fixed' else f'{kind}-'}log-mel-{number}-{shape}-soxr{_soxr()}{own}"
        self._folder = os.path.join(folder, name)

    def path(self, digest: bytes) -> Path:
        """Return the file of the clip whose SHA-256 is `digest`."""
        return Path(self._file(digest))

    def _file(self, digest: bytes) -> str:
        # Strings, not paths: what is done in Python for each clip keeps other threads waiting.
        name = digest.hex()
        return f"{self._folder}/{name[0]}/{name}"

    def read(self, digest: bytes) -> ClipFeatures | None:
        """Map an entry; None where there is none, or it is damaged."""
        try:
            # Without waiting: somebody may have laid a named pipe there.
            handle = os.open(self._file(digest), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid():
                return None
            size = about.st_size
            header = os.pread(handle, _START, 0)
            if len(header) < _START:
                return None
            *start, frames, level, checksum, clip = _HEADER.unpack_from(header)
            if (
                start != self._kind
                or clip != digest
                or not math.isfinite(level)
                or int.from_bytes(header[_HEADER.size : _HEADER.size + 4], "little")
                != zlib.crc32(header[: _HEADER.size])
                or size != _START + 4 * frames * self._n_mels
            ):
                return None
            # Read, not touched through the mapping: pages that are mapped count as this process's memory.
            values = os.pread(handle, size - _START, _START)
            if zlib.crc32(values) != checksum:
                return None
            if not self._own(about):
                # Others could cut the file short later, and touching a page beyond its end kills the process.
                return ClipFeatures(np.frombuffer(values, "<i4").reshape(frames, self._n_mels), level)
            return ClipFeatures(map_int32(handle, size, _START, (frames, self._n_mels)), level)
        except OSError:
            return None
        finally:
            os.close(handle)

    def _own(self, entry: os.stat_result) -> bool:
        """Nobody but this user can write an entry, or into the folder of this front end."""
        folder = os.stat(self._folder)
        shared = stat.S_IWGRP | stat.S_IWOTH
        return folder.st_uid == os.geteuid() and not (folder.st_mode | entry.st_mode) & shared

    def write(self, digest: bytes, features: ClipFeatures) -> ClipFeatures:
        """Keep an entry, in place of any other.

        Returns
        -------
        features : ClipFeatures
            The same, mapped from the file, so that the memory is the file's.

        Raises
        ------
        OSError
            If the folder cannot be written, or the disk is full.
        """
        values = np.ascontiguousarray(features.frames, dtype="<i4")
        header = _HEADER.pack(*self._kind, len(values), features.level_db, zlib.crc32(values.data), digest)
        header = (header + zlib.crc32(header).to_bytes(4, "little")).ljust(_START, b"\0")
        path = self._file(digest)
        folder, name = os.path.split(path)
        # In the same folder: of all that threads do to one, the kernel does one thing at a time.
        unfinished = f"{folder}/{_UNFINISHED}{name[:16]}.{os.getpid()}.{secrets.token_hex(4)}"
        try:
            try:
                handle = os.open(unfinished, _NEW, 0o666)
            except FileNotFoundError:
                os.makedirs(folder, exist_ok=True)
                handle = os.open(unfinished, _NEW, 0o666)
            try:
                if os.writev(handle, [header, values.data]) != _START + values.nbytes:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                mapped = _mapped(handle, values)
            finally:
                os.close(handle)
            os.replace(unfinished, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(unfinished)
            raise
        return ClipFeatures(mapped, features.level_db)

    def sweep(self) -> None:
        """Remove what killed processes have left unfinished."""
        for path in glob.iglob(f"{glob.escape(self._folder)}/*/{_UNFINISHED}*"):
            with contextlib.suppress(OSError):
                if time.time() - os.stat(path).st_mtime > _STALE_S:
                    os.unlink(path)


def _mapped(handle: int, values: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Map values that were just written; keep them in memory where the system has no more mappings to give."""
    try:
        return map_int32(handle, _START + values.nbytes, _START, (len(values), values.shape[1]))
    except OSError:
        return values


def _soxr() -> str:
    try:
        return version("soxr")
    except PackageNotFoundError:
        return "none"
