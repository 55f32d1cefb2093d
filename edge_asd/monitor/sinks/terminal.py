"""Decisions, events and levels on a terminal, drawn in place."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from edge_asd.errors import OutputError
from edge_asd.monitor.alarms import Event, State
from edge_asd.monitor.board import Board, BoardHealth
from edge_asd.monitor.reports import Clock, Report, Sink, Status, now
from edge_asd.monitor.sinks.cells import Line, clean, glyphs_for
from edge_asd.monitor.sinks.layout import draw, running_text
from edge_asd.monitor.sinks.scene import Scene, Subject, Told, Watched, event_tone
from edge_asd.monitor.sinks.tty_output import TtyOutput
from edge_asd.monitor.wording import duration_text, event_text, state_word

if TYPE_CHECKING:
    from rich.console import Console
    from rich.segment import Segment

EVERY_S = 0.5
"""Least time between two drawings [s]."""

_WHOLE_EVERY_S = 10.0  # heals what other programs and keys wrote upon the view
_BOARD_EVERY_S = 5.0
_SIZE = (80, 24)  # of a terminal that does not tell, such as a serial line
_KEPT_EVENTS = 200
_CLOSING_EVENTS = 10
_FUTILE_TERMS = ("", "dumb", "unknown")

STYLES = {
    "good": "green",
    "warn": "yellow",
    "bad": "bold red",
    "alarm": "bold white on red",
    "trouble": "bold black on yellow",
    "calm": "cyan",
    "strong": "bold",
    "faint": "dim",
    "threshold": "bold yellow",
    "over": "bold red",
    "under": "green",
    "meter": "cyan",
}


def usable(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the view can be drawn on a stream: it is a terminal that can move its cursor."""
    try:
        return environment.get("TERM", "") not in _FUTILE_TERMS and stream.isatty()
    except ValueError:  # it is closed
        return False


class TerminalView(Sink):
    """Shows how each source stands, on a screen of its own that goes again when it is closed.

    Nothing is drawn before the first status, nor oftener than `every_s`, nor while the terminal takes nothing
    (Ctrl-S, a stalled connection): sound must not wait for it. What is told after an error has to be printed after
    `close`, for this screen takes with it what others wrote there.

    Parameters
    ----------
    stream : text file
        The terminal (`usable`), which nobody else writes to meanwhile.
    subjects : mapping of a source's name to Subject
        In the order in which they are shown.
    every_s : float > 0 [s]
    clock : callable
    tick : callable
        Returns seconds that never go back.
    board : Board, optional
        By default this one.
    environment : mapping
        `TERM`, `NO_COLOR` and the others that tell what the terminal can do.
    """

    def __init__(
        self,
        stream: TextIO,
        subjects: Mapping[str, Subject],
        *,
        every_s: float = EVERY_S,
        clock: Clock = now,
        tick: Callable[[], float] = time.monotonic,
        board: Board | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._stream, self._every, self._clock, self._tick = stream, every_s, clock, tick
        self._board, self._health = board or Board(), BoardHealth()
        self._environment = environment
        self._glyphs = glyphs_for(stream, environment.get("TERM", ""))
        self._sources = {name: _watched(name, subject) for name, subject in subjects.items()}
        self._told: deque[Told] = deque(maxlen=_KEPT_EVENTS)
        self._began = tick()
        self._next = self._next_whole = self._next_board = self._began
        self._buffer = io.StringIO()  # one drawing
        self._console: Console | None = None  # while its screen is there
        self._output: TtyOutput | None = None  # likewise
        self._size = _SIZE
        self._shown: Sequence[Line] = ()
        self._closed = False

    def report(self, report: Report, /) -> None:
        """Take the next decision or event; it is shown with the next status."""
        source = self._source(report.source)
        source.report(report)
        if isinstance(report.what, Event):
            text = event_text(report.what, source.subject.unit)
            self._told.append(Told(report.time, report.source, text, event_tone(report.what.event)))

    def note(self, text: str) -> None:
        """Show a text for people among the events."""
        self._told.append(Told(self._clock(), "", text))

    def status(self, status: Status, /) -> None:
        """Take how a source stands, and draw if it is time.

        Raises
        ------
        OutputError
            If the terminal is gone; nothing is drawn from then on.
        """
        self._source(status.source).take(status, self._clock())
        if self._closed or self._tick() < self._next:
            return
        self._next = self._tick() + self._every
        try:
            self._draw()
        except (OSError, ValueError) as error:
            self._closed = True
            atexit.unregister(self._leave)
            if self._output is not None:
                self._output.close(patience_s=0.0)
            raise OutputError(f"The terminal can no longer be written ({error}); its view ends.") from None

    def close(self) -> None:
        """Leave the terminal as it was, with the last events in a few plain lines."""
        if self._closed:
            return
        self._closed = True
        # A terminal that is gone needs no leaving.
        with contextlib.suppress(OSError, ValueError):
            self._leave(self._summary())

    def _source(self, name: str) -> Watched:
        if name not in self._sources:
            self._sources[name] = _watched(name, Subject("", ""))
        return self._sources[name]

    def _draw(self) -> None:
        moment = self._tick()
        if self._console is None or self._output is None:
            self._console, self._output = self._enter()
        console, output = self._console, self._output
        if not output.proceed():
            return
        if moment >= self._next_board:
            self._health, self._next_board = self._board.read(), moment + _BOARD_EVERY_S
        size = _size(self._stream)
        resized = size != self._size
        if resized or moment >= self._next_whole:
            self._size, self._shown, self._next_whole = size, (), moment + _WHOLE_EVERY_S
        columns, rows = size
        sources = list(self._sources.values())
        scene = Scene(sources, self._told, self._clock(), moment - self._began, self._health)
        lines = draw(scene, columns, rows, self._glyphs)
        lines += [[] for _ in range(rows - len(lines))]
        if resized:
            console.size = (columns, rows)
            console.clear()
        for y, line in enumerate(lines):
            if y >= len(self._shown) or line != self._shown[y]:
                console.update_screen_lines([_segments(console, line)], 0, y)
        self._shown = lines
        if self._buffer.tell():
            # Whatever is typed then shows up in the first row, which is soon drawn again, and scrolls nothing.
            _home(console)
            output.write(self._drawn())

    def _drawn(self) -> str:
        """Return what was drawn since the last call."""
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text

    def _enter(self) -> tuple[Console, TtyOutput]:
        from rich.console import Console

        color = None if self._environment.get("NO_COLOR") else "auto"
        console = Console(
            file=self._buffer,
            force_terminal=True,
            color_system=color,  # type: ignore[arg-type]
            width=self._size[0],
            height=self._size[1],
            legacy_windows=False,
            _environ=self._environment,
        )
        output = TtyOutput(self._stream)
        atexit.register(self._leave)
        console.set_alt_screen(True)
        console.show_cursor(False)
        return console, output

    def _leave(self, last_words: str = "") -> None:
        console, output, self._console, self._output = self._console, self._output, None, None
        if console is None or output is None:
            self._stream.write(last_words)
            self._stream.flush()
            return
        atexit.unregister(self._leave)
        self._drawn()  # what an interruption kept from being written
        console.show_cursor(True)
        console.set_alt_screen(False)
        output.write(self._drawn() + last_words)
        output.close()

    def _summary(self) -> str:
        moment = self._clock()
        lines = [f"Listened for {running_text(self._tick() - self._began)}, until {moment:%Y-%m-%d %H:%M:%S}."]
        for source in self._sources.values():
            lines.append(
                f"{source.name}: {state_word(source.state)}, alarms {source.alarms}, "
                f"sound lost {duration_text(source.status.lost_s)}"
            )
        if self._told:
            lines.append("The last events:")
        for told in list(self._told)[-_CLOSING_EVENTS:]:
            who = f"{told.source}: " if told.source and len(self._sources) > 1 else ""
            lines.append(f"{told.time:%Y-%m-%d %H:%M:%S}  {who}{told.text}")
        return "".join(f"{clean(line, self._glyphs)}\n" for line in lines)


def _watched(name: str, subject: Subject) -> Watched:
    return Watched(name, subject, Status(name, subject.section, State.starting, 0.0))


def _size(stream: TextIO) -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except OSError:
        return _SIZE
    return (columns, rows) if columns and rows else _SIZE


def _segments(console: Console, line: Line) -> list[Segment]:
    from rich.control import Control
    from rich.segment import ControlType, Segment

    # Erased first: behind a line that fills the last column, erasing would take its last character.
    erase = Control((ControlType.ERASE_IN_LINE, 2)).segment
    return [erase, *(Segment(text, console.get_style(STYLES[tone]) if tone else None) for text, tone in line)]


def _home(console: Console) -> None:
    from rich.control import Control

    console.control(Control.home())
