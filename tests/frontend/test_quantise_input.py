"""Decibels to a model's int8 input: NumPy, C and the definition agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_asd.errors import EdgeAsdError
from edge_asd.frontend import input_multiplier, quantise
from edge_asd.frontend.tables import FLOOR_DB

DECIBELS = hnp.arrays(np.int32, st.integers(0, 300), elements=st.integers(FLOOR_DB, 50 << 16))
ANY_INT32 = hnp.arrays(np.int32, st.integers(0, 300), elements=st.integers(-(2**31), 2**31 - 1))
ZERO_POINTS = st.integers(-128, 127)


@given(DECIBELS, st.floats(0.05, 5), ZERO_POINTS)
@settings(max_examples=100, deadline=None)
def test_within_one_of_the_definition(db: np.ndarray, scale: float, zero_point: int) -> None:
    q, saturated = quantise(db, input_multiplier(scale), zero_point)
    exact = np.round(db / 65536 / scale) + zero_point
    assert q.dtype == np.int8
    assert np.abs(q - np.clip(exact, -128, 127)).max(initial=0) <= 1
    assert abs(saturated - np.count_nonzero((exact < -128) | (exact > 127))) <= np.count_nonzero(
        (np.abs(exact + 128.5) < 1) | (np.abs(exact - 127.5) < 1)
    )


@given(ANY_INT32, st.integers(1, 2**31 - 1), ZERO_POINTS)
@settings(max_examples=100, deadline=None)
def test_c_gives_the_same(db: np.ndarray, multiplier: int, zero_point: int) -> None:
    native = pytest.importorskip(
        "edge_asd.frontend.native", reason="the C front end is not built", exc_type=ImportError
    )
    q, saturated = quantise(db, multiplier, zero_point)
    c_q, c_saturated = native.quantise(db, multiplier, zero_point)
    np.testing.assert_array_equal(c_q, q)
    assert c_saturated == saturated


def test_known_values() -> None:
    db = np.array([-100.0, -50.0, 0.0, 0.4999, 0.5, 1.0, 200.0]) * 65536
    q, saturated = quantise(db.astype(np.int32), input_multiplier(1.0), 10)
    assert q.tolist() == [-90, -40, 10, 10, 11, 11, 127]
    assert saturated == 1


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), 1e-6, 1e-320, 1e6])
def test_impossible_scales_are_refused(scale: float) -> None:
    with pytest.raises(EdgeAsdError, match="scale"):
        input_multiplier(scale)


def test_multiplier_limits() -> None:
    assert input_multiplier(1.0) == 65536
    assert input_multiplier(65536.0) == 1
    assert input_multiplier(2**-15 * 1.0000001) < 2**31
