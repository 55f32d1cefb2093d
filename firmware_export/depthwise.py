"""Filters of a depthwise convolution in the order of its kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asd.firmware_export.matrix import Matrix, Words


@dataclass(frozen=True, eq=False)
class Depthwise:
    """Filters as the rows of a matrix, one for each output channel.

    The stream holds for each 4 channels: 4 sums to start from; for each place of the filter two words, the weights of
    channels 0 and 2, and of 1 and 3, as halfwords; 4 x {multiplier, addend, shift}. The DSP kernel reads the places of a
    row in the order 1, 2, 0.

    Attributes
    ----------
    layer : Matrix [rows: output channels, columns: places of the filter]
    plain : bool
        3 x 3, one filter for each input channel: the DSP kernel's case.
    """

    layer: Matrix
    plain: bool

    @property
    def quick(self) -> bool:
        """The DSP kernel can compute it exactly."""
        rows = len(self.layer.weights)
        right = self.layer.right
        return (
            self.plain
            and rows % 4 == 0
            and (self.layer.low, self.layer.high) == (-128, 127)
            and self.layer.reach < 1 << 29
            and bool((right >= 1).all() and (right <= 22).all())
        )

    def stream(self, dsp: bool) -> Words:
        """Order of the DSP kernel, which holds sums twice as large, or of the others."""
        layer = self.layer
        factor = 2 if dsp else 1
        addend = (1 << (layer.right - 1)) + (layer.zero_point << layer.right) if dsp else np.zeros_like(layer.shifts)
        shift = layer.right if dsp else layer.shifts
        missing = -len(layer.weights) % 4
        order = [1, 2, 0, 4, 5, 3, 7, 8, 6] if dsp else slice(None)
        weights = np.pad(layer.weights[:, order] * factor, [(0, missing), (0, 0)])
        start = np.pad(layer.full_bias * factor, (0, missing))
        constants = np.pad(np.stack([layer.multipliers, addend, shift], axis=1), [(0, missing), (0, 0)])
        parts = []
        for first in range(0, len(weights), 4):
            four = weights[first : first + 4].T & 0xFFFF  # (places, 4)
            pairs = np.stack([four[:, 0] | four[:, 2] << 16, four[:, 1] | four[:, 3] << 16], axis=1)
            parts += [start[first : first + 4], pairs.reshape(-1), constants[first : first + 4].reshape(-1)]
        return (np.concatenate(parts) & 0xFFFFFFFF).astype(np.uint32)
