from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from edge_asd.detectors.scores import SCORE_MAX, RollingScore, mean_score, score_value

SCORES = st.integers(0, SCORE_MAX) | st.integers(0, 5)


def exact_mean(scores) -> int:
    return math.floor(Fraction(sum(scores), len(scores)) + Fraction(1, 2))


@given(st.lists(SCORES, min_size=1, max_size=400))
@example([0, 1])  # one half: up
@example([SCORE_MAX] * 400)
def test_a_mean_is_exact_and_rounded_half_up(scores):
    assert mean_score(np.array(scores, dtype=np.int32)) == exact_mean(scores)


def test_a_mean_of_more_than_int32_can_sum_is_exact():
    assert mean_score(np.full(100_000, SCORE_MAX, dtype=np.int32)) == SCORE_MAX


@given(st.lists(SCORES, max_size=60), st.integers(1, 20))
def test_a_rolling_score_is_the_mean_of_the_last_windows_after_every_one(scores, windows):
    rolling = RollingScore(windows)
    for end in range(1, len(scores) + 1):
        found = rolling.push(scores[end - 1])
        last = np.array(scores[max(0, end - windows) : end], dtype=np.int32)
        assert found == (mean_score(last) if end >= windows else None)


def test_a_score_in_db2():
    assert [score_value(score) for score in (0, 1, 65536, SCORE_MAX)] == [0.0, 2**-16, 1.0, 32768 - 2**-16]
