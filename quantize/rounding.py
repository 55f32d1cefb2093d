"""Weights rounded so that the errors of a dot product cancel, and biases that take up what is left.

Rounding each weight to its nearest step leaves an error delta_w * x that does not average out:
log-mel inputs share a large mean, and a machine at rest makes the same spectrum window after window.
So the weights of a row are rounded one after another, and the error of each is made good by those
not yet rounded, as best the inputs' covariance allows (the optimal-brain-surgeon update, as in
Frantar et al., "GPTQ", 2022); the error's mean goes into the bias (bias correction, Nagel et al.,
2019). The file's scales, shapes and operations stay as they are: only its integers change.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from edge_asd.errors import ModelError
from quantize.execution import patches, trace
from quantize.graph import Graph, Operation

_DAMPING = 1e-3
"""Share of the mean variance added to every variance: a covariance of few windows is not to be trusted fully."""

_LARGEST = 127

Array = npt.NDArray[np.float64]


def compensate(float_model: bytes, int8_model: bytes, windows: npt.NDArray[np.float32]) -> bytes:
    """Choose anew the integers of an int8 model's weights and biases.

    Parameters
    ----------
    float_model, int8_model : bytes
        The same model before and after conversion.
    windows : ndarray, float32 [shape=(n, ...)]
        What the model usually sees.
    """
    reference, graph = Graph(float_model), Graph(int8_model)
    pairs = list(matched(reference, graph))
    statistics = _statistics(reference, windows)
    for ours, theirs in pairs:
        mean, covariance = statistics[ours.weights]
        weights = grouped(ours, reference.constant(ours.weights).astype(np.float64))
        scales = weight_scales(graph, theirs).reshape(weights.shape[0], weights.shape[1], 1)
        integers = feedback_rounding(weights, scales, covariance)
        left = ((weights - integers * scales) * mean[:, None, :]).sum(axis=2).reshape(-1)
        store(graph, theirs, ungrouped(ours, integers, reference), reference.constant(ours.bias) + left)
    return graph.to_bytes()


def feedback_rounding(weights: Array, scales: Array, covariance: Array) -> Array:
    """Round weights to integers so that (W - scale * Q) X is small for inputs X of a covariance.

    Parameters
    ----------
    weights : ndarray [shape=(groups, rows, taps)]
    scales : ndarray [shape=(groups, rows, 1)]
    covariance : ndarray [shape=(groups, taps, taps)]

    Returns
    -------
    integers : ndarray, whole numbers from -127 to 127 [shape of `weights`]
    """
    taps = weights.shape[2]
    variance = np.trace(covariance, axis1=1, axis2=2) / taps
    ridge = np.where(variance > 0, _DAMPING * variance, 1.0)
    inverse = np.linalg.inv(covariance + ridge[:, None, None] * np.eye(taps))
    # Row j of the upper factor tells how an error in weight j is best shared by the weights after it.
    share = np.linalg.cholesky((inverse + inverse.swapaxes(1, 2)) / 2).swapaxes(1, 2)
    left = weights.copy()
    integers = np.empty_like(weights)
    for j in range(taps):
        integers[:, :, j] = np.clip(np.round(left[:, :, j] / scales[:, :, 0]), -_LARGEST, _LARGEST)
        error = (left[:, :, j] - integers[:, :, j] * scales[:, :, 0]) / share[:, j, j, None]
        left[:, :, j:] -= error[:, :, None] * share[:, j, None, j:]
    return integers


def matched(reference: Graph, graph: Graph) -> Iterator[tuple[Operation, Operation]]:
    """Pair the weighted operations of a float model with those of its int8 model.

    Raises
    ------
    ModelError
        If they are not the same operations, or the int8 model is not int8 throughout, with a scale
        for each output channel.
    """
    if [o.kind for o in reference.operations] != [o.kind for o in graph.operations]:
        raise ModelError("The converter changed the model's operations. This version of TensorFlow is not supported.")
    if any(graph.dtype(tensor) is not np.int8 for tensor in graph.activations):
        raise ModelError(
            "The converter left a part of the model in float. This version of TensorFlow is not supported."
        )
    for ours, theirs in zip(reference.weighted, graph.weighted, strict=True):
        channels = reference.shape(ours.weights)[ours.channel_axis]
        if len(graph.quantisation(theirs.weights)[0]) != channels:
            raise ModelError(
                f"The converter gave {graph.name(theirs.output)} one scale for all channels. "
                "This version of TensorFlow is not supported."
            )
        yield ours, theirs


def weight_scales(graph: Graph, operation: Operation) -> Array:
    """Return the step of each output channel's weights."""
    return graph.quantisation(operation.weights)[0]


def store(graph: Graph, operation: Operation, integers: Array, bias: Array) -> None:
    """Write whole numbers as weights, and float biases in the steps of the accumulator."""
    graph.set_constant(operation.weights, integers.astype(np.int8))
    steps = graph.quantisation(operation.inputs[0])[0][0] * weight_scales(graph, operation)
    limit = 2**31 - 1
    graph.set_constant(operation.bias, np.clip(np.round(bias / steps), -limit, limit).astype(np.int32))


def grouped(operation: Operation, weights: Array) -> Array:
    """Arrange weights as [groups, rows, taps]: depthwise, each channel is a group; otherwise there is one."""
    if operation.kind == "DEPTHWISE_CONV_2D":
        return weights.reshape(-1, weights.shape[-1]).T[:, None, :]
    return weights.reshape(1, len(weights), -1)


def ungrouped(operation: Operation, values: Array, reference: Graph) -> Array:
    """Undo `grouped`."""
    shape = reference.shape(operation.weights)
    return (values[:, 0].T if operation.kind == "DEPTHWISE_CONV_2D" else values).reshape(shape)


def _statistics(graph: Graph, windows: npt.NDArray[np.float32]) -> dict[int, tuple[Array, Array]]:
    """Mean [groups, taps] and covariance [groups, taps, taps] of what each weighted operation sees."""
    sums: dict[int, list[Array]] = {}
    for found in trace(graph, windows):
        for operation in graph.weighted:
            seen = patches(graph, operation, found[operation.inputs[0]]).astype(np.float64)
            # [groups, positions, taps], as `grouped` arranges weights.
            depthwise = operation.kind == "DEPTHWISE_CONV_2D"
            seen = seen.transpose(2, 0, 1) if depthwise else seen.reshape(1, len(seen), -1)
            new = [np.array(float(seen.shape[1])), seen.sum(axis=1), seen.swapaxes(1, 2) @ seen]
            old = sums.get(operation.weights)
            sums[operation.weights] = new if old is None else [a + b for a, b in zip(old, new, strict=True)]
    result = {}
    for weights, (count, total, products) in sums.items():
        mean = total / count
        result[weights] = mean, products / count - mean[:, :, None] * mean[:, None, :]
    return result
