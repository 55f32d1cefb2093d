"""Cross-layer equalisation: channels of an activation given like ranges, the function unchanged.

After Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019:
relu(s x) = s relu(x) for s > 0, so a channel may be divided by s and the next layer's weights for it
multiplied by s. There both ranges are of weights; our weights have a scale for each output channel,
which s does not touch, so the first range is that of the activation. ReLU6 does not scale: where it
stands between two layers they are left alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.quantize.int8.execution import trace
from edge_asd.quantize.int8.graph import WEIGHTED, Graph, Operation

_LIMIT = 64.0
"""Largest factor of a channel: one that is hardly ever active must not be blown up."""


def equalise(content: bytes, windows: npt.NDArray[np.float32]) -> bytes:
    """Equalise the channels between every two weighted operations that follow each other.

    Parameters
    ----------
    content : bytes
        A float32 .tflite, batch norm folded.
    windows : ndarray, float32 [shape=(n, ...)]
        From which the ranges of channels are taken.
    """
    graph = Graph(content)
    pairs = _pairs(graph)
    largest: dict[int, npt.NDArray[np.float64]] = {}
    for found in trace(graph, windows, [first.output for first, _ in pairs]):
        for tensor, values in found.items():
            peak = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0).astype(np.float64)
            largest[tensor] = np.maximum(largest.get(tensor, 0.0), peak)
    for first, second in pairs:
        weights = graph.constant(second.weights)
        # Input channels are the last axis of every kind of weights.
        reach = np.abs(weights).reshape(-1, weights.shape[-1]).max(axis=0)
        ours = largest[first.output]
        used = (ours > 0) & (reach > 0)
        factor = np.ones_like(ours)
        factor[used] = np.sqrt(ours[used] / reach[used])
        middle = np.exp(np.mean(np.log(factor[used]))) if used.any() else 1.0
        factor = np.where(used, np.clip(factor / middle, 1 / _LIMIT, _LIMIT), 1.0)
        graph.set_constant(second.weights, weights * factor.astype(np.float32))
        shape = [1, 1, 1, 1] if len(graph.shape(first.weights)) == 4 else [1, 1]
        shape[first.channel_axis] = len(factor)
        divided = graph.constant(first.weights) / factor.reshape(shape)
        graph.set_constant(first.weights, divided.astype(np.float32))
        graph.set_constant(first.bias, (graph.constant(first.bias) / factor).astype(np.float32))
    return graph.to_bytes()


def _pairs(graph: Graph) -> list[tuple[Operation, Operation]]:
    found = []
    for first in graph.weighted:
        readers = [other for other in graph.operations if first.output in other.inputs]
        if (
            first.activation != "relu6"
            and first.output != graph.output
            and len(readers) == 1
            and readers[0].kind in WEIGHTED
        ):
            found.append((first, readers[0]))
    return found
