"""A float `Graph` computed by TensorFlow, every intermediate result open to view and to change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.quantize.int8.graph import Graph, Operation
from edge_asd.train.backend import import_tensorflow

BATCH = 64

Constants = Mapping[int, Any]
"""Values (arrays or TensorFlow tensors) of the tensors of weights and biases."""


def constants(graph: Graph) -> dict[int, npt.NDArray[Any]]:
    """Return all weights and biases of a graph."""
    return {k: graph.constant(k) for operation in graph.weighted for k in (operation.weights, operation.bias)}


def compute(
    graph: Graph, inputs: Any, values: Constants, tap: Callable[[int, Any], Any] = lambda _, value: value
) -> Any:
    """Compute the output of a batch.

    Parameters
    ----------
    graph : Graph
        A float one.
    inputs : tensor, float32 [shape=(n, ...)]
    values : mapping
        See `Constants`.
    tap : callable, optional
        Called with the number and value of each activation, the input first; what it returns is used instead.
    """
    tf = import_tensorflow()
    known = {graph.input: tap(graph.input, tf.convert_to_tensor(inputs))}
    for operation in graph.operations:
        arguments = [known[k] for k in operation.inputs]
        known[operation.output] = tap(operation.output, apply(graph, operation, arguments, values))
    return known[graph.output]


def trace(
    graph: Graph, windows: npt.NDArray[np.float32], tensors: list[int] | None = None
) -> Iterator[dict[int, npt.NDArray[np.float32]]]:
    """Yield the activations of one batch of windows after another."""
    values = constants(graph)
    wanted = set(graph.activations if tensors is None else tensors)
    for first in range(0, len(windows), BATCH):
        found: dict[int, npt.NDArray[np.float32]] = {}

        def keep(tensor: int, value: Any, found: dict[int, Any] = found) -> Any:
            if tensor in wanted:
                found[tensor] = value.numpy()
            return value

        compute(graph, windows[first : first + BATCH], values, keep)
        yield found


def patches(graph: Graph, operation: Operation, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Gather what each output position of a weighted operation sees.

    Returns
    -------
    patches : ndarray, float32 [shape=(positions, taps, channels)]
        A dense operation has one tap.
    """
    if operation.kind == "FULLY_CONNECTED":
        return inputs.reshape(-1, 1, inputs.shape[-1])
    tf = import_tensorflow()
    _, height, width, _ = graph.shape(operation.weights)
    options = operation.options
    found = tf.image.extract_patches(
        inputs, [1, height, width, 1], [1, options.strideH, options.strideW, 1], [1, 1, 1, 1], _padding(operation)
    )
    seen: npt.NDArray[np.float32] = found.numpy()
    return seen.reshape(-1, height * width, inputs.shape[-1])


def _padding(operation: Operation) -> str:
    return "VALID" if operation.options.padding else "SAME"


def apply(graph: Graph, operation: Operation, arguments: Sequence[Any], values: Constants) -> Any:
    """Compute one operation of a float graph on its activations."""
    tf = import_tensorflow()
    kind, options = operation.kind, operation.options
    if kind == "ADD":
        result = arguments[0] + arguments[1]
    elif kind == "MEAN":
        return tf.reduce_mean(arguments[0], graph.constant(operation.weights).tolist(), keepdims=options.keepDims)
    elif kind == "FULLY_CONNECTED":
        result = tf.matmul(arguments[0], values[operation.weights], transpose_b=True) + values[operation.bias]
    else:
        # TFLite keeps kernels as output, height, width, input; depthwise ones as 1, height, width, channel.
        order = (1, 2, 3, 0)
        kernel = tf.transpose(values[operation.weights], order)
        convolve = tf.nn.conv2d if kind == "CONV_2D" else tf.nn.depthwise_conv2d
        result = convolve(arguments[0], kernel, [1, options.strideH, options.strideW, 1], _padding(operation))
        result += values[operation.bias]
    return {"none": lambda x: x, "relu": tf.nn.relu, "relu6": tf.nn.relu6}[operation.activation](result)
