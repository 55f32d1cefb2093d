from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from edge_asd.distance.blocks import LOG2_PER_DB
from edge_asd.frontend.logarithm import POWER_FRACTION_BITS, bit_length, exp2, log2, power_of_two

ONE = 1 << 16


def of(function, value: int, dtype=np.int64) -> int:
    return int(function(np.array([value], dtype=dtype))[0])


@given(st.integers(1, 2**64 - 1))
@example(1)
@example(2**64 - 1)
def test_log2_is_within_its_bound(value):
    assert abs(of(log2, value, np.uint64) / ONE - math.log2(value)) <= 4.4e-5 + 1 / ONE


def test_log2_of_zero_lies_below_every_floor():
    assert of(log2, 0, np.uint64) == -(2**30)


@given(st.integers(-40 * ONE, 0))
@example(0)
@example(-1)
@example(-ONE)
def test_exp2_is_within_its_bound(exponent):
    power = 2.0 ** (exponent / ONE)
    assert abs(of(exp2, exponent) / 2**30 - power) <= 3.1e-5 * power + 2**-31


def test_whole_exponents_are_exact_and_small_powers_vanish():
    assert [of(exp2, -n * ONE) for n in range(33)] == [
        math.floor(Fraction(2**30, 2**n) + Fraction(1, 2)) for n in range(33)
    ]
    assert [of(exp2, -n * ONE) for n in (33, 100, 32767)] == [0, 0, 0]


@given(st.integers(-8 * ONE, 0))
def test_one_undoes_the_other(exponent):
    assert abs(of(log2, of(exp2, exponent), np.uint64) - 30 * ONE - exponent) <= 1


@given(st.integers(0, 2**53 - 1))
def test_bit_length_is_pythons(value):
    assert of(bit_length, value) == value.bit_length()


def test_power_of_two_is_within_its_bound_wherever_the_front_end_reaches():
    decibels = np.arange(-157 * 256, 51 * 256)  # Q8.8: every value there is
    exponents = decibels * LOG2_PER_DB
    assert np.abs(exponents).max() < 2**31
    for scale in (28, 36, 44):
        exact = 2.0 ** (exponents / 2**POWER_FRACTION_BITS + scale)
        assert (np.abs(power_of_two(exponents, scale) - exact) <= 3.8e-5 * exact + 0.5).all()


def test_power_of_two_rises_and_stays_below_the_next_whole_power():
    exponents = np.arange(-3 << POWER_FRACTION_BITS, 1 << POWER_FRACTION_BITS, 997)
    powers = power_of_two(exponents, 36)
    assert (np.diff(powers.astype(np.int64)) >= 0).all()
    assert powers.max() < 2**37
    assert power_of_two(np.array([0, -(52 << POWER_FRACTION_BITS), 16 << POWER_FRACTION_BITS]), 36).tolist() == [
        2**36,
        0,
        2**52,
    ]
