"""SIGHUP while the monitor works: sources come and go, and what is refused changes nothing."""

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

from tests.golden.committed import NAMES, made_sound

BOUND_S = 60.0

PROGRAM = "import sys, time\nwhile True: sys.stdout.buffer.write(open(sys.argv[1], 'rb').read()); time.sleep(0.05)"


class Watched:
    """What a running monitor says, both of its outputs together."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            threading.Thread(target=self._read, args=(stream,), daemon=True).start()

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


@contextmanager
def monitor(*options: str) -> Iterator[Watched]:
    """Run ``edge-asd monitor``."""
    command = [sys.executable, "-m", "edge_asd", "monitor", *options]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Watched(process)
        finally:
            process.kill()


def source(folder: Path, name: str, section: str = "00") -> str:
    """Write a source's table: a program that sends the same sound again and again."""
    sound, program = folder / "sound.raw", folder / "program.py"
    sound.write_bytes(made_sound(1, 200)[:8000].tobytes())
    program.write_text(PROGRAM)
    return f"[sources.{name}]\ncommand = '{sys.executable} {program} {sound}'\nsection = '{section}'\n"


def test_sources_come_and_go_and_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    path, head = tmp_path / "monitor.toml", f"bundle = '{NAMES['ae']}'\ninterval_s = 0.5\n"
    one = head + source(tmp_path, "one")
    path.write_text(one)
    with monitor("--config", str(path)) as watched:
        watched.wait_for("section 00", "score")

        def reload(text: str) -> None:
            path.write_text(text)
            watched.process.send_signal(signal.SIGHUP)

        reload(one + source(tmp_path, "two", "01"))
        watched.wait_for("two begins")
        watched.wait_for("two  section 01", "score")
        reload(head + source(tmp_path, "one", "07"))
        watched.wait_for("is refused", "no section 07")
        reload("heartbeat = '/dev/null/beat'\n" + one)
        watched.wait_for("is refused", "heartbeat")
        kept = tmp_path / "records"
        reload(f"{one}[records]\nfolder = '{kept}'\n")
        watched.wait_for("two ends; records changed")
        # Records that cannot be kept where they should be are kept where they were.
        (tmp_path / "file").touch()
        for _ in range(2):  # what was not done is tried again
            reload(f"{one}[records]\nfolder = '{tmp_path / 'file'}'\n")
            watched.wait_for("file", "What was there before is used on")
        watched.process.send_signal(signal.SIGTERM)
        watched.wait_for("two  section 01", "mean")  # summed up, although it has gone
        assert watched.process.wait(BOUND_S) == 0
    assert (kept / "events.db").is_file()
    assert not any("Error" in line for line in watched.lines), watched.lines


def test_without_a_configuration_a_terminal_that_hangs_up_ends_the_monitor(tmp_path: Path) -> None:
    table = source(tmp_path, "one").splitlines()[1]
    command = table.removeprefix("command = '").removesuffix("'")
    with monitor(str(NAMES["ae"]), "--section", "00", "--source-command", command) as watched:
        watched.wait_for("score")
        watched.process.send_signal(signal.SIGHUP)
        assert watched.process.wait(BOUND_S) == 0
