"""A monitor at work, and what it says meanwhile."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.golden.committed import made_sound

BOUND_S = 60.0

PROGRAM = "import sys, time\nwhile True: sys.stdout.buffer.write(open(sys.argv[1], 'rb').read()); time.sleep(0.05)"


class Watched:
    """What a running monitor says, both of its outputs together."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        for stream in filter(None, (process.stdout, process.stderr)):
            self._threads.append(threading.Thread(target=self._read, args=(stream,), daemon=True))
            self._threads[-1].start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._queue.put(line)

    def wait_for(self, *words: str) -> str:
        """Return the next line that holds all of them."""
        deadline = time.monotonic() + BOUND_S
        while True:
            assert self.process.poll() is None or not self._queue.empty(), self.lines
            try:
                line = self._queue.get(timeout=0.2)
            except queue.Empty:
                assert time.monotonic() < deadline, (words, self.lines)
                continue
            self.lines.append(line)
            if all(word in line for word in words):
                return line

    def rest(self) -> str:
        """Return what it said until its end and nobody waited for."""
        for thread in self._threads:
            thread.join(BOUND_S)
        lines = []
        while not self._queue.empty():
            lines.append(self._queue.get())
        return "".join(lines)


def _heed_hang_ups() -> None:
    """Tests may be run by ``nohup``, whose children ignore SIGHUP."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def monitor(
    *options: str, stdout: int | IO[str] = subprocess.PIPE, stderr: int | IO[str] = subprocess.PIPE
) -> Iterator[Watched]:
    """Run ``edge-asd monitor``."""
    command = [sys.executable, "-m", "edge_asd", "monitor", *options]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        text=True,
        preexec_fn=_heed_hang_ups,
    ) as process:
        try:
            yield Watched(process)
        finally:
            process.kill()


def program(folder: Path) -> str:
    """Write a program that sends the same sound again and again; return its command."""
    sound, file = folder / "sound.raw", folder / "program.py"
    sound.write_bytes(made_sound(1, 200)[:8000].tobytes())
    file.write_text(PROGRAM)
    return f"{sys.executable} {file} {sound}"


def source(folder: Path, name: str, section: str = "00") -> str:
    """Write a source's table."""
    return f"[sources.{name}]\ncommand = '{program(folder)}'\nsection = '{section}'\n"
