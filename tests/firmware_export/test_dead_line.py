"""The dead-input rule of the firmware is that of `edge_asd.audio.health`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.audio.health import MAX_CLIPPED_SHARE, DeadLine, clipped_places, is_silent
from tests.audio.test_health import signals
from tests.firmware_export.c_library import ffi, lib, samples
from tests.firmware_export.sounds import Pcm, blocks, sounds

RATES = (1000, 8000, 11025, 16_000, 22051, 48_000)


class CDeadLine:
    """`DeadLine` by the C."""

    def __init__(self, rate: int, count: int = 0) -> None:
        self.state = ffi.new("edge_asd_dead_line *")
        assert lib.edge_asd_dead_line_init(self.state, rate)
        self.state.count = count

    def push(self, pcm: Pcm) -> list[tuple[int, int]]:
        stretch, ended, found = ffi.new("edge_asd_stretch *"), ffi.new("bool *"), []
        place, pointer = 0, samples(pcm)
        while place < pcm.size:
            place += lib.edge_asd_dead_line_push(self.state, pointer + place, pcm.size - place, stretch, ended)
            found += [(stretch.start, stretch.stop)] if ended[0] else []
        return found

    def now(self) -> tuple[Any, ...]:
        line = (self.state.line.start, self.state.line.stop) if self.state.is_line else None
        return self.state.count, line, lib.edge_asd_dead_line_is_dead(self.state)


def assert_equal(pcm: Pcm, rate: int, seed: int, usual: int, start: int = 0) -> None:
    """The two agree after every block, when the C begins at `start`."""
    python, c = DeadLine(rate), CDeadLine(rate, start)
    heard = 0
    for block in blocks(pcm, seed, usual):
        expected = [tuple(place + start for place in stretch) for stretch in python.push(block)]
        assert c.push(block) == expected
        line = tuple(place + start for place in python.line) if python.line is not None else None
        assert c.now() == (python.count + start, line, python.dead)
        heard += block.size
        assert min(c.state.first, *c.state.last) >= -c.state.window - 1  # what is kept is no older than the window
        if heard > 0 and start == 0:
            assert c.state.is_silent is is_silent(pcm[:heard])


@settings(max_examples=200)
@given(signals(), st.integers(0, 999))
def test_the_rule_is_pythons_after_every_block(pcm: Pcm, seed: int) -> None:
    assert_equal(pcm, 1000, seed, usual=100)


@pytest.mark.parametrize("rate", RATES)
def test_the_rule_is_pythons_at_every_rate(rate: int) -> None:
    @settings(max_examples=40)
    @given(sounds(rate), st.integers(0, 999), st.sampled_from([rate // 100, rate // 4, 4 * rate]))
    def prove(pcm: Pcm, seed: int, usual: int) -> None:
        assert_equal(pcm, rate, seed, usual)

    prove()


@pytest.mark.prove
@pytest.mark.parametrize("rate", RATES)
def test_the_rule_is_pythons_on_hours_of_sound(rate: int) -> None:
    @settings(max_examples=1000)
    @given(sounds(rate, most=30), st.integers(0, 999), st.sampled_from([rate // 100, rate // 4, 4 * rate]))
    def prove(pcm: Pcm, seed: int, usual: int) -> None:
        assert_equal(pcm, rate, seed, usual)

    prove()


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 5]), st.sampled_from([1, 2, 4, 8]), st.integers(0, 2))
def test_the_rule_is_pythons_where_values_wander(seed: int, step: int, run: int, mean: int) -> None:
    """Runs of a value, one after the other, in which windows of three values begin and end all the time."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-step, step + 1, 300)
    values = np.cumsum(steps) if mean == 0 else steps * mean
    assert_equal(np.repeat(values, rng.integers(1, run + 1, 300)).astype(np.int16), 1000, seed, 3)


@given(sounds(1000), st.sampled_from([2**32, 2**33, 2**63]), st.integers(0, 3000), st.integers(0, 99))
def test_after_weeks_places_are_as_right_as_at_first(pcm: Pcm, limit: int, before: int, seed: int) -> None:
    assert_equal(pcm, 1000, seed, 300, start=limit - before)


def test_days_of_zeros() -> None:
    zeros, line, rate = np.zeros(1 << 24, np.int16), CDeadLine(48_000), 48_000
    for _ in range(3):
        line.push(zeros)
    line.state.count += 2**33
    line.state.line.stop += 2**33
    assert line.push(zeros) == []
    assert line.push(np.tile(np.array([-99, 99], np.int16), rate)) == [(0, 4 * 2**24 + 2**33)]


@given(
    st.lists(
        st.sampled_from([-32768, -32767, -16385, -16384, -1, 0, 0, 0, 0, 1, 16383, 16384, 32766, 32767]), max_size=50
    )
)
def test_clipped_samples_are_pythons(values: list[int]) -> None:
    pcm = np.array(values, np.int16)
    assert lib.edge_asd_count_clipped(samples(pcm), pcm.size) == clipped_places(pcm).size


@given(st.integers(0, 2**40), st.integers(1, 2**40))
def test_the_clipped_share_is_pythons(clipped: int, count: int) -> None:
    for k in (clipped, count // 1000, count // 1000 + 1):
        assert lib.edge_asd_is_clipped(k, count) is (k / count > MAX_CLIPPED_SHARE)


@pytest.mark.parametrize("rate", [0, 999, 1_000_001, 2**32 - 1])
def test_a_rate_out_of_range_is_refused(rate: int) -> None:
    assert lib.edge_asd_dead_line_init(ffi.new("edge_asd_dead_line *"), rate) is False


def test_half_a_second_rounds_as_in_python() -> None:
    for rate in range(1000, 2000):
        line = CDeadLine(rate).state
        expected = DeadLine(rate)
        assert (line.window, line.click, line.least) == (expected.window, expected.click, expected.least)
