"""The terminal view's pictures: exact ones, and that none leaves its frame."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from edge_asd.monitor.alarms import State
from edge_asd.monitor.board import BoardHealth
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.reports import Report, Status
from edge_asd.monitor.sinks.cells import ASCII, UNICODE, Glyphs, clean, cut, fit, width, wrap
from edge_asd.monitor.sinks.layout import draw
from edge_asd.monitor.sinks.scene import STATE_TONES, URGENCY, Scene, Subject, Told, Watched
from edge_asd.monitor.sinks.terminal import STYLES
from tests.monitor.terminal_scenes import GOLDEN, SCENES, START, VIEWS, pictured, scene, text_of, watched

NASTY = [
    "",
    "\x1b[2J\r\n\t\x07",
    "\u202egnp.exe\u2066",
    "ポンプ室の一号機",
    "a\u0301" * 9,
    "\u05e9\u05dc\u05d5\u05dd 7",
    "\U0001f1e9\U0001f1ea\U0001f469\u200d\U0001f527\u26a0\ufe0f",
    "\udc80",
    "\ufdfd\u0e33\u115f",
    "é" * 600,
]
names = st.sampled_from(NASTY) | st.text(max_size=60)
levels = st.none() | st.floats()
statuses = st.builds(
    Status,
    source=st.just(""),
    section=names,
    state=st.sampled_from(State),
    time_s=st.floats(0, 1e9),
    level_db=levels,
    peak_db=levels,
    load=st.none() | st.floats(0, 1e9),
    lost_s=st.floats(0, 1e9),
    description=names,
)
decisions = st.builds(
    Decision,
    time_s=st.floats(0, 1e9),
    section=names,
    score=st.integers(-(2**31), 2**31),
    threshold=st.integers(-(2**31), 2**31),
    anomaly=st.booleans(),
)


@st.composite
def sources(draw_: st.DrawFn) -> Watched:
    source = Watched(draw_(names), Subject(draw_(names), draw_(names), draw_(names)), draw_(statuses))
    for decision in sorted(draw_(st.lists(decisions, max_size=5)), key=lambda one: one.time_s):
        source.report(Report(decision, START, source.name, State.healthy))
    source.take(source.status, START - timedelta(days=draw_(st.integers(0, 40))))
    return source


scenes = st.builds(
    Scene,
    sources=st.builds(lambda some, times: some * times, st.lists(sources(), max_size=4), st.sampled_from([1, 1, 9])),
    told=st.lists(st.builds(Told, time=st.just(START), source=names, text=names, tone=st.just("bad")), max_size=5),
    now=st.just(START),
    running_s=st.floats(0, 1e9),
    board=st.just(BoardHealth(81.0, ("under-voltage", "frequency capped", "throttled"), ("throttled",))),
)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_situation_looks_as_it_should(name: str) -> None:
    assert pictured(*GOLDEN[name]) == (VIEWS / f"{name}.txt").read_text(encoding="utf-8")


@settings(max_examples=60, deadline=None)
@given(
    scenes,
    st.sampled_from([(80, 24), (80, 24), (40, 12), (200, 60), (1, 1), (12, 3)]),
    st.sampled_from([UNICODE, ASCII]),
)
def test_nothing_leaves_the_frame(made: Scene, size: tuple[int, int], glyphs: Glyphs) -> None:
    lines = draw(made, *size, glyphs)
    assert len(lines) <= size[1]
    for line in lines:
        text = "".join(part for part, _ in line)
        assert text.isprintable()
        assert cell_len(text) <= size[0]
        assert cell_len(text) == width(text)
        assert glyphs is not ASCII or text.isascii()
        assert {tone for _, tone in line} <= {"", *STYLES}


def test_each_state_has_its_word_and_its_sentence_in_the_frame() -> None:
    assert set(STATE_TONES) == set(URGENCY) == set(State)
    for glyphs in (UNICODE, ASCII):
        for state in State:
            source = watched("fan-1", Subject("fan", "dB²", "00"), [600_000], state)
            lines = text_of(draw(scene([source], []), 80, 24, glyphs))
            assert "…" not in lines
            assert "~" not in lines


def test_sources_without_room_are_counted_and_an_alarm_is_never_one_of_them() -> None:
    for count in range(5, 40):
        many = [watched(f"fan-{i}", Subject("fan", "dB²", "00"), [600_000], State.healthy) for i in range(count - 1)]
        last = watched("ill", Subject("fan", "dB²", "00"), [600_000], State.alarm)
        text = text_of(draw(scene([*many, last], []), 80, 24, UNICODE))
        assert "▲ALARM▲      ill" in text
        shown = text.count("HEALTHY") + 1
        assert (f"not shown: {count - shown} healthy" in text) == (shown < count)
        assert shown == count or shown >= 15


def test_four_sources_share_the_screen_and_five_are_a_table() -> None:
    four = SCENES["four"]()
    assert "STATE" not in text_of(draw(four, 80, 24, UNICODE))
    five = replace(four, sources=[*four.sources, four.sources[0]])
    assert "STATE" in text_of(draw(five, 80, 24, UNICODE))


@pytest.mark.parametrize(
    ("text", "shown", "ascii_shown"),
    [
        ("pump\x1b[31m\n", "pump?[31m?", "pump?[31m?"),
        ("Kühlung", "Kühlung", "K?hlung"),
        ("u\u0308", "ü", "?"),
        ("\u202eabc\u200b", "abc", "abc"),
        ("שלום 1", "???? 1", "???? 1"),
        ("dB²", "dB²", "dB^2"),
        ("ポンプ", "ポンプ", "???"),
        ("\udc80", "?", "?"),
    ],
)
def test_a_name_is_made_harmless(text: str, shown: str, ascii_shown: str) -> None:
    assert clean(text) == shown
    assert clean(text, ASCII) == ascii_shown


def test_wide_characters_are_cut_and_filled_by_cells() -> None:
    assert cut("ポンプ室", 5, UNICODE) == "ポン…"
    assert fit("ポンプ室", 6, UNICODE) == "ポン… "
    assert fit("ポンプ", 8, UNICODE, right=True) == "  ポンプ"
    assert wrap("one two three four", 9, 2, UNICODE) == ["one two", "three fo…"]
