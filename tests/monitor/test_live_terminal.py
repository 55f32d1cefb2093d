"""The whole monitor on a terminal of 80x24: what a person sees, and what Ctrl-C leaves."""

from __future__ import annotations

import codecs
import os
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from datetime import datetime
from pathlib import Path

import numpy as np

from tests.cli.command import EDGE_ASD
from tests.monitor.live import SECONDS, faulty, healthy, paced, quick_bundle
from tests.monitor.screen import Screen
from tests.terminals import open_terminal

OWN = "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from edge_asd.cli import main; main()"
"""``edge-asd`` that takes the terminal for its own, so that Ctrl-C comes there."""


def test_lines_where_there_is_no_terminal(tmp_path: Path) -> None:
    quick_bundle(tmp_path / "fan.easd")
    sound = np.concatenate([healthy(1.5), faulty(1.5), healthy(3, 2)])
    arguments = ["--section", "00", "--source-command", paced(tmp_path, "fan", sound), "--alarm-after", "6/8"]
    with subprocess.Popen(
        [EDGE_ASD, "monitor", tmp_path / "fan.easd", *arguments, "--interval", "0.1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        killer = threading.Timer(SECONDS, process.kill)
        killer.start()
        try:
            head: list[str] = []
            while not any("alarm over" in line for line in head):
                head.append(process.stdout.readline())
                assert head[-1], head
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=SECONDS)
        finally:
            killer.cancel()
            process.kill()
    assert process.returncode == 0, errors
    lines = [*head, *rest.splitlines()]
    for line in lines:
        assert datetime.fromisoformat(line[:19])
    first, *told = [line[21:].removeprefix("section 00  ").strip() for line in lines]
    assert first.startswith("HEALTHY  score ")
    raised, cleared = [text for text in told if " over it: " not in text]
    assert raised.startswith("ALARM raised: score ")
    assert cleared.startswith("alarm over after ")
    summary = told[-1]
    assert summary.startswith(("HEALTHY  scores ", "SUSPECT  scores "))
    assert int(summary.split()[-1]) >= 12  # over the threshold, of those so far
    assert errors.splitlines()[0].startswith("Listening to ")
    assert errors.splitlines()[-1] == "Stopped."


def test_the_view_and_ctrl_c(tmp_path: Path) -> None:
    quick_bundle(tmp_path / "fan.easd")
    master, slave = open_terminal()
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
    screen, text, drawn = Screen(80, 24), "", ""
    # The view is written in pieces (`TtyOutput`), and a read may end behind one, in the middle of a character.
    decoder = codecs.getincrementaldecoder("utf-8")()

    def read_until(words: str) -> None:
        nonlocal text, drawn
        end = time.monotonic() + SECONDS
        while words not in screen.text + screen.main:
            assert time.monotonic() < end, screen.text + screen.main
            if select.select([master], [], [], 0.1)[0]:
                new = decoder.decode(os.read(master, 65536))
                text, drawn = text + new, drawn + new
                whole = text.rfind("\x1b") if "\x1b" in text[-16:] else len(text)
                screen.feed(text[:whole])
                text = text[whole:]

    try:
        read_until("ALARM")
        assert screen.other
        assert "Listening to the program" in drawn
        os.write(master, b"\x03")
        read_until("Stopped.")
        assert process.wait(SECONDS) == 0
        screen.feed(text)
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
