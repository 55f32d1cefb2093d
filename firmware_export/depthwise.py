"""Filters of a depthwise convolution in the order of each processor's kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asd.firmware_export.matrix import Int64, Matrix, Words, packed


@dataclass(frozen=True, eq=False)
class Depthwise:
    """Filters as the rows of a matrix, one for each output channel.

    The portable stream holds for each 4 channels: 4 sums to start from; for each place of the filter two words, the
    weights of channels 0 and 2, and of 1 and 3, as halfwords; 4 x {multiplier, 0, shift}. The DSP kernel's is of the
    same form, with twice the weights, the places of a row in the order 1, 2, 0, and addends that round and add
    the zero point. Helium's holds 4 sums, a word of weights for each place, 4 multipliers and 4 shifts.

    Attributes
    ----------
    layer : Matrix [rows: output channels, columns: places of the filter]
    plain : bool
        3 x 3, one filter for each input channel: the case of the processors' own kernels.
    """

    layer: Matrix
    plain: bool

    @property
    def helium_quick(self) -> bool:
        """Helium's kernel can compute it exactly."""
        right = self.layer.right
        return (
            self.plain
            and len(self.layer.weights) % 4 == 0
            and self.layer.reach < 1 << 29
            and bool((right >= 1).all() and (right <= 22).all())
        )

    @property
    def dsp_quick(self) -> bool:
        """The DSP kernel, which has no other range than int8's, can compute it exactly."""
        return self.helium_quick and (self.layer.low, self.layer.high) == (-128, 127)

    @property
    def floors(self) -> bool:
        """Negative sums all become -128: the sign need not be heeded in rounding (`Matrix.floors`)."""
        return self.layer.zero_point == -128

    def portable(self) -> Words:
        """Order for any processor."""
        layer = self.layer
        constants = np.stack([layer.multipliers, np.zeros_like(layer.shifts), layer.shifts], axis=1)
        return self._halfwords(layer.weights, layer.full_bias, constants)

    def dsp(self) -> Words:
        """Order for Cortex-M's DSP instructions."""
        if not self.dsp_quick:
            return self.portable()
        layer = self.layer
        addend = (1 << (layer.right - 1)) + (layer.zero_point << layer.right)
        constants = np.stack([layer.multipliers, addend, layer.right], axis=1)
        return self._halfwords(2 * layer.weights[:, [1, 2, 0, 4, 5, 3, 7, 8, 6]], 2 * layer.full_bias, constants)

    def helium(self) -> Words:
        """Order for Helium."""
        if not self.helium_quick:
            return self.portable()
        layer = self.layer
        parts = []
        for first in range(0, len(layer.weights), 4):
            four = slice(first, first + 4)
            tail = np.concatenate([layer.multipliers[four], -layer.right[four]])
            parts += [_words(layer.full_bias[four]), packed(layer.weights[four].T.reshape(-1)), _words(tail)]
        return np.concatenate(parts)

    @staticmethod
    def _halfwords(weights: Int64, start: Int64, constants: Int64) -> Words:
        missing = -len(weights) % 4
        weights, constants = (np.pad(values, [(0, missing), (0, 0)]) for values in (weights, constants))
        start = np.pad(start, (0, missing))
        parts = []
        for first in range(0, len(weights), 4):
            four = weights[first : first + 4].T & 0xFFFF  # (places, 4)
            pairs = np.stack([four[:, 0] | four[:, 2] << 16, four[:, 1] | four[:, 3] << 16], axis=1)
            parts += [start[first : first + 4], pairs.reshape(-1), constants[first : first + 4].reshape(-1)]
        return _words(np.concatenate(parts))


def _words(values: Int64) -> Words:
    return (values & 0xFFFFFFFF).astype(np.uint32)
