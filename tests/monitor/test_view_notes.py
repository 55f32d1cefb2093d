"""The terminal's view of a monitor at work: one fault, one line."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time

from tests.golden.committed import NAMES
from tests.monitor.watched import BOUND_S


def test_what_happened_is_told_once() -> None:
    feed = "sh -c 'head -c 96000 /dev/zero; sleep 600'"
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "edge_asd", "monitor", str(NAMES["ae"]), "--section", "00"]
    shown = b""

    def read() -> None:
        nonlocal shown
        try:
            while data := os.read(ours, 65536):
                shown += data
        except OSError:  # the terminal's other end is closed
            return

    with subprocess.Popen(
        [*command, "--source-command", feed], stdin=theirs, stdout=theirs, env={**os.environ, "TERM": "xterm"}
    ) as process:
        os.close(theirs)
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        deadline = time.monotonic() + BOUND_S
        while b"input dead" not in shown:
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(BOUND_S) == 0
    reader.join(BOUND_S)
    os.close(ours)
    summary = shown.decode().rpartition("The last events:")[2]
    assert summary.count("input dead") == 1
    assert "stayed within 1 of a constant" not in summary
