"""Sound that is none, by the one definition that all commands share."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_asd.audio.health import (
    Clipping,
    DeadLine,
    clipped_share,
    clipping_text,
    dead_stretches,
    dead_text,
    is_silent,
    level_db,
    wrong_scale,
)
from edge_asd.audio.recording_file import read_recording

Pcm = npt.NDArray[np.int16]
RATE = 16_000
WINDOW, CLICK, LEAST = 160, 8, 8000


def defined(pcm: Pcm, rate: int) -> list[tuple[int, int]]:
    """The definition, sample by sample."""
    window, click, least = rate // 100, rate // 2000, rate // 2
    samples = pcm.tolist()
    lines: list[list[int]] = []
    for place in range(window - 1, len(samples)):
        first = place - window + 1
        flat = samples[first : place + 1]
        if max(flat) - min(flat) > 2:
            continue
        if lines and first <= lines[-1][1] + click and abs(samples[first] - samples[lines[-1][1] - 1]) <= 2:
            lines[-1][1] = place + 1
        else:
            lines.append([first, place + 1])
    return [(start, stop) for start, stop in lines if stop - start >= least]


def found(pcm: Pcm, rate: int, cuts: list[int]) -> list[tuple[int, int]]:
    """Dead stretches of a stream that comes in blocks."""
    line, ended = DeadLine(rate), []
    places = [0, *sorted(cut for cut in cuts if cut < pcm.size), pcm.size]
    for start, stop in itertools.pairwise(places):
        ended += line.push(pcm[start:stop])
    return [tuple(stretch) for stretch in ended + ([line.line] if line.line is not None and line.dead else [])]


@st.composite
def signals(draw: st.DrawFn) -> Pcm:
    """Flat pieces, clicks, steps, drifts and noise, around the lengths that count at 1 kHz, and anywhere in int16."""
    level = draw(st.sampled_from([-32768, -2, 0, 1000, 32767]))
    parts: list[npt.NDArray[np.int64]] = []
    for _ in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(["constant", "dither", "click", "step", "drift", "noise"]))
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        n = draw(st.sampled_from([1, 9, 10, 11, 60, 240, 489, 490, 499, 500, 501]))
        if kind == "click":
            n = draw(st.integers(1, 2))
            parts.append(np.full(n, level + 500))
        elif kind == "step":
            level += draw(st.integers(-4, 4))
        elif kind == "drift":
            parts.append(level + np.arange(n) // 4)
        else:
            width = {"constant": 0, "dither": 1, "noise": 9}[kind]
            parts.append(level + rng.integers(-width, width + 1, n))
    joined = np.concatenate(parts) if parts else np.zeros(1)
    return np.clip(joined, -32768, 32767).astype(np.int16)


@settings(max_examples=150)
@given(signals(), st.lists(st.integers(0, 2000), max_size=20) | st.just(list(range(600))))
@example(np.zeros(0, np.int16), [])
def test_the_rule_is_its_definition_whatever_the_blocks(pcm: Pcm, cuts: list[int]) -> None:
    expected = defined(pcm, 1000)
    assert found(pcm, 1000, cuts) == expected
    assert [tuple(stretch) for stretch in dead_stretches(pcm, 1000)] == expected


def noise(n: int, seed: int = 1) -> Pcm:
    return np.rint(np.random.default_rng(seed).normal(0, 300, n)).astype(np.int16)


def dead_from(line: Pcm) -> list[tuple[int, int]]:
    """Put a line between noise that cannot be part of it."""
    around = np.full(WINDOW, 900, np.int16) + np.arange(WINDOW, dtype=np.int16) * 9
    return found(np.concatenate([noise(5000), around, line, -around, noise(5000, 2)]), RATE, [])


DITHER = np.random.default_rng(3).integers(-1, 2, 20_000).astype(np.int16)


@pytest.mark.parametrize("level", [0, -1, 1, -3, 1200, 32766, -32767])
@pytest.mark.parametrize("dither", [False, True])
def test_half_a_second_within_one_of_a_constant_is_dead(level: int, dither: bool) -> None:
    line = (level + DITHER * dither).astype(np.int16)
    assert dead_from(line[:LEAST]) == [(5160, 5160 + LEAST)]
    assert dead_from(line[: LEAST - 1]) == []


def test_clicks_of_a_few_samples_do_not_revive_a_line() -> None:
    for click, lines in ((CLICK, [(5160, 5160 + 2 * 5000 + CLICK)]), (CLICK + 1, [])):
        line = np.concatenate([DITHER[:5000], np.full(click, 9000), DITHER[:5000]]).astype(np.int16)
        assert dead_from(line) == lines


def test_a_line_that_steps_is_two() -> None:
    line = np.zeros(LEAST, np.int16)
    line[LEAST // 2 :] = 3
    assert dead_from(line) == []
    line[LEAST // 2 :] = 2
    assert dead_from(line) == [(5160, 5160 + LEAST)]


@pytest.mark.parametrize("level", [1.5, 2, 3, 10])
def test_the_quietest_noise_is_alive(level: float) -> None:
    pcm = np.rint(np.random.default_rng(4).normal(0, level, 20 * RATE)).astype(np.int16)
    assert dead_stretches(pcm, RATE) == []


def test_no_real_clip_is_dead_anywhere(mimii_mini: Path) -> None:
    clips = sorted(mimii_mini.rglob("*.wav"))
    assert len(clips) > 50
    for clip in clips:
        recording = read_recording(clip)
        assert dead_text(recording.pcm, RATE) == ""
        line = DeadLine(RATE)
        line.push(recording.pcm)
        assert line.line is None


@pytest.mark.parametrize(
    ("pcm", "text"),
    [
        (np.zeros(3, np.int16), "holds only zeros. Remove it, or record it again: a muted or unplugged input"),
        (np.full(9, -1, np.int16), "is silent: all its samples are -1. Remove it"),
        (DITHER, "is silent: all its samples lie between -1 and 1. Remove it"),
        (np.concatenate([noise(RATE), DITHER[:12_000]]), "is dead from 1.00 s to 1.75 s (its samples stay within 1 of"),
        (noise(RATE), ""),
    ],
)
def test_what_is_said_of_a_recording(pcm: Pcm, text: str) -> None:
    said = dead_text(pcm, RATE)
    assert said.startswith(text)
    assert bool(said) == bool(text)
    if pcm.max() - pcm.min() <= 2:
        assert is_silent(pcm)


def test_channels_with_sound_are_named_instead_of_the_advice_to_record_again() -> None:
    zeros = np.zeros(RATE, np.int16)
    assert dead_text(zeros, RATE, channel=0, sounding=(1,)) == (
        "holds only zeros in channel 0; channel 1 has sound. Choose it with --channel 1."
    )
    assert dead_text(zeros, RATE, channel=1, sounding=(0, 2)) == (
        "holds only zeros in channel 1; channels 0, 2 have sound. Choose it with --channel 0."
    )


def test_clipping() -> None:
    pcm = noise(10_000)
    pcm[:10] = 32767
    assert clipped_share(pcm) == 0.001
    assert clipping_text(clipped_share(pcm)) == ""
    pcm[10] = -32768
    assert clipping_text(clipped_share(pcm)).startswith("is clipped: 0.11% of its samples are at full scale, over 0.1%")
    assert clipped_share(pcm, 0.5) == 0.5


@given(st.lists(st.integers(0, 4000), max_size=30))
def test_the_clipped_share_of_a_stream_is_that_of_its_last_samples(cuts: list[int]) -> None:
    pcm = np.random.default_rng(5).choice(np.array([32767, -32768, 5], np.int16), 4000)
    watch = Clipping(700)
    places = [0, *sorted(cuts), 4000]
    for start, stop in itertools.pairwise(places):
        watch.push(pcm[start:stop])
        last = pcm[max(0, stop - 700) : stop]
        assert watch.share == np.count_nonzero(np.abs(last.astype(int)) > 5) / 700


@pytest.mark.parametrize(
    ("beyond", "largest", "wrong"), [(0.001, 1e30, False), (0.5, 4.0, False), (0.5, 4.1, True), (0.0, 0.0, False)]
)
def test_floats_are_of_another_scale_where_many_go_far_beyond_one(beyond: float, largest: float, wrong: bool) -> None:
    assert bool(wrong_scale(beyond, largest)) is wrong


def test_level() -> None:
    t = np.arange(16000) / 16000
    assert level_db(np.full(100, -32768, dtype=np.int16)) == 0.0
    assert level_db(np.round(16384 * np.sin(2 * np.pi * 100 * t)).astype(np.int16)) == pytest.approx(-9.031, abs=1e-3)
    assert level_db(np.array([1, -1], dtype=np.int16)) == pytest.approx(-90.309, abs=1e-3)
    assert level_db(np.zeros(10, dtype=np.int16)) == -200.0
