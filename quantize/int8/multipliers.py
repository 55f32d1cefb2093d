"""Multipliers of an int8 model that runtimes can compute with, whatever its weights and ranges.

XNNPACK loads no model with a multiplier of 256 or more, and the other kernels shift the accumulator to the left, in
32 bits, where a multiplier exceeds a half. Layers that are always zero have such multipliers, and channels whose
values are mostly cut off.
"""

from __future__ import annotations

import numpy as np

from edge_asd.quantize.int8.graph import Graph

_LARGEST = 255.0
"""An accumulator of one reaches an end of the output from any zero point."""

_ROOM = 2.0**30
"""The most that an accumulator times its multiplier may be: the shift is by up to twice the multiplier."""


def bound_multipliers(int8_model: bytes) -> bytes:
    """Lower multipliers that runtimes cannot compute with; the integers of weights and biases stay.

    Outputs stay, too, at an end of their range or at zero, but for those of accumulators of a few steps where
    accumulators reach so far that a multiplier must be less than 255.

    Returns
    -------
    int8_model : bytes
        The same bytes where no multiplier is too large.
    """
    graph, changed = Graph(int8_model), False
    for operation in graph.weighted:
        (step,), (zero_point,) = graph.quantisation(operation.inputs[0])
        (output,), _ = graph.quantisation(operation.output)
        scales, _ = graph.quantisation(operation.weights)
        weights = np.moveaxis(graph.constant(operation.weights).astype(np.int64), operation.channel_axis, 0)
        reach = max(127 - int(zero_point), 128 + int(zero_point))
        most = np.abs(weights.reshape(len(weights), -1)).sum(axis=1) * reach
        most += np.abs(graph.constant(operation.bias).astype(np.int64))
        bounds = np.minimum(_LARGEST, _ROOM / np.maximum(most, 1)) * (output / step)
        if np.any(scales > bounds):
            scales = np.minimum(scales, bounds.astype(np.float32))
            graph.set_scales(operation.weights, scales)
            graph.set_scales(operation.bias, step * scales)
            changed = True
    return graph.to_bytes() if changed else int8_model
