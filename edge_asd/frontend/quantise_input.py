"""Fixed-point decibels to a model's int8 input, in integers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from edge_asd.errors import ModelError


def input_multiplier(scale: float) -> int:
    """Return the reciprocal of an input scale as an integer, round(2^16 / scale).

    Parameters
    ----------
    scale : float > 0 [dB]
        Step of the int8 input.

    Raises
    ------
    ModelError
        If the multiplier does not fit a positive int32.
    """
    if not (math.isfinite(scale) and scale > 0) or not 1 <= (m := round(2**16 / Fraction(scale))) < 2**31:
        raise ModelError(f"The model's input scale {scale} dB cannot be used; it must lie between 3.1e-5 and 65536 dB.")
    return m


def quantise(frames: npt.NDArray[np.int32], multiplier: int, zero_point: int) -> tuple[npt.NDArray[np.int8], int]:
    """Quantise: clamp(zero_point + floor((x * multiplier + 2^31) / 2^32), -128, 127).

    The product of a Q15.16 and a Q16 number is rounded half up by its high word; |x * multiplier|
    is less than 2^62.

    Parameters
    ----------
    frames : ndarray, int32 [dB in Q15.16]
    multiplier : int
        `input_multiplier` of the model's input scale.
    zero_point : int, -128 to 127

    Returns
    -------
    values : ndarray, int8 [shape of `frames`]
    saturated : int
        How many values were cut off.
    """
    exact = ((frames.astype(np.int64) * multiplier + (1 << 31)) >> 32) + zero_point
    values = np.clip(exact, -128, 127)
    return values.astype(np.int8), int(np.count_nonzero(values != exact))
