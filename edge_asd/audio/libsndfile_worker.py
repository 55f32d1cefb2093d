"""The child process in which libsndfile reads a foreign file: `libsndfile` starts this as a script, and bounds it.

It stands alone, imports nothing of this package, and speaks over the socket that is its standard input. Each request
is a `REQUEST`: "O" (a file descriptor comes with it; the answer is a `HEADER`), "B" (frames of a block, and the place
of their type in `DTYPES`; the answer is a `BLOCK` and the samples) or "C" (close the file; no answer).
"""

import contextlib
import os
import resource
import socket
import struct
import sys
from typing import Any

REQUEST = struct.Struct("<cII")
HEADER = struct.Struct("<cIIq8s16s200s")  # "H", rate, channels, frames, format, subtype, -; or "E", ..., what is wrong
BLOCK = struct.Struct("<cI200s")  # "B", frames, -; or "E", 0, what is wrong
DTYPES = ("int16", "int32", "float64")
MORE_MEMORY = 192 << 20
CPU_SECONDS = 3
SAMPLES_PER_CPU_SECOND = 1_000_000


def _limit(kind: int, value: int) -> None:
    """Set a soft limit, where the system knows it and the hard limit lets it."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))


def _bound_memory() -> None:
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        _limit(resource.RLIMIT_AS, used + MORE_MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _serve(channel: socket.socket, soundfile: Any) -> None:
    class Forward(soundfile.SoundFile):  # type: ignore[misc]
        def seekable(self) -> bool:
            return False  # Otherwise soundfile seeks behind each block, and compressed files are decoded again.

    sound: Any = None
    descriptor, start, done = -1, 0.0, 0
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, REQUEST.size, 1)
        if len(message) < REQUEST.size:
            return
        request, frames, dtype = REQUEST.unpack(message)
        if request in (b"O", b"C"):
            if sound is not None:
                sound.close()
            if descriptor >= 0:
                os.close(descriptor)
            descriptor, sound = -1, None
        if request == b"O":
            descriptor, start, done = descriptors[0], _cpu_seconds(), 0
            _limit(resource.RLIMIT_CPU, int(start) + 1 + CPU_SECONDS)
            os.lseek(descriptor, 0, os.SEEK_SET)
            try:
                sound = Forward(descriptor, closefd=False)
                answer = HEADER.pack(
                    b"H",
                    sound.samplerate,
                    sound.channels,
                    sound.frames,
                    sound.format.encode(),
                    sound.subtype.encode(),
                    b"",
                )
            except Exception as error:
                answer = HEADER.pack(b"E", 0, 0, 0, b"", b"", _text(error))
            channel.sendall(answer)
        elif request == b"B":
            size = (2, 4, 8)[dtype] * sound.channels
            buffer = bytearray(frames * size)
            try:
                count = sound.buffer_read_into(buffer, DTYPES[dtype])
            except Exception as error:
                channel.sendall(BLOCK.pack(b"E", 0, _text(error)))
                continue
            done += count * sound.channels
            _limit(resource.RLIMIT_CPU, int(start + done / SAMPLES_PER_CPU_SECOND) + 1 + CPU_SECONDS)
            channel.sendall(BLOCK.pack(b"B", count, b""))
            channel.sendall(memoryview(buffer)[: count * size])


def _text(error: Exception) -> bytes:
    return str(getattr(error, "error_string", error)).encode("ascii", "replace")[:200]


def main() -> None:
    sys.path[:] = sys.argv[1:]
    with socket.socket(fileno=0) as channel:
        try:
            import soundfile
        except ImportError:
            channel.sendall(b"P")
            return
        except OSError:
            channel.sendall(b"L")
            return
        if not hasattr(soundfile, "SoundFile"):
            channel.sendall(b"H")
            return
        _bound_memory()
        channel.sendall(b"R")
        with contextlib.suppress(OSError):
            _serve(channel, soundfile)


if __name__ == "__main__":
    main()
