"""The terminal view on real terminals: what it writes, when, and what it leaves behind."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from edge_asd.errors import OutputError
from edge_asd.monitor.alarms import Event, EventName, State
from edge_asd.monitor.board import Board
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.reports import Report, Status
from edge_asd.monitor.sinks.scene import Subject
from edge_asd.monitor.sinks.terminal import TerminalView, usable
from tests.monitor.screen import Screen
from tests.monitor.terminal_scenes import START
from tests.terminals import open_terminal

XTERM = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
LIMIT = 655_360


class Terminal:
    """A pseudo-terminal with a view on it, and a clock that is moved by hand."""

    def __init__(self, environment: dict[str, str], encoding: str = "utf-8", every_s: float = 0.25) -> None:
        self.master, slave = pty.openpty()
        self.encoding, self.seconds = encoding, 0.0
        self.stream = os.fdopen(slave, "w", encoding=encoding)
        self.resize(80, 24)
        self.screen = Screen(80, 24)
        self.view = TerminalView(
            self.stream,
            {"fan-1": Subject("fan", "dB²", "00")},
            every_s=every_s,
            clock=lambda: START + timedelta(seconds=self.seconds),
            tick=lambda: self.seconds,
            board=Board(Path("/none")),
            environment=environment,
        )

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.stream, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self) -> str:
        """Take what was written, and put it on the screen."""
        data = b""
        while select.select([self.master], [], [], 0)[0]:
            data += os.read(self.master, 1 << 16)
        text = data.decode(self.encoding).replace("\r\n", "\n")
        self.screen.feed(text)
        return text

    def status(self, seconds: float, state: State = State.healthy, **other: float) -> str:
        """Let time go on and tell how the source stands; return what was written."""
        self.seconds += seconds
        self.view.status(Status("fan-1", "00", state, self.seconds, **other))
        return self.read()

    def decide(self, score: int) -> None:
        what = Decision(self.seconds, "00", score, LIMIT, score > LIMIT)
        self.view.report(Report(what, START + timedelta(seconds=self.seconds), "fan-1", State.healthy))

    def close(self) -> None:
        self.view.close()
        self.read()


@pytest.fixture
def terminals() -> Iterator[Callable[..., Terminal]]:
    made: list[Terminal] = []

    def make(environment: dict[str, str] = XTERM, encoding: str = "utf-8", every_s: float = 0.25) -> Terminal:
        made.append(Terminal(environment, encoding, every_s))
        return made[-1]

    yield make
    for one in made:
        one.view.close()
        one.stream.close()
        if one.master >= 0:
            os.close(one.master)


@pytest.fixture
def terminal(terminals: Callable[..., Terminal]) -> Terminal:
    return terminals()


def test_nothing_is_written_before_the_first_status(terminal: Terminal) -> None:
    terminal.view.note("Loading.")
    terminal.decide(LIMIT)
    assert terminal.read() == ""
    terminal.status(0.0)
    assert terminal.screen.other
    assert not terminal.screen.cursor_shown
    assert "Loading." in terminal.screen.text


def test_what_is_drawn_piece_by_piece_is_the_whole(terminal: Terminal) -> None:
    whole = 0
    for second in range(1, 40):
        terminal.decide(LIMIT - 50_000 + second * 3000)
        state = State.alarm if second > 20 else State.healthy
        if second == 20:
            event = Event(EventName.alarm, 20.0, "00", LIMIT + 1, LIMIT, 9.0)
            terminal.view.report(Report(event, START + timedelta(seconds=20), "fan-1", State.alarm))
        written = terminal.status(1.0, state, level_db=-30.0 - second, peak_db=-9.0)
        again = Screen(80, 24)
        again.other = True
        if written.count("\x1b[2K") == 24:
            whole += 1
            again.feed(written.split("\x1b[?25l")[-1])
            assert again.text == terminal.screen.text
    assert whole == 4  # at the start, then every ten seconds
    assert "OVER the threshold 10.00" in terminal.screen.text
    assert "ALARM raised: score 10.00002 dB²" in terminal.screen.text
    assert terminal.screen.coloured


def test_it_is_drawn_no_oftener_than_asked(terminal: Terminal) -> None:
    drawn = [bool(terminal.status(1 / 64, level_db=-30.0 - i % 37)) for i in range(640)]
    assert sum(drawn) == 40


def test_what_has_not_changed_is_not_written(terminal: Terminal) -> None:
    terminal.status(1.0)
    assert terminal.status(0.25) == ""  # not even the clock has moved on
    assert terminal.status(0.75).count("\x1b[2K") == 1  # now it has


def test_it_follows_the_terminals_size(terminal: Terminal) -> None:
    terminal.status(1.0)
    for columns, rows in ((120, 40), (50, 12), (80, 24)):
        terminal.resize(columns, rows)
        terminal.screen.resize(columns, rows)
        terminal.status(1.0)
        lines = terminal.screen.text.splitlines()
        assert lines[0].endswith("running 0:00:0" + str(int(terminal.seconds)))
        assert len(lines[0]) == columns
        assert len(lines) <= rows


def test_a_terminal_that_tells_no_size_is_taken_for_a_usual_one(terminal: Terminal) -> None:
    terminal.resize(0, 0)
    terminal.status(1.0)
    assert len(terminal.screen.text.splitlines()[0]) == 80


def test_without_colours_only_the_cursor_is_moved(terminals: Callable[..., Terminal]) -> None:
    plain = terminals({**XTERM, "NO_COLOR": "1"})
    plain.decide(LIMIT + 9)
    plain.status(1.0, State.alarm, level_db=-20.0, peak_db=-0.1)
    assert "TOO LOUD" in plain.screen.text
    assert "▲" in plain.screen.text
    plain.close()
    assert not plain.screen.coloured


@pytest.mark.parametrize(("encoding", "term"), [("ascii", "xterm"), ("latin-1", "xterm"), ("utf-8", "linux")])
def test_a_terminal_without_the_characters_gets_plain_ones(
    terminals: Callable[..., Terminal], encoding: str, term: str
) -> None:
    poor = terminals({"TERM": term}, encoding)
    poor.view.note("Kühlung ポンプ")
    poor.decide(LIMIT + 9)
    written = poor.status(1.0, State.alarm)
    poor.close()
    assert written.isascii()
    assert "10.00|" in poor.screen.text
    assert poor.screen.main.isascii()


def test_leaving_shows_the_cursor_and_the_last_events(terminal: Terminal) -> None:
    terminal.status(1.0, lost_s=2.5)
    event = Event(EventName.samples_lost, 1.0, "00", duration_s=2.5, text="\x1b[2Jbusy")
    terminal.view.report(Report(event, START, "fan-1", State.healthy))
    terminal.status(90.0, State.suspect, lost_s=2.5)
    terminal.close()
    assert (terminal.screen.other, terminal.screen.cursor_shown) == (False, True)
    assert terminal.screen.main == (
        "Listened for 0:01:31, until 2026-11-28 14:01:31.\n"
        "fan-1: SUSPECT, alarms 0, sound lost 2.5 s\n"
        "The last events:\n"
        "2026-11-28 14:00:00  2.5 s of sound lost (?[2Jbusy)\n"
    )
    terminal.close()
    assert terminal.status(5.0) == ""  # closed is closed


def test_a_terminal_that_takes_nothing_stops_nothing(terminal: Terminal) -> None:
    terminal.status(1.0)
    termios.tcflow(terminal.stream, termios.TCOOFF)  # what Ctrl-S does
    for _ in range(50):
        assert terminal.status(1.0, State.alarm) == ""
    termios.tcflow(terminal.stream, termios.TCOON)
    terminal.status(1.0, State.alarm)
    assert "look at the machine" in terminal.screen.text


def test_a_terminal_that_nobody_reads_stops_nothing(terminals: Callable[..., Terminal]) -> None:
    stalled = terminals(every_s=1.0)
    begun = time.monotonic()
    for second in range(400):
        stalled.seconds = float(second)
        stalled.view.status(Status("fan-1", "00", State.healthy, second, -30.0 - second % 7, -5.0))
    stalled.view.close()
    assert time.monotonic() - begun < 30
    stalled.read()
    assert stalled.screen.other  # it never took the end


def test_a_terminal_that_is_gone_is_told_once(terminals: Callable[..., Terminal]) -> None:
    gone = terminals()
    gone.status(1.0)
    os.close(gone.master)
    gone.master = -1
    gone.seconds = 2.0
    with pytest.raises(OutputError, match="can no longer be written"):
        gone.view.status(Status("fan-1", "00", State.healthy, 2.0))
    gone.seconds = 3.0
    gone.view.status(Status("fan-1", "00", State.healthy, 3.0))
    gone.view.close()


def test_a_source_that_was_not_named_is_shown(terminal: Terminal) -> None:
    terminal.view.status(Status("other", "03", State.off, 1.0))
    terminal.read()
    assert "other" in terminal.screen.text
    assert "MACHINE OFF" in terminal.screen.text


def test_what_can_show_the_view(terminal: Terminal, tmp_path: Path) -> None:
    assert usable(terminal.stream, XTERM)
    assert not any(usable(terminal.stream, {"TERM": term}) for term in ("", "dumb", "unknown"))
    assert not usable(terminal.stream, {})
    with (tmp_path / "file").open("w") as file:
        assert not usable(file, XTERM)
    assert not usable(file, XTERM)  # closed
    assert not usable(io.StringIO(), XTERM)


@pytest.mark.parametrize("how", ["ctrl-c", "crash"])
def test_a_program_leaves_the_terminal_as_it_was(how: str) -> None:
    master, slave = open_terminal()
    before = termios.tcgetattr(slave)
    command = [sys.executable, "-m", "tests.monitor.terminal_program", *([how] if how == "crash" else [])]
    environment = {**os.environ, **XTERM, "PYTHONIOENCODING": "utf-8"}
    environment.pop("NO_COLOR", None)
    screen, everything = Screen(80, 24), b""
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    ) as process:
        deadline, sent = time.monotonic() + 60, False
        while process.poll() is None or select.select([master], [], [], 0)[0]:
            assert time.monotonic() < deadline, everything
            if select.select([master], [], [], 0.05)[0]:
                everything += os.read(master, 1 << 16)
            if how == "ctrl-c" and not sent and "running 0:00:01" in everything.decode("utf-8", "replace"):
                os.write(master, b"\x03")
                sent = True
    after = termios.tcgetattr(slave)
    os.close(slave)
    os.close(master)
    screen.feed(everything.decode("utf-8").replace("\r\n", "\n").replace("^C", ""))
    assert process.returncode == (0 if how == "ctrl-c" else 1), everything
    assert (screen.other, screen.cursor_shown) == (False, True)
    assert after == before
    if how == "ctrl-c":
        assert screen.main.startswith("Listened for 0:00:0")
        assert screen.main.endswith("  Listening to fan-1.\n")
    else:
        assert screen.main == ""
