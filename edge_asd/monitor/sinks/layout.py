"""The terminal view's lines: one source in detail, a few in blocks, many in a table."""

from __future__ import annotations

import math
from datetime import datetime

from edge_asd.detectors.scores import score_value, told_apart
from edge_asd.monitor.alarms import State
from edge_asd.monitor.sinks.big_letters import big
from edge_asd.monitor.sinks.cells import UNICODE, Glyphs, Line, clean, crop, cut, ends, fit, width, wrap
from edge_asd.monitor.sinks.scene import STATE_TONES, UNJUDGED, URGENCY, Scene, Watched
from edge_asd.monitor.sinks.sparkline import chart, strip
from edge_asd.monitor.wording import duration_text, state_text, state_word

MOST_BLOCKS = 4
"""Sources that are shown in blocks; more are rows of a table."""

_LABEL = 9  # cells left of a chart
_LOWEST_DB = -80.0  # of the meter
_CHART_ROWS = (4, 12)
_MOST_LINES = 2  # of an event
_LOUD_DB = -0.5
_TOO_LOUD = " TOO LOUD"
_HIGH_LOAD = 0.8
_EVENT_ROWS = 3  # are left for events at least, where there is room for blocks
_STATE = max(width(word) for word in map(state_word, STATE_TONES))


def draw(scene: Scene, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Lay out a scene.

    Parameters
    ----------
    scene : Scene
    columns, rows : int >= 1
        Of the terminal.
    glyphs : Glyphs

    Returns
    -------
    lines : list of Line
        At most `rows`, each at most `columns` cells wide.
    """
    lines = [_title(scene, columns, glyphs)]
    room = rows - 1
    if len(scene.sources) == 1:
        lines += _detail(scene, columns, room, glyphs)
    else:
        board = _board(scene, glyphs)
        lines += [board] if board else []
        room -= len(lines) - 1
        each = (room - 1 - _EVENT_ROWS) // max(1, len(scene.sources))
        if len(scene.sources) <= MOST_BLOCKS and each >= 4:
            for source in scene.sources:
                lines += _block(source, columns, min(each, 9), glyphs)
        else:
            lines += _table(scene, columns, max(2, room - 1 - _EVENT_ROWS), glyphs)
    lines += _events(scene, columns, rows - len(lines), glyphs)
    return [crop(line, columns, glyphs) for line in lines[:rows]]


def running_text(seconds: float) -> str:
    """Write a time that goes on, to the second: ``0:12:34``, ``3 d 01:02:03``."""
    whole = int(seconds)
    days, hours = divmod(whole // 3600, 24)
    rest = f"{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{days} d {hours:02}:{rest}" if days else f"{hours}:{rest}"


def _title(scene: Scene, columns: int, glyphs: Glyphs) -> Line:
    right = f"{scene.now:%Y-%m-%d %H:%M:%S}  running {running_text(scene.running_s)}"
    return [(ends("edge-asd monitor  Ctrl-C stops", right, columns, glyphs), "faint")]


def _detail(scene: Scene, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    source = scene.sources[0]
    tone = STATE_TONES[source.state]
    word = big(state_word(source.state), glyphs)
    if width(word[0]) + 2 > columns or rows < 20:
        word = [state_word(source.state)]
    lines: list[Line] = [[(fit(f"  {row}", columns, glyphs), tone)] for row in word]
    lines.append([(f"  {state_text(source.state)}{_since(source, scene)}", tone if tone != "alarm" else "bad")])
    lines.append([(f"{clean(source.name, glyphs)}: ", "strong"), (_subject(source, glyphs), "")])
    lines.append(_scores(source, glyphs))
    below = [_level(source, columns - 44, glyphs), _figures(source)]
    if board := _board(scene, glyphs):
        below.append(board)
    least, most = _CHART_ROWS
    height = max(least, min(most, rows - len(lines) - 1 - len(below) - _EVENT_ROWS - 2))
    lines += _chart(source, columns, height, glyphs, scale=True)
    lines.append(_axis(source, columns, glyphs))
    return lines + below


def _block(source: Watched, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Draw a source in `rows` >= 4."""
    badge = _badge(source.state, glyphs)
    return [
        [
            (badge, STATE_TONES[source.state]),
            (" " * (_STATE + 3 - width(badge)), ""),
            (f"{cut(clean(source.name, glyphs), 16, glyphs)}   ", "strong"),
            *_scores(source, glyphs),
            (f"   {_subject(source, glyphs)}", ""),
        ],
        *_chart(source, columns, rows - 2, glyphs, scale=False),
        [
            *_level(source, columns - 64 - (len(_TOO_LOUD) if _loud(source) else 0), glyphs),
            ("  ", ""),
            *_figures(source, short=True),
        ],
    ]


def _table(scene: Scene, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Draw a row a source, and how many have none; the most urgent first where not all have room."""
    sources = list(scene.sources)
    hidden: list[Watched] = []
    if len(sources) > rows - 1:
        sources.sort(key=lambda source: URGENCY.index(source.state))
        keep = max(0, rows - 2)
        sources, hidden = sources[:keep], sources[keep:]
    spare = max(0, columns - 80)
    name, machine, spark = 11 + spare // 3, 9 + spare // 6, 11 + spare // 3
    heads = (" STATE", _STATE + 1, False), ("SOURCE", name, False), ("MACHINE", machine, False), ("SCORE", 8, True)
    more = ("LIMIT", 8, True), ("LATEST", spark, False), ("dB", 4, True), ("LOST", 5, True), ("LOAD", 4, True)
    lines: list[Line] = [
        [(" ".join(fit(text, cells, glyphs, right=right) for text, cells, right in heads + more), "faint")]
    ]
    for source in sources:
        status, last = source.status, source.history.last
        ours, limit = ("-", "-") if last is None else told_apart(last.score, last.threshold)
        if max(len(ours), len(limit)) > 8 and last is not None:
            ours, limit = (_number(score_value(score), 8) for score in (last.score, last.threshold))
        words = clean(f"{source.subject.machine} {source.section}", glyphs)
        lines.append([
            (fit(_badge(source.state, glyphs), _STATE + 1, glyphs), STATE_TONES[source.state]),
            (f" {fit(clean(source.name, glyphs), name, glyphs)} {fit(words, machine, glyphs)} ", ""),
            (f"{ours:>8} {limit:>8} ", "bad" if last is not None and last.anomaly else ""),
            *strip(source.history.columns(status.time_s, spark), last.threshold if last else 0, glyphs),
            (
                f" {_number(status.level_db, 4):>4} {_short(status.lost_s):>5} {_percent(status.load):>4}",
                "warn" if status.lost_s else "",
            ),
        ])  # fmt: skip
    if hidden:
        states = [source.state for source in hidden]
        counts = ", ".join(f"{states.count(state)} {state}" for state in URGENCY if state in states)
        lines.append([(f"not shown: {counts}", "warn")])
    return lines


def _chart(source: Watched, columns: int, rows: int, glyphs: Glyphs, *, scale: bool) -> list[Line]:
    cells = max(1, columns - _LABEL - 1)
    last = source.history.last
    picture = chart(source.history.columns(source.status.time_s, cells), last.threshold if last else 0, rows, glyphs)
    labels = {picture.threshold_row: _number(score_value(last.threshold), _LABEL - 1) if last else "threshold"}
    if scale and last is not None:
        labels = {0: _number(picture.top, _LABEL - 1), rows - 1: _number(picture.bottom, _LABEL - 1)} | labels
    return [
        [
            (f"{labels.get(row, ''):>{_LABEL}}", "threshold" if row == picture.threshold_row else "faint"),
            (glyphs.axis, "faint"),
            *line,
        ]
        for row, line in enumerate(picture.rows)
    ]


def _axis(source: Watched, columns: int, glyphs: Glyphs) -> Line:
    span = duration_text((columns - _LABEL - 1) * source.history.column_s)
    text = ends(f"{span} ago    {glyphs.line} threshold   {glyphs.mark} over it", "now", columns - _LABEL - 1, glyphs)
    return [(" " * (_LABEL + 1) + text, "faint")]


def _subject(source: Watched, glyphs: Glyphs) -> str:
    text = source.subject.machine + (f", section {source.section}" if source.section else "")
    return clean(f"{text} ({source.status.description})" if source.status.description else text, glyphs)


def _since(source: Watched, scene: Scene) -> str:
    if source.since is None:
        return ""
    return f"; since {_clock(source.since, scene)}"


def _clock(time: datetime, scene: Scene) -> str:
    return f"{time:%H:%M:%S}" if time.date() == scene.now.date() else f"{time:%m-%d %H:%M}"


def _scores(source: Watched, glyphs: Glyphs) -> Line:
    last = source.history.last
    if last is None:
        return [("no score yet", "faint")]
    ours, limit = told_apart(last.score, last.threshold)
    unit = clean(source.subject.unit, glyphs)
    if source.state in UNJUDGED:
        return [(f"last score {ours} {unit}, threshold {limit}", "faint")]
    if last.anomaly:
        return [(f"score {ours} {unit} OVER the threshold {limit}", "bad")]
    return [(f"score {ours} {unit}, threshold {limit}", "")]


def _badge(state: State, glyphs: Glyphs) -> str:
    """Write a state so that an alarm stands out without colours, too."""
    side = glyphs.mark if state is State.alarm else " "
    return f"{side}{state_word(state)}{side}"


def _level(source: Watched, cells: int, glyphs: Glyphs) -> Line:
    """Draw a meter of `cells`, with its figures."""
    level, peak = source.status.level_db, source.status.peak_db
    text = "no sound" if level is None else f"{level:.1f} dB"
    if level is not None and peak is not None:
        text += f", peak {peak:.1f}"
    cells = max(0, cells)
    full, top = _place(level, cells), _place(peak, cells)
    meter = glyphs.full * full + glyphs.empty * (cells - full)
    if top:
        meter = meter[: top - 1] + glyphs.peak + meter[top:]
    return [
        (f"{'level':>{_LABEL}}{glyphs.axis}", ""),
        (meter, "meter"),
        (f"{glyphs.axis} {text}", ""),
        (_TOO_LOUD if _loud(source) else "", "bad"),
    ]


def _loud(source: Watched) -> bool:
    return source.status.peak_db is not None and source.status.peak_db > _LOUD_DB


def _place(level_db: float | None, cells: int) -> int:
    if level_db is None or not math.isfinite(level_db):
        return 0
    return max(0, min(cells, round((level_db - _LOWEST_DB) / -_LOWEST_DB * cells)))


def _figures(source: Watched, *, short: bool = False) -> Line:
    status = source.status
    lost, load = ("lost", "") if short else ("sound lost", " of real time")
    return [
        (f"{lost} {duration_text(status.lost_s)}", "warn" if status.lost_s else ""),
        (f"  load {_percent(status.load)}{load}", "warn" if (status.load or 0) > _HIGH_LOAD else ""),
        (f"  alarms {source.alarms}", "bad" if source.alarms else ""),
    ]


def _board(scene: Scene, glyphs: Glyphs) -> Line:
    board = scene.board
    parts: Line = []
    if board.temperature_c is not None:
        parts.append((f"board {board.temperature_c:.0f} {'°' if glyphs is UNICODE else ''}C  ", ""))
    if board.now:
        parts.append((f"NOW: {', '.join(board.now)}  ", "bad"))
    if board.before:
        parts.append((f"since its start: {', '.join(board.before)}", "warn"))
    return parts


def _events(scene: Scene, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """List the latest events, the last of them first."""
    if rows < 2:
        return []
    title = f"{glyphs.rule * 2} Events, the latest first "
    lines: list[Line] = [[(title + glyphs.rule * (columns - width(title)), "faint")]]
    if not scene.told:
        return [*lines, [("none yet", "faint")]]
    named = len(scene.sources) > 1
    for told in list(scene.told)[:-rows:-1]:
        when = f"{_clock(told.time, scene)}  "
        who = f"{cut(clean(told.source, glyphs), 16, glyphs)}: " if named and told.source else ""
        texts = wrap(who + clean(told.text, glyphs), columns - width(when), _MOST_LINES, glyphs)
        lines += [[((" " * width(when) if i else when) + text, told.tone)] for i, text in enumerate(texts)]
    return lines[:rows]


def _number(value: float | None, cells: int) -> str:
    """Write a number with as many decimals as there is room for, two at most."""
    if value is None:
        return "-"
    return next((text for digits in (2, 1) if len(text := f"{value:.{digits}f}") <= cells), f"{value:.0f}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{min(share, 9.99):.0%}"


def _short(seconds: float) -> str:
    """Write a length of time in five cells."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{min(seconds / size, 9999):.0f}{unit}"
    return f"{seconds:.0f}s"
