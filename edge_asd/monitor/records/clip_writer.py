"""Writing a clip so that it opens whenever the writing ends, and finishing what a killed monitor left behind."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from edge_asd.audio.sound_header import MAX_RATE, MIN_RATE
from edge_asd.audio.stream import Pcm
from edge_asd.files import hold
from edge_asd.monitor.records.clip_names import ENCODING, ENDINGS, PART, stem_of

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_BLOCK = 1 << 17  # bytes

HEADER_BYTES = _HEADER.size


class ClipWriter:
    """Records a clip as ``STEM.part.wav``, whose header is true after every write.

    Parameters
    ----------
    folder : Path
    stem : str
    rate : int [Hz]

    Attributes
    ----------
    stem : str
    samples : int >= 0
        Written so far.

    Raises
    ------
    OSError
        If it cannot be made, or a clip of this name is there. `write` and `finish` raise it, too.
    """

    def __init__(self, folder: Path, stem: str, rate: int) -> None:
        for ending in ENDINGS:
            if os.path.lexists(folder / f"{stem}{ending}"):
                raise FileExistsError(17, "a clip of this name is there", str(folder / f"{stem}{ending}"))
        self.stem, self.samples = stem, 0
        self._folder, self._rate = folder, rate
        self._path = folder / f"{stem}{PART}"
        self._file = self._path.open("xb", buffering=0)
        hold(self._file.fileno())  # tells that it is being recorded from what a killed monitor left
        try:
            self._write_header()
        except OSError:
            self._file.close()
            self._path.unlink()  # without a header it is nothing
            raise

    @property
    def size(self) -> int:
        """Of the file [bytes]."""
        return HEADER_BYTES + 2 * self.samples

    def write(self, pcm: Pcm) -> None:
        """Append sound. What could be written only in part is taken away again."""
        rest = memoryview(pcm.astype("<i2").tobytes())
        try:
            self._file.seek(self.size)
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError:
            with suppress(OSError):
                self._file.truncate(self.size)
            raise
        self.samples += pcm.size
        self._write_header()  # after the sound: it never promises what is not there

    def finish(self, form: Literal["flac", "wav"], comment: str = "") -> Path:
        """Give the clip its last form and name; WAV also where FLAC cannot be written.

        Parameters
        ----------
        form : {"flac", "wav"}
        comment : str
            Stored within FLAC.

        Returns
        -------
        path : Path
        """
        self._file.close()
        return _finish(self._path, self._folder / self.stem, form, comment)

    def drop(self) -> None:
        """Remove it."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _write_header(self) -> None:
        self._file.seek(0)
        self._file.write(_header(self._rate, self.samples))


def finish_leftovers(folder: Path, form: Literal["flac", "wav"]) -> list[Path]:
    """Finish the clips that a killed monitor was recording: they lack their end. Empty ones go.

    Returns
    -------
    paths : list of Path
        Of the clips that were finished. One whose header a power cut has damaged stays as it is.

    Raises
    ------
    OSError
        If the folder cannot be read or written.
    """
    finished = []
    for path in sorted(folder.iterdir()):
        stem = stem_of(path.name)
        if stem is None or path.is_symlink() or not path.is_file():
            continue
        if path.name.endswith(ENCODING):
            path.unlink()  # the sound is still in its first form
        elif path.name.endswith(PART):
            if (
                any((folder / f"{stem}{ending}").exists() for ending in ENDINGS)
                or path.stat().st_size < HEADER_BYTES + 2
            ):
                path.unlink()  # it had got its last form, or holds nothing
            elif _mend(path):
                finished.append(
                    _finish(path, folder / stem, form, "edge-asd: the monitor was killed; the end is missing")
                )
    return finished


def _header(rate: int, samples: int) -> bytes:
    data = 2 * samples
    return _HEADER.pack(b"RIFF", 36 + data, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", data)


def _rate(head: bytes) -> int | None:
    """Rate of a header of ours; None for any other."""
    if len(head) != HEADER_BYTES:
        return None
    values = _HEADER.unpack(head)
    rate, data = values[7], values[-1]
    ours = MIN_RATE <= rate <= MAX_RATE and data % 2 == 0 and data <= 0xFFFFFFFF - 36
    return rate if ours and head == _header(rate, data // 2) else None


def _mend(path: Path) -> bool:
    """Let the header tell of all the sound that is there."""
    with path.open("r+b") as file:
        rate = _rate(file.read(HEADER_BYTES))
        if rate is None:
            return False
        samples = (os.fstat(file.fileno()).st_size - HEADER_BYTES) // 2
        file.truncate(HEADER_BYTES + 2 * samples)
        file.seek(0)
        file.write(_header(rate, samples))
    return True


def _finish(part: Path, stem: Path, form: Literal["flac", "wav"], comment: str) -> Path:
    if form == "flac":
        encoding, path = stem.with_name(f"{stem.name}{ENCODING}"), stem.with_name(f"{stem.name}.flac")
        try:
            _encode(part, encoding, comment)
        except (OSError, ImportError, RuntimeError, AssertionError):  # no libsndfile, or its way to tell of a full disk
            with suppress(OSError):
                encoding.unlink(missing_ok=True)
        else:
            os.replace(encoding, path)
            part.unlink()
            return path
    path = stem.with_name(f"{stem.name}.wav")
    _sync(part)
    os.replace(part, path)
    return path


def _encode(part: Path, to: Path, comment: str) -> None:
    """Write FLAC, and read it again: the first form goes only when the second holds the same."""
    import soundfile  # only here: who records WAV needs none

    to.open("xb").close()
    with part.open("rb") as source:
        rate = _rate(source.read(HEADER_BYTES))
        if rate is None:
            raise OSError(f"{part} has another header than it was given")
        # By its name: libsndfile writes past a full disk without a word, but a file object's error within its callback
        # would be printed.
        with soundfile.SoundFile(str(to), "w", samplerate=rate, channels=1, format="FLAC", subtype="PCM_16") as flac:
            flac.comment = comment
            for pcm in _blocks(source):
                flac.write(pcm)
        with soundfile.SoundFile(str(to)) as flac:
            for pcm in _blocks(source):
                if not np.array_equal(flac.read(pcm.size, dtype="int16"), pcm):
                    raise OSError(f"{to} does not hold what was written")
    _sync(to)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _blocks(source: BinaryIO) -> Iterator[Pcm]:
    source.seek(HEADER_BYTES)
    while data := source.read(_BLOCK):
        yield np.frombuffer(data, "<i2").astype(np.int16)
