"""Situations of a factory for the terminal view, the same each time. As a program, it prints one: for README.

python -m tests.monitor.terminal_scenes alarm [ascii] [svg FILE]
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from edge_asd.monitor.alarms import Event, EventName, State
from edge_asd.monitor.board import BoardHealth
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.reports import Report, Status
from edge_asd.monitor.sinks.cells import ASCII, UNICODE, Glyphs, Line
from edge_asd.monitor.sinks.layout import draw
from edge_asd.monitor.sinks.scene import Scene, Subject, Told, Watched, event_tone
from edge_asd.monitor.sinks.terminal import STYLES
from edge_asd.monitor.wording import event_text

START = datetime(2026, 11, 28, 14, 0, tzinfo=timezone(timedelta(hours=1)))
LIMIT = round(10.02 * 65536)
PI = BoardHealth(54.2)


def scores(count: int, faulty_from: int | None = None) -> list[int]:
    """Make scores [Q15.16] that wander below the threshold, and climb over it from a place on."""
    out = []
    for i in range(count):
        value = 9.72 + 0.16 * math.sin(i / 9) + 0.1 * math.sin(i / 2.3) + 0.06 * math.sin(i * 1.7)
        if faulty_from is not None and i >= faulty_from:
            value += 1.6 * min(1.0, (i - faulty_from) / 30) + 0.2 * math.sin(i / 3)
        out.append(round(value * 65536))
    return out


def watched(name: str, subject: Subject, made: list[int], state: State, *, seconds: float | None = None) -> Watched:
    """Make a source that heard these scores, a second apart."""
    source = Watched(name, subject, Status(name, subject.section, State.starting, 0.0))
    for i, score in enumerate(made):
        decision = Decision(10.0 + i, subject.section, score, LIMIT, score > LIMIT)
        source.report(Report(decision, START + timedelta(seconds=10 + i), name, State.healthy))
    heard = 10.0 + len(made) if seconds is None else seconds
    status = Status(name, subject.section, state, heard, -31.4, -12.8, 0.021, 0.0, "USB Audio, port 1-1.2")
    source.take(status, START + timedelta(seconds=heard - 42))
    return source


def told(name: EventName, seconds: float, source: str, unit: str = "dB²", **what: object) -> Told:
    """Make a line of an event."""
    event = Event(name, seconds, "00", **what)  # type: ignore[arg-type]
    return Told(START + timedelta(seconds=seconds), source, event_text(event, unit), event_tone(name))


def scene(sources: list[Watched], lines: list[Told], board: BoardHealth = PI) -> Scene:
    """Put them together."""
    seconds = max(source.status.time_s for source in sources)
    return Scene(sources, lines, START + timedelta(seconds=seconds), seconds, board)


FAN = Subject("fan", "dB²", "00")
LISTENING = Told(START, "", "Listening to USB Audio for fan, section 00. First decision after 10.0 s; Ctrl-C stops.")


def healthy() -> Scene:
    """Sound as it should be."""
    return scene([watched("fan-1", FAN, scores(420), State.healthy)], [LISTENING])


def alarm() -> Scene:
    """Something broke a minute and a half ago."""
    source = watched("fan-1", FAN, scores(420, 330), State.alarm)
    source.alarms = 1
    lost = told(EventName.samples_lost, 140.0, "fan-1", duration_s=0.4)
    raised = told(
        EventName.alarm, 388.0, "fan-1", score=scores(420, 330)[378], threshold=LIMIT, duration_s=45.0
    )  # fmt: skip
    return scene([source], [LISTENING, lost, raised], BoardHealth(81.6, ("under-voltage",), ("throttled",)))


def no_signal() -> Scene:
    """The microphone was unplugged."""
    source = watched("fan-1", FAN, scores(250), State.no_signal, seconds=310.0)
    source.take(
        Status("fan-1", "00", State.no_signal, 310.0, None, None, 0.02, 0.0, "USB Audio"), source.since or START
    )
    return scene([source], [LISTENING, told(EventName.signal_lost, 262.0, "fan-1", text="USB Audio was unplugged")])


def starting() -> Scene:
    """Nothing was decided yet."""
    return scene([watched("fan-1", FAN, [], State.starting)], [LISTENING], BoardHealth())


def four() -> Scene:
    """Four machines, one of which is ill."""
    pump = Subject("pump", "nat", "01")
    sources = [
        watched("fan-1", FAN, scores(420), State.healthy),
        watched("fan-2", FAN, scores(420, 330), State.alarm),
        watched("pump-hall", pump, scores(200), State.no_signal, seconds=430),
        watched("pump-yard", pump, scores(420, 419), State.suspect),
    ]
    lines = [
        LISTENING,
        told(EventName.signal_lost, 212.0, "pump-hall"),
        told(EventName.alarm, 388.0, "fan-2", score=round(11.2 * 65536), threshold=LIMIT, duration_s=45.0),
    ]
    return scene(sources, lines)


def many() -> Scene:
    """A hall of thirty machines."""
    sources = [watched(f"fan-{i}", FAN, scores(420 - i), State.healthy) for i in range(30)]
    sources[17] = watched("fan-17", FAN, scores(420, 330), State.alarm)
    return scene(sources, [LISTENING])


SCENES: dict[str, Callable[[], Scene]] = {
    one.__name__: one for one in (healthy, alarm, no_signal, starting, four, many)
}


VIEWS = Path(__file__).resolve().parents[1] / "golden" / "views"
GOLDEN = {
    **{name: (name, UNICODE) for name in SCENES},
    "alarm_ascii": ("alarm", ASCII),
    "four_ascii": ("four", ASCII),
}


def text_of(lines: list[Line]) -> str:
    """Return lines without their tones."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def pictured(name: str, glyphs: Glyphs = UNICODE) -> str:
    """Draw a situation on 80 by 24 cells."""
    return text_of(draw(SCENES[name](), 80, 24, glyphs))


def save_svg(name: str, glyphs: Glyphs, path: Path) -> None:
    """Save a picture with colours."""
    from rich.console import Console
    from rich.text import Text

    with path.with_suffix(".tmp").open("w") as nowhere:
        console = Console(file=nowhere, record=True, width=80, height=24, color_system="standard", force_terminal=True)
        for line in draw(SCENES[name](), 80, 24, glyphs):
            console.print(
                Text.assemble(*((text, STYLES.get(tone, "")) for text, tone in line)), no_wrap=True, crop=False
            )
        console.save_svg(str(path), title="edge-asd monitor")
    path.with_suffix(".tmp").unlink()


if __name__ == "__main__":
    words = sys.argv[1:]
    chosen = ASCII if "ascii" in words else UNICODE
    if words == ["golden"]:
        VIEWS.mkdir(exist_ok=True)
        for view, (situation, kind) in GOLDEN.items():
            (VIEWS / f"{view}.txt").write_text(pictured(situation, kind), encoding="utf-8")
    elif "svg" in words:
        save_svg(words[0], chosen, Path(words[words.index("svg") + 1]))
    else:
        print(pictured(words[0], chosen), end="")
