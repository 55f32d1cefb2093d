"""A survey says of blocks what the rules for arrays say of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.audio.health import clipped_share, dead_place, is_silent
from edge_asd.audio.stream import Pcm
from edge_asd.audio.survey import Survey

RATE = 1000
PARTS = ("noise", "constant", "dither", "loud", "click")


def made(parts: list[tuple[str, int]]) -> Pcm:
    rng = np.random.default_rng(1)
    kinds = {
        "noise": lambda n: rng.integers(-900, 900, n),
        "constant": lambda n: np.full(n, 7),
        "dither": lambda n: rng.integers(6, 9, n),
        "loud": lambda n: np.where(rng.random(n) < 0.5, 32767, -32768),
        "click": lambda n: np.full(1, 5000),
    }
    return np.concatenate([kinds[kind](n) for kind, n in parts]).astype(np.int16)


@given(
    parts=st.lists(st.tuples(st.sampled_from(PARTS), st.integers(1, 1500)), min_size=1, max_size=8),
    block=st.integers(1, 2000),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_it_says_what_is_said_of_the_whole(parts: list[tuple[str, int]], block: int) -> None:
    pcm = made(parts)
    survey = Survey(RATE)
    for start in range(0, pcm.size, block):
        survey.push(pcm[start : start + block])
    assert survey.size == pcm.size
    assert survey.silent == is_silent(pcm)
    assert survey.dead_place() == dead_place(pcm, RATE)
    assert survey.clipped_share() == clipped_share(pcm)
    assert survey.clipped_share(0.9) == clipped_share(pcm, 0.9)


@pytest.mark.parametrize("lengths", [(700, 900), (900, 700), (800, 800)])
def test_the_longest_dead_place_is_told_and_of_equal_ones_the_first(lengths: tuple[int, int]) -> None:
    pcm = made([("noise", 100), ("constant", lengths[0]), ("noise", 100), ("constant", lengths[1])])
    survey = Survey(RATE)
    survey.push(pcm)
    start = 0.1 if lengths[0] >= lengths[1] else 0.2 + lengths[0] / RATE
    assert survey.dead_place().startswith(f"is dead from {start:.2f} s")
