"""Ends of a float model made ready for int8: logits out, and one input channel."""

from __future__ import annotations

import numpy as np

from quantize.graph import Graph


def prepare(content: bytes) -> bytes:
    """Drop a final softmax, and feed a convolution of equal channels by one.

    An int8 softmax has 256 steps of 1/256, so that scores below its smallest probability all tie;
    logits keep them apart. A convolution over copies of one channel is one over that channel by the
    sum of the kernels, exactly.

    Parameters
    ----------
    content : bytes
        A float32 .tflite.

    Returns
    -------
    content : bytes

    Raises
    ------
    ModelError
        If the model holds an operation that neither baseline has.
    """
    graph = Graph(content)
    last = graph.operations[-1]
    if last.kind == "SOFTMAX":
        graph.drop(last, last.inputs[0])
    first, second = graph.operations[:2]
    if first.kind == "CONCATENATION" and set(first.inputs) == {graph.input} and second.kind == "CONV_2D":
        copies = len(first.inputs)
        kernel = graph.constant(second.weights).astype(np.float64)
        height, width, channels = kernel.shape[1:]
        summed = kernel.reshape(len(kernel), height, width, copies, channels // copies).sum(axis=3)
        graph.set_constant(second.weights, summed.astype(np.float32))
        graph.drop(first, graph.input)
    return graph.to_bytes()
