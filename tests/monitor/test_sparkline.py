"""Scores against their threshold in a terminal's cells."""

from __future__ import annotations

import pytest

from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.sinks.cells import ASCII, UNICODE
from edge_asd.monitor.sinks.sparkline import Column, History, chart, strip
from tests.monitor.terminal_scenes import text_of

LIMIT = 10 << 16


def column(value: float, *, over: bool | None = None) -> Column:
    score = round(value * 65536)
    return Column(score, score > LIMIT if over is None else over)


def history(times: list[float], values: list[float]) -> History:
    made = History()
    for time, value in zip(times, values, strict=True):
        score = round(value * 65536)
        made.push(Decision(time, "00", score, LIMIT, score > LIMIT))
    return made


def test_the_threshold_stays_in_its_row_and_what_is_over_it_is_marked() -> None:
    picture = chart([column(8), column(10), column(11), None, column(14)], LIMIT, 5, UNICODE)
    assert (picture.threshold_row, picture.top, picture.bottom) == (2, 14.0, 6.0)
    # 8 is half of the part below, 10 fills it and is not over it; 11 is a half of a row over it.
    assert text_of(picture.rows).splitlines() == ["    █", "  ▄ █", "━━▲━▲", " ██ █", "███ █"]
    assert [line for line in picture.rows[2] if line[1] == "over"] == [("▲", "over"), ("▲", "over")]


@pytest.mark.parametrize("rows", [2, 3, 8])
def test_a_score_that_is_over_by_a_hair_is_seen(rows: int) -> None:
    scarcely = Column(LIMIT + 1, True)
    for glyphs in (UNICODE, ASCII):
        picture = chart([Column(LIMIT, False), scarcely, column(30)], LIMIT, rows, glyphs)
        marks = "".join(text for text, _ in picture.rows[picture.threshold_row])
        assert marks == glyphs.line + glyphs.mark * 2
        assert "".join(text for text, _ in strip([Column(LIMIT, False), scarcely], LIMIT, glyphs))[1] == glyphs.mark


def test_negative_scores_and_equal_ones_have_a_scale() -> None:
    picture = chart([Column(-5 << 16, False)], -4 << 16, 5, UNICODE)
    assert (picture.top, picture.bottom) == (-3.0, -5.0)
    assert chart([Column(0, False)], 0, 5, UNICODE).top > 0
    assert chart([None], 0, 5, UNICODE).top > 0


def test_a_column_is_the_greatest_score_of_five_seconds() -> None:
    made = history([float(i) for i in range(10, 25)], [9, 9, 9, 11, 9, 9, 8, 7, 6, 5, 9, 9, 9, 9, 9])
    assert made.columns(24.0, 4) == [None, column(11), column(9), column(9)]
    assert made.columns(34.0, 4) == [column(9), column(9), None, None]  # no decisions for a while


@pytest.mark.parametrize("interval", [5.0, 7.008, 60.0, 3600.0])
def test_seldom_decisions_have_a_column_each(interval: float) -> None:
    times = [10.0 + i * interval for i in range(50)]
    made = history(times, [float(i) for i in range(50)])
    assert made.columns(times[-1], 40) == [column(float(i)) for i in range(10, 50)]


def test_a_gap_after_the_first_decision_is_not_taken_for_the_interval() -> None:
    times = [10.0, 500.0, *(501.0 + i for i in range(100))]
    made = history(times, [9.0] * len(times))
    assert made.column_s == 5.0
    assert made.columns(600.0, 15) == [column(9)] * 15
