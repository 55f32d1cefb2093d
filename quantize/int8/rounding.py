"""Weights rounded so that the errors of a dot product cancel, and biases that take up what is left.

Rounding each weight to its nearest step leaves an error delta_w * x that does not average out:
log-mel inputs share a large mean, and a machine at rest makes the same spectrum window after window.
So the weights of a row are rounded one after another, and the error of each is made good by those
not yet rounded, as best the inputs' covariance allows (the optimal-brain-surgeon update, as in
Frantar et al., "GPTQ", 2022); the error's mean goes into the bias (bias correction, Nagel et al.,
2019). Operations and shapes stay as they are; scales become those with which all runtimes round alike
(`edge_asd.quantize.int8.agreeing_scales`, `agreeing_activations`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.errors import ModelError
from edge_asd.quantize.int8.agreeing_activations import settle_activations
from edge_asd.quantize.int8.agreeing_scales import agreeing_scales
from edge_asd.quantize.int8.execution import BATCH, apply, constants, patches
from edge_asd.quantize.int8.graph import WEIGHTED, Graph, Operation

_DAMPING = 1e-3
"""Share of the mean variance added to every variance: a covariance of few windows is not to be trusted fully."""

_NOTHING = 1e-12
"""A variance [squared unit of the activation] that is rounding noise: nothing moves there."""

_VALUES = 1 << 25
"""Most values of one activation that are held at once; fewer windows are used where they are more."""

_POSITIONS = 1 << 14
"""About as many places of an activation are looked at for a covariance; most layers have fewer."""

_LARGEST = 127

Array = npt.NDArray[np.float64]


def compensate(float_model: bytes, int8_model: bytes, windows: npt.NDArray[np.float32]) -> bytes:
    """Choose anew the integers of an int8 model's weights and biases, and the scales of dense weights.

    Operation by operation, on what the int8 model sees there: the errors of all before it are made
    good in the mean, too.

    Parameters
    ----------
    float_model, int8_model : bytes
        The same model before and after conversion.
    windows : ndarray, float32 [shape=(n, ...), n >= 1]
    """
    reference, graph = Graph(float_model), Graph(int8_model)
    check_alike(reference, graph)
    settle_activations(graph)
    widest = max(int(np.prod(reference.shape(tensor))) for tensor in reference.activations)
    few = windows[np.unique(np.linspace(0, len(windows) - 1, max(1, _VALUES // widest)).round().astype(int))]
    constants_ = constants(reference)
    exact, rounded = {reference.input: few}, {reference.input: _on_grid(graph, graph.input, few)}
    for ours, theirs in zip(reference.operations, graph.operations, strict=True):
        chosen: dict[int, npt.NDArray[np.float32]] = {}
        if ours.kind in WEIGHTED:
            chosen = _choose(reference, graph, ours, theirs, exact[ours.inputs[0]], rounded[ours.inputs[0]])
        exact[ours.output] = np.asarray(apply(reference, ours, [exact[k] for k in ours.inputs], constants_))
        result = np.asarray(apply(reference, ours, [rounded[k] for k in ours.inputs], chosen))
        rounded[ours.output] = _on_grid(graph, theirs.output, result)
        for tensor in [k for k in exact if not _read_later(reference, ours, k)]:
            del exact[tensor], rounded[tensor]
    return graph.to_bytes()


def _choose(
    reference: Graph,
    graph: Graph,
    ours: Operation,
    theirs: Operation,
    exact: npt.NDArray[np.float32],
    rounded: npt.NDArray[np.float32],
) -> dict[int, npt.NDArray[np.float32]]:
    """Store the integers of one operation, and return the weights and biases that they stand for."""
    wanted, _ = _statistics(reference, ours, exact)
    mean, covariance = _statistics(reference, ours, rounded)
    weights = grouped(ours, reference.constant(ours.weights).astype(np.float64))
    _agree(graph, theirs)
    scales = weight_scales(graph, theirs).reshape(weights.shape[0], weights.shape[1], 1)
    integers = feedback_rounding(weights, scales, covariance)
    missing = (weights * wanted[:, None] - integers * scales * mean[:, None]).sum(axis=2).reshape(-1)
    bias = reference.constant(ours.bias) + missing
    store(graph, theirs, ungrouped(ours, integers, reference), bias)
    return {
        ours.weights: ungrouped(ours, integers * scales, reference).astype(np.float32),
        ours.bias: bias.astype(np.float32),
    }


def _agree(graph: Graph, operation: Operation) -> None:
    """Give an operation weight scales with which all runtimes round alike."""
    (input_scale,), _ = graph.quantisation(operation.inputs[0])
    (output_scale,), (zero_point,) = graph.quantisation(operation.output)
    scales = agreeing_scales(
        input_scale, weight_scales(graph, operation), output_scale, -128 - int(zero_point), 127 - int(zero_point)
    )
    graph.set_scales(operation.weights, scales)
    graph.set_scales(operation.bias, input_scale * scales)


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
    ridge = np.where(variance > _NOTHING, _DAMPING * variance, 1.0)
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


def check_alike(reference: Graph, graph: Graph) -> None:
    """Refuse a float model and its int8 model that are not the same operations one by one.

    Raises
    ------
    ModelError
        If they are not, or the int8 model is not int8 throughout, with a scale for each output channel.
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


def _on_grid(graph: Graph, tensor: int, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Round and clip values as the int8 model holds them."""
    (scale,), (zero_point,) = graph.quantisation(tensor)
    steps = np.clip(np.rint(values / np.float32(scale)), -128 - zero_point, 127 - zero_point)
    on_grid: npt.NDArray[np.float32] = (steps * np.float32(scale)).astype(np.float32)
    return on_grid


def _read_later(graph: Graph, done: Operation, tensor: int) -> bool:
    later = graph.operations[graph.operations.index(done) + 1 :]
    return any(tensor in operation.inputs for operation in later)


def _statistics(graph: Graph, operation: Operation, values: npt.NDArray[np.float32]) -> tuple[Array, Array]:
    """Mean [groups, taps] and covariance [groups, taps, taps] of what an operation sees."""
    origin: Array | None = None
    sums: list[Array] = []
    places = len(values) * int(np.prod(graph.shape(operation.output)[1:-1]))
    # Odd, so that all columns of a spectrogram have their turn.
    step = places // _POSITIONS | 1
    for first in range(0, len(values), BATCH):
        seen = patches(graph, operation, values[first : first + BATCH])[::step].astype(np.float64)
        # [groups, positions, taps], as `grouped` arranges weights.
        depthwise = operation.kind == "DEPTHWISE_CONV_2D"
        seen = seen.transpose(2, 0, 1) if depthwise else seen.reshape(1, len(seen), -1)
        # About one position, so that the square of a large mean is never taken off a sum as large.
        origin = seen[:, 0].copy() if origin is None else origin
        seen = seen - origin[:, None, :]
        new = [np.array(float(seen.shape[1])), seen.sum(axis=1), seen.swapaxes(1, 2) @ seen]
        sums = [a + b for a, b in zip(sums, new, strict=True)] if sums else new
    count, total, products = sums
    mean = total / count
    assert origin is not None
    return origin + mean, products / count - mean[:, :, None] * mean[:, None, :]
