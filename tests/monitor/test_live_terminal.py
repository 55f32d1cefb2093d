"""The whole monitor on a terminal of 80x24: what a person sees, and what Ctrl-C leaves."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from tests.monitor.live import SECONDS, faulty, paced, quick_bundle
from tests.monitor.screen import Screen

OWN = "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from edge_asd.cli import main; main()"
"""``edge-asd`` that takes the terminal for its own, so that Ctrl-C comes there."""


def test_the_view_and_ctrl_c(tmp_path: Path) -> None:
    quick_bundle(tmp_path / "fan.easd")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(slave)
    arguments = ["--section", "00", "--source-command", paced(tmp_path, "fan", faulty(3)), "--alarm-after", "3/4"]
    process = subprocess.Popen(
        [sys.executable, "-c", OWN, "monitor", tmp_path / "fan.easd", *arguments, "--interval", "0.1"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"},
        start_new_session=True,
    )
    screen, data = Screen(80, 24), b""

    def read_until(words: str) -> None:
        nonlocal data
        end = time.monotonic() + SECONDS
        while words not in screen.text + screen.main:
            assert time.monotonic() < end, screen.text + screen.main
            if select.select([master], [], [], 0.1)[0]:
                data += os.read(master, 65536)
                whole = data.rfind(b"\x1b") if b"\x1b" in data[-16:] else len(data)
                screen.feed(data[:whole].decode())
                data = data[whole:]

    try:
        read_until("ALARM")
        assert screen.other
        assert "Listening to the program" in screen.text
        os.write(master, b"\x03")
        read_until("Stopped.")
        assert process.wait(SECONDS) == 0
        screen.feed(data.decode())
        assert not screen.other
        assert screen.cursor_shown
        assert termios.tcgetattr(slave) == before
        assert "Traceback" not in screen.main
        assert screen.main.rstrip().endswith("Stopped.")
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)
