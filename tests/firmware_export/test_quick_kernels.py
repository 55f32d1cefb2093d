"""The processors' own kernels are exact wherever the exporter chooses them.

Their 32-bit arithmetic is done in NumPy, on the streams that they read. Products and sums wrap, as in registers;
the reference computes without bounds.
"""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis.extra.numpy import arrays

from edge_asd.firmware_export.depthwise import Depthwise
from edge_asd.firmware_export.matrix import Matrix
from edge_asd.requantisation import rounded_once, rounded_twice

Int64 = npt.NDArray[np.int64]


def wrapped(x: Int64) -> Int64:
    """Keep the low 32 bits, with their sign."""
    result: Int64 = ((x + 2**31) & 0xFFFFFFFF) - 2**31
    return result


def halves(words: Int64) -> Int64:
    """Split words into their two halfwords, with signs, along a last axis."""
    both = np.stack([words & 0xFFFF, words >> 16 & 0xFFFF], axis=-1)
    result: Int64 = (both ^ 0x8000) - 0x8000
    return result


def low_bytes(x: Int64) -> Int64:
    """Keep the low byte of each, with its sign: SXTB16."""
    result: Int64 = ((x & 0xFF) ^ 0x80) - 0x80
    return result


def saturated(x: Int64) -> Int64:
    """SSAT to 8 bits."""
    result: Int64 = np.clip(x, -128, 127)
    return result


def reference(m: Matrix, x: Int64) -> Int64:
    sums = m.weights @ (x - m.input_zero_point) + m.bias
    rounded = rounded_twice if m.twice else rounded_once
    scaled = [int(rounded(sums[i : i + 1], int(m.multipliers[i]), int(m.shifts[i]))[0]) for i in range(len(sums))]
    result: Int64 = np.clip(np.array(scaled) + m.zero_point, m.low, m.high)
    return result


def dsp(m: Matrix, x: Int64) -> Int64:
    """Do what edge_asd_matrix_dsp.c does."""
    columns = -(-len(x) // 8) * 8
    fours = np.pad(x, (0, columns - len(x))).reshape(-1, 4)
    u = fours[:, 1::2] - 127
    y = 256 * fours[:, ::2] - u
    assert (np.abs(np.stack([2 * u + 1, 2 * y + 1])) < 2**16).all()  # SSUB16 keeps 16 bits
    size = 2 if m.quads else 4
    group = m.dsp().astype(np.int64).reshape(len(m.weights) // size, -1)
    words = halves(group[:, : -4 * size].reshape(len(group), -1, size))  # [group, four columns, row, half]
    sums = np.zeros((len(group), size), np.int64)
    for four in range(columns // 4):
        for values, inputs in ((words[:, four], u[four]), (low_bytes(words[:, four]), y[four])):
            sums = wrapped(sums + (values * inputs).sum(axis=-1))
    constants = group[:, -4 * size :].reshape(-1, 4)
    bias, multipliers, addends, shifts = (wrapped(constants[:, i]) for i in range(4))
    sums = sums.reshape(-1)
    if m.twice and not m.floors:
        sums = wrapped(bias + (sums >> 7))
        high = (sums * multipliers + (1 << 31)) >> 32
        sums = wrapped(wrapped(high + addends) + (sums >> 31))
    else:
        sums = wrapped(sums + bias)
        sums = wrapped((sums * multipliers >> 32) + addends)
    result: Int64 = np.clip(saturated(sums >> shifts), m.low, m.high)
    return result


def helium_rounded(sums: Int64, multipliers: Int64, right: Int64, m: Matrix) -> Int64:
    """Do what edge_asd_store_rounded of edge_asd_helium.h does."""
    if m.twice:
        value = (2 * sums * multipliers + (1 << 31)) >> 32
        value = wrapped(value + (value >> 31))
    else:
        value = wrapped(sums << 8) * multipliers >> 32
    value = wrapped(value + (1 << (right - 1))) >> right
    result: Int64 = np.clip(wrapped(value + m.zero_point), m.low, m.high)
    return result


def helium(m: Matrix, x: Int64) -> Int64:
    """Do what edge_asd_matrix_helium.c does."""
    blocks = -(-len(x) // 16)
    stream = m.helium().reshape(len(m.weights) // 4, -1)
    weights = np.ascontiguousarray(stream[:, :-12]).view(np.int8).reshape(-1, blocks, 4, 16).astype(np.int64)
    sums = wrapped(np.einsum("gbrc,bc->gr", weights, np.pad(x, (0, blocks * 16 - len(x))).reshape(blocks, 16)))
    constants = wrapped(stream[:, -12:].astype(np.int64)).reshape(-1, 3, 4)
    bias, multipliers, shifts = (constants[:, i].reshape(-1) for i in range(3))
    return helium_rounded(wrapped(sums.reshape(-1) + bias), multipliers, -shifts, m)


def extreme(low: int, high: int) -> st.SearchStrategy[int]:
    return st.one_of(st.sampled_from([low, high, 0]), st.integers(low, high))


@st.composite
def matrices(draw: st.DrawFn, rows: int = 4, most: int = 19) -> Matrix:
    """Draw weights, scales and biases; some biases bring the largest sum next to 2^23."""
    columns = draw(st.integers(1, most))
    least = draw(st.sampled_from([-127, -127, -128]))
    weights = draw(arrays(np.int64, (rows, columns), elements=extreme(least, 127)))
    twice, zero = draw(st.booleans()), draw(extreme(-128, 127))
    shifts = draw(arrays(np.int64, rows, elements=st.integers(-23, 0) if twice else st.integers(-15, 7)))
    multipliers = draw(arrays(np.int64, rows, elements=extreme(2**30, 2**31 - 1).map(lambda n: max(n, 2**30))))
    bias = draw(arrays(np.int64, rows, elements=extreme(-(2**22), 2**22)))
    zero_point = draw(extreme(-128, 127))
    low = zero_point if draw(st.booleans()) else -128
    m = Matrix(weights, bias, multipliers, shifts, zero, zero_point, low, 127, twice, draw(st.booleans()))
    if draw(st.booleans()):
        ends = np.stack([weights * (-128 - zero), weights * (127 - zero)])
        m = replace(m, bias=2**23 - ends.max(axis=0).sum(axis=1) - draw(st.integers(0, 2)))
    return m


def inputs_of(m: Matrix, columns: int, drawn: Int64) -> list[Int64]:
    """Inputs that make each row's sum largest and smallest, and a drawn one."""
    ends = [np.where(row > 0, high, low) for row in m.weights for low, high in ((-128, 127), (127, -128))]
    return [*ends, drawn[:columns]]


COLUMNS = arrays(np.int64, 19, elements=extreme(-128, 127))
PLACES = arrays(np.int64, (9, 8), elements=extreme(-128, 127))


def check_matrix(m: Matrix, drawn: Int64) -> None:
    assume(m.quick)
    for x in inputs_of(m, m.weights.shape[1], drawn):
        expected = reference(m, x)
        np.testing.assert_array_equal(dsp(m, x), expected)
        np.testing.assert_array_equal(helium(m, x), expected)


@settings(max_examples=60)
@given(matrices(), COLUMNS)
def test_matrices(m: Matrix, drawn: Int64) -> None:
    check_matrix(m, drawn)


@pytest.mark.prove
@settings(max_examples=3000)
@given(matrices(), COLUMNS)
def test_many_matrices(m: Matrix, drawn: Int64) -> None:
    check_matrix(m, drawn)


def test_the_bounds_are_the_last_exact_ones() -> None:
    """One more, and the quick kernels would be wrong: no model is slower than it has to be."""
    weights = np.full((4, 8), 127)
    bias = np.full(4, 2**23 - 8 * 127 * 255 - 1)
    least = Matrix(weights, bias, np.full(4, 2**31 - 1), np.full(4, -15), -128, 0, -128, 127, False, False)
    x = np.full(8, 127)
    assert least.quick
    np.testing.assert_array_equal(dsp(least, x), reference(least, x))
    more = replace(least, bias=bias + 1)
    assert not more.quick
    assert (dsp_of_all(more, x) != reference(more, x)).all()


def dsp_of_all(m: Matrix, x: Int64) -> Int64:
    """Run the DSP kernel although the bound is passed."""
    m.__dict__["quick"] = True
    return dsp(m, x)


def depthwise_dsp(kernel: Depthwise, x: Int64) -> Int64:
    """Do what edge_asd_depthwise_dsp.c does, at one place [filter place, channel]."""
    channels = len(kernel.layer.weights)
    stream = wrapped(kernel.dsp().astype(np.int64)).reshape(channels // 4, 4 + 9 * 2 + 4 * 3)
    result = []
    for group, row in enumerate(stream):
        four = x[[1, 2, 0, 4, 5, 3, 7, 8, 6], 4 * group : 4 * group + 4]
        pairs = halves(row[4:22].reshape(9, 2))  # [place, word, half]: channels 0, 2 and 1, 3
        weights = np.stack([pairs[:, 0, 0], pairs[:, 1, 0], pairs[:, 0, 1], pairs[:, 1, 1]], axis=1)
        sums = wrapped(row[:4] + np.cumsum(four * weights, axis=0))[-1]
        multipliers, addends, right = row[22:].reshape(4, 3).T
        high = wrapped(((sums * multipliers + (1 << 31)) >> 32) + addends)
        signs = 0 if kernel.floors else sums >> 31
        result.append(saturated(wrapped(high + signs) >> right))
    return np.concatenate(result)


def depthwise_helium(kernel: Depthwise, x: Int64) -> Int64:
    """Do what edge_asd_depthwise_helium.c does, at one place."""
    channels = len(kernel.layer.weights)
    stream = kernel.helium().reshape(channels // 4, 4 + 9 + 8)
    result = []
    for group, row in enumerate(stream):
        weights = np.ascontiguousarray(row[4:13]).view(np.int8).reshape(9, 4).astype(np.int64)
        start, constants = wrapped(row[:4].astype(np.int64)), wrapped(row[13:].astype(np.int64))
        sums = wrapped(start + (weights * x[:, 4 * group : 4 * group + 4]).sum(axis=0))
        result.append(helium_rounded(sums, constants[:4], -constants[4:], kernel.layer))
    return np.concatenate(result)


def check_depthwise(m: Matrix, drawn: Int64, bias: int) -> None:
    weights = np.resize(m.weights, (8, 9))
    layer = replace(m, weights=weights, bias=np.resize([bias, -bias], 8), shifts=np.clip(m.shifts, -22, -1), twice=True)
    layer = replace(layer, low=-128)
    kernel = Depthwise(layer, True)
    assume(kernel.dsp_quick and kernel.helium_quick)
    ends = [np.where(weights.T > 0, high, low) for low, high in ((-128, 127), (127, -128))]
    for x in (*ends, drawn):
        sums = (weights.T * (x - layer.input_zero_point)).sum(axis=0) + layer.bias
        scaled = [rounded_twice(sums[i : i + 1], int(layer.multipliers[i]), int(layer.shifts[i]))[0] for i in range(8)]
        expected = np.clip(np.array(scaled) + layer.zero_point, layer.low, layer.high)
        np.testing.assert_array_equal(depthwise_helium(kernel, x), expected)
        np.testing.assert_array_equal(depthwise_dsp(kernel, x), expected)


@settings(max_examples=40)
@given(matrices(rows=8, most=9), PLACES, extreme(0, 2**29))
def test_depthwise(m: Matrix, drawn: Int64, bias: int) -> None:
    check_depthwise(m, drawn, bias)


@pytest.mark.prove
@settings(max_examples=1500)
@given(matrices(rows=8, most=9), PLACES, extreme(0, 2**29))
def test_many_depthwise(m: Matrix, drawn: Int64, bias: int) -> None:
    check_depthwise(m, drawn, bias)
