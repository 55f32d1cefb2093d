"""FLAC, OGG, AIFF and W64 files, read by libsndfile in a child process that may hang, crash or take too much memory.

A child takes a fifth of a second to start, so it reads one file after another, is kept between files, and is replaced
when it dies or is late. Threads borrow one each. What a child says is checked as a file's header is.
"""

from __future__ import annotations

import atexit
import io
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edge_asd.audio.containers import Container
from edge_asd.audio.foreign_lengths import check_whole
from edge_asd.audio.libsndfile_worker import BLOCK, DTYPES, HEADER, REQUEST
from edge_asd.audio.sample_formats import Sound, block_frames
from edge_asd.audio.sound_header import (
    MAX_CHANNELS,
    MAX_SECONDS,
    SoundHeader,
    check_file_rate,
    check_length,
    refuse_8_bits,
)
from edge_asd.errors import AudioFormatError, DependencyError

_START_SECONDS = 60.0
_FILE_SECONDS = 20.0
_SAMPLES_PER_SECOND = 200_000
"""A file may be waited for so many seconds, and one more for each so many samples, but never longer at once: a file of
hours that hangs is noticed as soon as a short one. What happens between two answers does not count. The child's own
limit is of processor time and stricter; this one is for what waits without computing."""
_UNKNOWN_FRAMES = 0x7FFFFFFFFFFFFFFF
_FORMATS = {"a FLAC": "FLAC", "an OGG": "OGG", "an AIFF": "AIFF", "a W64": "W64"}
_DTYPES = {"PCM_16": 0, "PCM_24": 1, "PCM_32": 1, "FLOAT": 2, "DOUBLE": 2, "VORBIS": 2, "OPUS": 2}
_MAX_IDLE = 4
_SPENT = (
    "makes libsndfile crash, or take more time or memory than a whole file needs: it is damaged. Copy it again, or "
    "convert it to WAV."
)

_MISSING = {
    b"P": "The package soundfile is missing. Install it: pip install soundfile",
    b"L": "The library libsndfile, which reads such sound files, is missing. Install it: sudo apt install libsndfile1",
    b"H": "Another file named soundfile hides the package soundfile, which reads such sound files. Rename that file",
    b"": "The child process in which libsndfile reads such sound files does not start",
}


class Worker:
    """A child process, and one file at a time in it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._patience = _START_SECONDS
        self.waiting = True
        """Whether an answer is still to come: such a child cannot be used again."""
        script = str(Path(__file__).with_name("libsndfile_worker.py"))
        # Isolated, with the paths of this process: nothing in the working folder is in the way.
        paths = [path for path in sys.path if os.path.isabs(path)]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", script, *paths],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,  # Ctrl-C is for this process, which then ends the child.
            )
        except OSError as error:
            ours.close()
            raise DependencyError(f"{_MISSING[b'']}: {error}.") from error
        finally:
            theirs.close()
        try:
            ready = bytes(self._receive(1))
        except AudioFormatError:
            ready = b""
        except BaseException:
            self.end()
            raise
        if ready != b"R":
            self.end()
            raise DependencyError(f"{_MISSING[ready if ready in _MISSING else b'']}.")
        self.waiting = False

    @property
    def usable(self) -> bool:
        """Whether it lives and owes no answer."""
        return not self.waiting and self._process.poll() is None

    def open(self, file: BinaryIO) -> tuple[Any, ...]:
        """Hand over a file; return the fields of a `HEADER`."""
        self._patience = _FILE_SECONDS
        self._ask(b"O", 0, 0, [file.fileno()])
        header = HEADER.unpack(self._receive(HEADER.size))
        self.waiting = False
        return header

    def read(self, frames: int, channels: int, dtype: int) -> NDArray[Any]:
        """Return the next frames [shape=(n, channels), n <= frames]."""
        self._ask(b"B", frames, dtype)
        answer, count, text = BLOCK.unpack(self._receive(BLOCK.size))
        if answer == b"E":
            self.waiting = False
            raise AudioFormatError(f"is damaged: {_printable(text)} Copy it again.")
        if count > frames:
            raise AudioFormatError(_SPENT)
        data = np.empty((count, channels), DTYPES[dtype])
        self._fill(data.reshape(-1).view(np.uint8).data)
        self._patience = min(_FILE_SECONDS, self._patience + data.size / _SAMPLES_PER_SECOND)
        self.waiting = False
        return data

    def close(self) -> None:
        """Let go of the file."""
        self._ask(b"C", 0, 0)
        self.waiting = False

    def end(self) -> None:
        """End the child."""
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Let go of the child after a fork: it is the other process's."""
        self._socket.close()
        self._process.returncode = 0

    def _ask(self, request: bytes, frames: int, dtype: int, descriptors: list[int] | None = None) -> None:
        self.waiting = True
        try:
            socket.send_fds(self._socket, [REQUEST.pack(request, frames, dtype)], descriptors or [])
        except OSError as error:
            raise AudioFormatError(_SPENT) from error

    def _receive(self, size: int) -> bytearray:
        data = bytearray(size)
        self._fill(memoryview(data))
        return data

    def _fill(self, view: memoryview) -> None:
        while view.nbytes:
            self._socket.settimeout(max(0.001, self._patience))
            start = time.monotonic()
            try:
                count = self._socket.recv_into(view)
            except OSError as error:  # TimeoutError among them.
                raise AudioFormatError(_SPENT) from error
            self._patience -= time.monotonic() - start
            if not count:
                raise AudioFormatError(_SPENT)
            view = view[count:]


_idle: list[Worker] = []


def _end_idle() -> None:
    while _idle:
        _idle.pop().end()


def _forget_idle() -> None:
    while _idle:
        _idle.pop().forget()


atexit.register(_end_idle)
os.register_at_fork(after_in_child=_forget_idle)


@contextmanager
def _borrowed() -> Iterator[Worker]:
    worker = None
    with suppress(IndexError):
        worker = _idle.pop()
    if worker is not None and not worker.usable:
        worker.end()
        worker = None
    worker = worker or Worker()
    try:
        yield worker
    finally:
        with suppress(AudioFormatError):
            if worker.usable:
                worker.close()
        if worker.usable and len(_idle) < _MAX_IDLE:
            _idle.append(worker)
        else:
            worker.end()


@contextmanager
def open_foreign(file: BinaryIO, container: Container, longest: int = MAX_SECONDS) -> Iterator[Sound]:
    """Open a file for its header and one pass over its samples.

    Parameters
    ----------
    file : binary file
        On disk or in memory.
    container : Container
        What its first bytes say.
    longest : int [s]
        Sound that lasts longer is refused.

    Raises
    ------
    AudioFormatError
        If it cannot be used, here or while the blocks are read. The message starts with a verb.
    DependencyError
        If soundfile or libsndfile is missing.
    """
    with _on_disk(file) as real, _borrowed() as worker:
        answer, rate, channels, frames, form, subtype, text = worker.open(real)
        if answer == b"E":
            raise AudioFormatError(f"cannot be read as {container.name} file: {_printable(text)} Copy it again.")
        header = _checked(container, rate, channels, frames, _name(form), _name(subtype), longest)
        check_whole(real.fileno(), _name(form), header)
        yield Sound(header, partial(_blocks, worker, header, longest))


def _blocks(worker: Worker, header: SoundHeader, longest: int, channel: int) -> Iterator[NDArray[Any]]:
    # One more than may be, so that a file without a known length is seen to be too long.
    end = longest * header.sample_rate + 1 if header.frames is None else header.frames
    done = 0
    while done < end:
        frames = min(block_frames(header.channels), end - done)
        data = worker.read(frames, header.channels, _DTYPES[header.subtype])
        if not len(data):
            break
        done += len(data)
        yield data[:, channel]
    if header.frames is not None and done < end:
        raise AudioFormatError(f"is truncated or damaged: it ends at sample {done} of {end}. Copy it again.")
    check_length(done, header.sample_rate, longest)


@contextmanager
def _on_disk(file: BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(file, io.BytesIO):
        yield file
        return
    with tempfile.TemporaryFile() as copy:
        copy.write(file.getbuffer())
        copy.flush()
        yield copy


def _checked(
    container: Container, rate: int, channels: int, frames: int, form: str, subtype: str, longest: int
) -> SoundHeader:
    if form != _FORMATS[container.name]:
        raise AudioFormatError(f"starts as {container.name} file does and could be read in two ways. Save it again.")
    if subtype in ("PCM_S8", "PCM_U8"):
        raise refuse_8_bits()
    if subtype not in _DTYPES:
        raise AudioFormatError(f"has samples of a kind that is not read ({subtype}). Convert it to 16-bit PCM WAV.")
    check_file_rate(rate)
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioFormatError(f"has {channels} channels by its header, which is probably damaged. Copy it again.")
    if frames == _UNKNOWN_FRAMES:
        return SoundHeader(rate, channels, subtype, None)
    check_length(frames, rate, longest)
    return SoundHeader(rate, channels, subtype, frames)


def _name(field: bytes) -> str:
    return field.rstrip(b"\0").decode("ascii", "replace")


def _printable(text: bytes) -> str:
    words = "".join(c if c.isprintable() else "?" for c in _name(text))
    return words if words.endswith(".") else f"{words}."
