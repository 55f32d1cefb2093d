"""Base-2 logarithm and its inverse in integers.

The front end turns mel powers into decibels with `log2`, and the section classifier's score needs
the logarithm of a sum of exponentials. `exp2` walks the same straight lines backwards, so that one
undoes the other up to rounding. That takes a division, too dear for every band of every frame:
`power_of_two` has lines of its own, and a multiplication.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.frontend.spec import FeatureSpec
from edge_asd.frontend.tables import LOG_FRACTION_BITS, LOG_SEGMENTS, fixed_tables

Int64 = npt.NDArray[np.int64]
Uint64 = npt.NDArray[np.uint64]

EXP_FRACTION_BITS = 30
"""`exp2` returns Q1.30."""

POWER_FRACTION_BITS = 25
"""`power_of_two` takes exponents in Q6.25."""

_LINE_BITS = EXP_FRACTION_BITS - 6
_POWER_BITS = 16

POWER_LINES: Int64 = np.array([round(2**_POWER_BITS * 2 ** (i / LOG_SEGMENTS)) for i in range(LOG_SEGMENTS + 1)])
"""2^(i/64) in Q1.16 [shape=(LOG_SEGMENTS + 1,)]: the ends of the lines of `power_of_two`."""


def bit_length(values: Int64) -> Int64:
    """Bits needed for non-negative values below 2^53 (exact: frexp of an exact float64)."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def log2(values: Uint64) -> Int64:
    """Compute the base-2 logarithm of integers.

    Parameters
    ----------
    values : ndarray, uint64

    Returns
    -------
    logarithm : ndarray, int64 [Q15.16]
        Within 4.4e-5; of zero, -2^30: a value below every floor.
    """
    t = fixed_tables(FeatureSpec()).log2
    high = bit_length((values >> np.uint64(32)).astype(np.int64))
    low = bit_length((values & np.uint64(0xFFFFFFFF)).astype(np.int64))
    bits: Int64 = np.where(high > 0, high + 32, low)
    normalised = values << (64 - np.maximum(bits, 1)).astype(np.uint64)  # leading one at bit 63
    mantissa: Int64 = (normalised >> np.uint64(32)).astype(np.int64) & 0x7FFFFFFF
    index = mantissa >> 25  # 6 bits choose the line
    fraction = (mantissa >> 9) & 0xFFFF  # the next 16 the place on it
    logarithm: Int64 = t[index] + (((t[index + 1] - t[index]) * fraction + (1 << 15)) >> 16)
    logarithm = ((bits - 1) << LOG_FRACTION_BITS) + logarithm
    return np.where(bits > 0, logarithm, np.int64(-(1 << 30)))


def exp2(exponents: Int64) -> Int64:
    """Compute powers of two.

    Parameters
    ----------
    exponents : ndarray, int64, at most 0 [Q15.16]

    Returns
    -------
    powers : ndarray, int64, 0 to 2^30 [Q1.30]
        Within 3.1e-5 of the power itself, and half a step.
    """
    t = fixed_tables(FeatureSpec()).log2
    fraction = exponents & ((1 << LOG_FRACTION_BITS) - 1)
    halvings = np.minimum(-(exponents >> LOG_FRACTION_BITS), 32)
    line = np.searchsorted(t, fraction, side="right") - 1
    place = ((fraction - t[line]) << _LINE_BITS) // (t[line + 1] - t[line])
    mantissa = (1 << EXP_FRACTION_BITS) + (line << _LINE_BITS) + place
    powers: Int64 = (mantissa + ((1 << halvings) >> 1)) >> halvings
    return powers


def power_of_two(exponents: Int64, scale: int) -> Uint64:
    """Compute 2^scale times powers of two, cheaply: on a microcontroller, one product of 27 bits and a shift.

    Parameters
    ----------
    exponents : ndarray, int64, -2^31 to 2^31 - 1 [Q6.25]
    scale : int, 0 to 45
        Fractional bits of the powers; the whole exponents and `scale` together stay below 63.

    Returns
    -------
    powers : ndarray, uint64
        Within 3.8e-5 of the power itself, and half a step.
    """
    whole = exponents >> POWER_FRACTION_BITS
    line = (exponents >> (POWER_FRACTION_BITS - 6)) & (LOG_SEGMENTS - 1)  # 6 bits choose the line
    place = (exponents >> (POWER_FRACTION_BITS - 6 - 16)) & 0xFFFF  # the next 16 the place on it
    slope = POWER_LINES[line + 1] - POWER_LINES[line]
    mantissa = POWER_LINES[line] + ((slope * place + (1 << 15)) >> 16)
    up = whole + (scale - _POWER_BITS)
    down = np.minimum(np.maximum(-up, 0), 31)
    powers: Int64 = ((mantissa << np.maximum(up, 0)) + ((1 << down) >> 1)) >> down
    return powers.astype(np.uint64)


assert LOG_SEGMENTS == 1 << 6  # the shifts
