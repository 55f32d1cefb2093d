"""A matrix of int8 weights with all that turns its products into int8 values, and its order for each kernel.

The quick kernels of Cortex-M's DSP instructions and of Helium keep 32-bit accumulators of 256 times the sum;
`Matrix.quick` tells where that is exact. A stream holds, group after group of rows, the weights and behind them what
belongs to the rows, so that the kernels read behind one pointer:

========  ====  ==========================================================================================
kernel    rows  a group
========  ====  ==========================================================================================
portable  4     for each column a word of four bytes, weight + 128 of each row; 4 x {bias, multiplier, shift}
DSP       4     for each 4 columns, a word for each row; 4 x {bias, multiplier, addend, shift}
DSP, 4 v  2     the same for pairs of rows, read once for four vectors
Helium    4     for each 16 columns, four words for each row; 4 biases, 4 multipliers, 4 shifts
CMSIS-NN  all   the rows' weights as in the model, filled up to a word; biases, multipliers, shifts
========  ====  ==========================================================================================

A DSP word holds two halfwords 256 h + l of a high and a low weight. With u = x_h - 127 and y = 256 x_l - u, which both
fit 16 bits, (256 h + l) u + l y = 256 (h x_h + l x_l - 127 h): two dual multiplications and one extraction for four
weights. The share -127 h is put right in the bias.

Two roundings are one floor where whatever is negative becomes the least value, as behind a ReLU (`Matrix.floors`). With
the real product P = sum * multiplier / 2^31, which is not negative, and a right shift r:

    round(round(P) / 2^r) = floor((floor(P + 1/2) + 2^(r-1)) / 2^r) = floor((P + 1/2 + 2^(r-1)) / 2^r)

and of 128 P, the high word of 256 sum * multiplier, the fraction cannot change that floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]

DSP_COLUMNS, HELIUM_COLUMNS = 8, 16
"""Columns are filled up with zeros to a multiple of these."""

_ROOM = 1 << 23  # 256 times an accumulator fits 32 bits below


@dataclass(frozen=True, eq=False)
class Matrix:
    """y = clamp(zero_point + rescale(weights (x - input_zero_point) + bias)) for vectors x of int8.

    Attributes
    ----------
    weights : ndarray, int64 [shape=(rows, columns)], -128 to 127
    bias : ndarray, int64 [shape=(rows,)]
    multipliers, shifts : ndarray, int64 [shape=(rows,)]
        The ratio of scales is multiplier * 2^(shift - 31).
    input_zero_point, zero_point : int
    low, high : int
        Least and greatest value of the activation function.
    twice : bool
        Rounded twice (`edge_asd.requantisation.rounded_twice`), not once.
    quads : bool
        Vectors come four at a time.
    """

    weights: Int64
    bias: Int64
    multipliers: Int64
    shifts: Int64
    input_zero_point: int
    zero_point: int
    low: int
    high: int
    twice: bool
    quads: bool

    @cached_property
    def full_bias(self) -> Int64:
        """Bias less the share of the input's zero point: added to weights times x."""
        full: Int64 = self.bias - self.input_zero_point * self.weights.sum(axis=1)
        return full

    @cached_property
    def reach(self) -> int:
        """Largest magnitude of an accumulator, whatever the input."""
        return int(reaches(self.weights, self.bias, self.input_zero_point).max())

    @cached_property
    def quick(self) -> bool:
        """The kernels of 256 times the accumulator are exact."""
        rows, _ = self.weights.shape
        ends = np.stack([self.weights * -128, self.weights * 127])
        ends[:, :, 1::2] = np.stack([self.weights[:, 1::2] * -255, self.weights[:, 1::2] * 0])
        inner = max(int(ends.max(axis=0).sum(axis=1).max()), -int(ends.min(axis=0).sum(axis=1).min()))
        return (
            rows % 4 == 0
            and int(self.weights.min()) >= -127
            and max(self.reach, inner) < _ROOM
            and bool((self.right >= 1).all() and (self.right <= 22).all())
            and not self._meets_halves()
        )

    def _meets_halves(self) -> bool:
        """Rounding once, some sum may lie exactly on a half below zero, which the quick kernels would round up.

        A sum is half-way where it holds as many factors of two as the multiplier lacks of 2^(30 - shift). Behind an
        activation that ends at zero it makes no difference.
        """
        if self.twice or self.low >= self.zero_point:
            return False
        factors = np.array([(int(m) & -int(m)).bit_length() - 1 for m in self.multipliers])
        lacking = 30 - self.shifts - factors
        reach = reaches(self.weights, self.bias, self.input_zero_point)
        return bool(((lacking >= 0) & (2.0 ** np.maximum(lacking, 0) <= reach) & (self.multipliers > 0)).any())

    @property
    def floors(self) -> bool:
        """Negative sums all become the least value, so that the DSP kernel may round once what is rounded twice."""
        return self.twice and self.low >= self.zero_point and bool((self.right <= 15).all())

    @property
    def right(self) -> Int64:
        """Places by which the quick kernels shift a product's high word to the right."""
        return -self.shifts if self.twice else 7 - self.shifts

    def portable(self) -> Words:
        """Order for any processor."""
        weights = _filled(self.weights, 4, 1) + 128  # (groups * 4, columns)
        bias = self.full_bias - 128 * self.weights.sum(axis=1)
        tail = np.stack([bias, self.multipliers, self.shifts], axis=1)
        tail = _filled(tail, 4, 1)
        parts = []
        for first in range(0, len(weights), 4):
            group = weights[first : first + 4]
            parts += [packed(group.T.reshape(-1)), _words(tail[first : first + 4].reshape(-1))]
        return np.concatenate(parts)

    def dsp(self) -> Words:
        """Order for Cortex-M's DSP instructions."""
        if not self.quick:
            return self.portable()
        size = 2 if self.quads else 4
        weights = _filled(self.weights, 1, DSP_COLUMNS)
        bytes_ = weights.copy()
        bytes_[:, 1::2] -= weights[:, ::2] < 0  # 256 h + l borrows from h
        bias = self.full_bias + 127 * self.weights[:, 1::2].sum(axis=1)
        right, half = (self.right + 7, 1 << 6) if self.floors else (self.right, 0)
        addend = half + (1 << (right - 1)) + (self.zero_point << right)
        factor = 2 if self.twice and not self.floors else 256
        constants = np.stack([factor * bias, self.multipliers, addend, right], axis=1)
        parts = []
        for first in range(0, len(weights), size):
            group = bytes_[first : first + size].reshape(size, -1, 4).transpose(1, 0, 2)
            parts += [packed(group.reshape(-1)), _words(constants[first : first + size].reshape(-1))]
        return np.concatenate(parts)

    def helium(self) -> Words:
        """Order for Helium."""
        if not self.quick:
            return self.portable()
        weights = _filled(self.weights, 1, HELIUM_COLUMNS)
        constants = np.stack([self.full_bias, self.multipliers, -self.right])
        parts = []
        for first in range(0, len(weights), 4):
            group = weights[first : first + 4].reshape(4, -1, HELIUM_COLUMNS).transpose(1, 0, 2)
            parts += [packed(group.reshape(-1)), _words(constants[:, first : first + 4].reshape(-1))]
        return np.concatenate(parts)

    def cmsis_nn(self) -> Words:
        """Order for the user's own CMSIS-NN."""
        weights = self.weights.reshape(-1)
        constants = np.concatenate([self.full_bias, self.multipliers, self.shifts])
        return np.concatenate([packed(np.pad(weights, (0, -len(weights) % 4))), _words(constants)])


def reaches(weights: Int64, bias: Int64, input_zero_point: int) -> Int64:
    """Return the largest magnitude of each row's accumulator, whatever the input."""
    ends = np.stack([weights * (-128 - input_zero_point), weights * (127 - input_zero_point)])
    highest, lowest = (end.sum(axis=1) + bias for end in (ends.max(axis=0), ends.min(axis=0)))
    largest: Int64 = np.maximum(np.abs(highest), np.abs(lowest))
    return largest


def _filled(values: Int64, rows: int, columns: int) -> Int64:
    """Fill up with zeros to multiples of rows and columns."""
    return np.pad(values, [(0, -values.shape[0] % rows), (0, -values.shape[1] % columns)])


def packed(values: Int64) -> Words:
    """Put four bytes into a word, the first one lowest."""
    return np.ascontiguousarray((values & 0xFF).astype(np.uint8)).view("<u4").astype(np.uint32)


def _words(values: npt.NDArray[Any]) -> Words:
    return (values & 0xFFFFFFFF).astype(np.uint32)
