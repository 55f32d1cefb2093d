"""Whole accumulators to whole steps of an output: the two roundings of TFLite's fixed-point arithmetic."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


def fixed_multiplier(real: float) -> tuple[int, int]:
    """Return (m, s) with real = m * 2^(s - 31), m of 31 bits, as TFLite's QuantizeMultiplier does.

    Below 2^-32 both are 0.
    """
    fraction, shift = math.frexp(real)
    fixed = math.floor(fraction * 2**31 + 0.5)
    if fixed == 2**31:
        fixed, shift = fixed // 2, shift + 1
    return (fixed, shift) if shift >= -31 else (0, 0)


def rounded_once(accumulators: Integers, multiplier: int, shift: int) -> Integers:
    """Multiply and round, halves away from zero: what LiteRT's reference kernels do in fully connected layers."""
    products = accumulators * multiplier
    result: Integers = (products + (1 << (30 - shift)) - (products < 0)) >> (31 - shift)
    return result


def rounded_twice(accumulators: Integers, multiplier: int, shift: int) -> Integers:
    """Multiply into 32 bits, rounded, and round again, halves away from zero: the same with double rounding."""
    products = (accumulators << max(shift, 0)) * multiplier
    # C's division truncates, so each sign has a nudge of its own.
    nudged = np.where(products >= 0, products + (1 << 30), products + (1 - (1 << 30)))
    high = np.where(nudged >= 0, nudged >> 31, -(-nudged >> 31))
    right = max(-shift, 0)
    mask = (1 << right) - 1
    result: Integers = (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))
    return result
