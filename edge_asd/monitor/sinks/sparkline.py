"""Scores of the last minutes against their threshold, drawn in a terminal's cells."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from itertools import groupby

from edge_asd.detectors.scores import score_value
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.sinks.cells import Glyphs, Line

COLUMN_S = 5.0
"""Time that a column stands for [s], unless decisions come more seldom."""

_MOST_COLUMNS = 400
_LEAST_STEP = 1e-4  # of the scale, in the scores' unit
_NO_JITTER = 0.75  # a time between decisions that is shorter by more than this is a shorter one
_EIGHTHS = 8


@dataclass(slots=True)
class Column:
    """The greatest score of a few seconds.

    Attributes
    ----------
    score : int [Q15.16]
    over : bool
        It was over its threshold.
    """

    score: int
    over: bool


class History:
    """Keeps the greatest score of each few seconds, counted in samples.

    Attributes
    ----------
    last : Decision or None
        The latest.
    column_s : float [s]
        Time that a column stands for.
    """

    def __init__(self) -> None:
        self.last: Decision | None = None
        self.column_s = COLUMN_S
        self._origin = 0.0
        self._spaced = False  # the time between two decisions was looked at
        self._columns: deque[tuple[int, Column]] = deque(maxlen=_MOST_COLUMNS)

    def push(self, decision: Decision) -> None:
        """Take the next decision."""
        if self.last is not None:
            self._space(decision.time_s - self.last.time_s)
        self.last = decision
        place = self._place(decision.time_s)
        if self._columns and self._columns[-1][0] == place:
            column = self._columns[-1][1]
            column.score = max(column.score, decision.score)
            column.over = column.over or decision.anomaly
        else:
            self._columns.append((place, Column(decision.score, decision.anomaly)))

    def columns(self, now_s: float, count: int) -> list[Column | None]:
        """Return the last `count` columns, the latest being the last; None where there was no decision.

        Parameters
        ----------
        now_s : float [s]
            How far the source is, which may be well after the last decision.
        """
        if self.last is None:
            return [None] * count
        # The decision of this moment may be yet to come, and must not make the picture jump to and fro.
        end = max(self._place(now_s - self.column_s / 2), self._place(self.last.time_s))
        out: list[Column | None] = [None] * count
        for place, column in reversed(self._columns):
            if place <= end - count:
                break
            out[count - 1 - (end - place)] = column
        return out

    def _place(self, time_s: float) -> int:
        if self.column_s == COLUMN_S:
            return math.floor(time_s / COLUMN_S)
        # Decisions lie in the middle of columns where each has its own: rounding must not put two into one.
        return math.floor((time_s - self._origin) / self.column_s + 0.5)

    def _space(self, interval_s: float) -> None:
        wanted = max(COLUMN_S, interval_s)
        if self._spaced and wanted > self.column_s * _NO_JITTER:
            return
        if wanted != self.column_s and self.last is not None:
            self.column_s, self._origin = wanted, self.last.time_s
            self._columns.clear()
            self._columns.append((self._place(self.last.time_s), Column(self.last.score, self.last.anomaly)))
        self._spaced = True


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of scores: rows from the top, one of which is the threshold.

    Attributes
    ----------
    rows : list of Line
    threshold_row : int
    top, bottom : float
        Scores at the upper and the lower edge, in the scores' unit.
    """

    rows: list[Line]
    threshold_row: int
    top: float
    bottom: float


def chart(columns: list[Column | None], threshold: int, rows: int, glyphs: Glyphs) -> Chart:
    """Draw scores around their threshold, which stays in its place whatever the scores are.

    Where a score was over it, the threshold's row has a mark, so that it is seen without colours and however little
    it was; the same step is above as below.

    Parameters
    ----------
    columns : list of (Column or None)
    threshold : int [Q15.16]
    rows : int >= 2
    glyphs : Glyphs
    """
    above = (rows - 1) // 2
    below = rows - 1 - above
    limit = score_value(threshold)
    values = [score_value(column.score) - limit for column in columns if column is not None]
    # Healthy scores lie but a few percent below their threshold: 1 percent of it fills the part below at least.
    need = max(
        max(values, default=0) / max(above, 1), -min(values, default=0) / below, abs(limit) / 100 / below, _LEAST_STEP
    )
    step = _rounded_up(need)
    pictures = [
        (" " * above + glyphs.line + " " * below, "threshold")
        if column is None
        else _column(score_value(column.score) - limit, column.over, step, above, below, glyphs)
        for column in columns
    ]
    lines = [
        [
            ("".join(one[0] for one in group), tone)
            for tone, group in groupby(
                ((picture[row], "threshold" if picture[row] == glyphs.line else tone) for picture, tone in pictures),
                key=lambda one: one[1],
            )
        ]
        for row in range(rows)
    ]
    return Chart(lines, above, limit + step * above, limit - step * below)


def strip(columns: list[Column | None], threshold: int, glyphs: Glyphs) -> Line:
    """Draw scores in one row: a mark where one was over the threshold, which is the row's upper edge."""
    parts = chart(columns, threshold, 2, glyphs).rows
    marks = "".join(text for text, _ in parts[0])
    bars = "".join(text for text, _ in parts[1])
    pairs = [(mark, "over") if mark == glyphs.mark else (bar, "under") for mark, bar in zip(marks, bars, strict=True)]
    return [("".join(text for text, _ in group), tone) for tone, group in groupby(pairs, key=lambda pair: pair[1])]


def _column(value: float, over: bool, step: float, above: int, below: int, glyphs: Glyphs) -> tuple[str, str]:
    if over:
        high = _clamped(math.ceil(value / step * _EIGHTHS), 0, above * _EIGHTHS)
        return _bar(high, above, glyphs) + glyphs.mark + glyphs.bars[_EIGHTHS] * below, "over"
    # A decision is always seen, be it ever so low.
    high = _clamped(math.floor((value / step + below) * _EIGHTHS), 1, below * _EIGHTHS)
    return " " * above + glyphs.line + _bar(high, below, glyphs), "under"


def _bar(eighths: int, rows: int, glyphs: Glyphs) -> str:
    """Draw a bar of so many eighths, from the top down."""
    full, rest = divmod(eighths, _EIGHTHS)
    text = glyphs.bars[_EIGHTHS] * full + (glyphs.bars[rest] if rest else "")
    return text[::-1].rjust(rows)


def _clamped(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


def _rounded_up(value: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten, so that the scale seldom changes."""
    power = 10.0 ** math.floor(math.log10(value))
    return next((power * factor for factor in (1, 2, 5) if power * factor >= value), power * 10)
