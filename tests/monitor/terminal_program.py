"""Shows the view until Ctrl-C, as a program of its own on a terminal; "crash" ends it unclosed."""

from __future__ import annotations

import fcntl
import sys
import termios
import time
from pathlib import Path

from edge_asd.monitor.alarms import State
from edge_asd.monitor.board import Board
from edge_asd.monitor.reports import Status
from edge_asd.monitor.sinks.scene import Subject
from edge_asd.monitor.sinks.terminal import TerminalView, usable

if __name__ == "__main__":
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C comes here
    assert usable(sys.stdout)
    view = TerminalView(sys.stdout, {"fan-1": Subject("fan", "dB²", "00")}, every_s=0.05, board=Board(Path("/none")))
    view.note("Listening to fan-1.")
    begun = time.monotonic()
    try:
        while True:
            view.status(Status("fan-1", "00", State.healthy, time.monotonic() - begun, -30.0, -10.0, 0.02))
            if "crash" in sys.argv and time.monotonic() > begun + 0.5:
                sys.exit(1)
            time.sleep(0.02)
    except KeyboardInterrupt:
        view.close()
