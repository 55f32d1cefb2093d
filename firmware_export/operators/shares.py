"""SOFTMAX in the fixed-point arithmetic of gemmlowp, which all runtimes' reference kernels share.

Formulas: https://github.com/google/gemmlowp/blob/master/fixedpoint/fixedpoint.h
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from edge_asd.firmware_export.operators.checks import Operation
from edge_asd.firmware_export.step import Step
from edge_asd.model_file import ModelFile, Operator
from edge_asd.requantisation import Integers, fixed_multiplier, rounded_twice

_FRACTION = 26
"""Bits behind the point of an exponent, which has five before it."""

_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-1/4), exp(-1/2), .. exp(-16), Q0.31."""

_MOST = 4095
"""Values of a row, so that the sum of their exponentials fits 12 bits before the point."""


def softmax(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> Step:
    """SOFTMAX over the last axis; a table holds what exp() gives for each distance from the largest value."""
    operation = Operation(model, place, operator)
    operation.counts(1)
    x = operation.int8(operation.input(0), "input")
    output = operation.int8(operation.output, "output")
    operation.same_shape(x)
    if (output.scales[0], output.zero_points[0]) != (1 / 256, -128):
        raise operation.refuse("its output's scale is not 1/256, or its zero point not -128")
    if not x.shape or x.shape[-1] > _MOST:
        raise operation.refuse(f"its rows have {x.shape[-1:]} values; at most {_MOST} are possible", "Make them fewer.")
    beta = float(np.uint32(operator.options["beta"]).view(np.float32))
    real = min(beta * float(x.scales[0]) * 2**_FRACTION, 2**31 - 1.0)
    if not (math.isfinite(beta) and real > 1):
        raise operation.refuse(f"its beta is {beta:.3g}, at an input scale of {x.scales[0]:.3g}")
    fields = {"rows": math.prod(x.shape[:-1]), "depth": x.shape[-1]}
    table = _exponentials(*fixed_multiplier(real))
    fields["distances"] = len(table)
    return Step("softmax", operator.inputs, operator.outputs[0], {**fields, "exponential": table}, in_place=True)


def _exponentials(multiplier: int, shift: int) -> npt.NDArray[np.int32]:
    """Return exp(-beta * scale * d), Q0.31, for d = 0, 1, .. as far as runtimes do not take it for 0."""
    largest = (31 << _FRACTION) >> shift
    distances = np.arange(min(largest, 255) + 1, dtype=np.int64)
    return _exp(rounded_twice(-distances, multiplier, shift)).astype(np.int32)


def _product(a: Integers | int, b: Integers | int) -> Integers:
    """Multiply Q0.31 numbers, halves rounded up."""
    result: Integers = (np.asarray(a, np.int64) * b + (1 << 30)) >> 31
    return result


def _halved(x: Integers, times: int) -> Integers:
    """Divide by 2^times, halves rounded away from zero."""
    result: Integers = (x + (1 << (times - 1)) - (x < 0)) >> times
    return result


def _exp(x: Integers) -> Integers:
    """Return exp(x), Q0.31, of x <= 0 in Q5.26."""
    quarter = 1 << (_FRACTION - 2)
    within = (x & (quarter - 1)) - quarter  # -1/4 to 0
    result = _exp_of_a_quarter(within << 5)
    left = within - x  # whole quarters
    for i, power in enumerate(_POWERS):
        result = np.where(left & (quarter << i), _product(result, power), result)
    return np.where(x == 0, 2**31 - 1, result)


def _exp_of_a_quarter(x: Integers) -> Integers:
    """Return exp(x), Q0.31, for -1/4 <= x < 0, by four terms of its series at -1/8."""
    middle, third = 1895147668, 715827883  # exp(-1/8), 1/3
    t = x + (1 << 28)
    square = _product(t, t)
    higher = _halved(_product(square, square), 2) + _product(square, t)
    rest = _halved(_product(higher, third) + square, 1)
    result: Integers = middle + _product(middle, t + rest)
    return result
