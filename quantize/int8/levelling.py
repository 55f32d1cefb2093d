"""Channels of an activation brought to the same range: the float model's function unchanged, int8's steps finer.

An int8 activation has one scale, which its widest channel sets; narrower channels use a part of the 256 steps.
Where only convolutions, sums and means read an activation, its channels may be multiplied, and the weights that read
them divided, by any factor: each gets the range of the widest (after Nagel et al., "Data-Free Quantization Through
Weight Equalization and Bias Correction", 2019; there ranges of weights are made alike, ours have a scale for each
channel anyway). ReLU6 bends at 6: a channel that never gets there is stretched until it does, and others are left.

Results without activation are moved, too, until each channel begins at zero; the biases behind take that back. No
value below zero is left then, and below zero runtimes round halves in two ways
(`edge_asd.quantize.int8.agreeing_scales`). The logits move together: a section's score knows their differences alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.quantize.int8.execution import trace
from edge_asd.quantize.int8.graph import WEIGHTED, Graph, Operation
from edge_asd.quantize.int8.ranges import Range, check_finite

Array = npt.NDArray[np.float64]
Ends = dict[int, tuple[Array, Array]]
"""Lowest and highest value of each channel, by activation."""

TAIL = 1e-4
"""Share of a channel's values that is cut off at each end, of results without activation."""

INPUT_TAIL = 1e-3
"""The same of the input, whose windows are there 9 dB louder and softer, too."""

_BINS = 1024
_LIMIT = 64.0
"""Largest factor of a channel: one that hardly moves must not be blown up."""

_SIX = 6.0

_HANDING_ON = ("ADD", "MEAN")
"""What is added to a channel of their inputs is added to their output's."""


@dataclass(frozen=True)
class Levelling:
    """A float model with its channels levelled, and how they were.

    Attributes
    ----------
    model : bytes
        The float .tflite: the same function of its input within `ranges`.
    ranges : mapping of tensor to (low, high)
        Of every activation of `model`, zero included.
    factors, starts : mapping of tensor to ndarray [shape=(channels,)]
        An activation of `model` is that of the model it was made from times `factors` plus `starts`.
    """

    model: bytes
    ranges: Mapping[int, Range]
    factors: Mapping[int, Array]
    starts: Mapping[int, Array]

    def apply(self, tensor: int, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return what an activation of the model before becomes."""
        levelled = values * self.factors[tensor] + self.starts[tensor]
        return levelled.astype(np.float32)


def convolves(graph: Graph) -> bool:
    """Tell whether a model has convolutions: without any, its channels are left as they are."""
    return any(operation.kind == "CONV_2D" for operation in graph.operations)


def level(content: bytes, windows: npt.NDArray[np.float32]) -> Levelling:
    """Level the channels of a float model.

    Parameters
    ----------
    content : bytes
        A float32 .tflite, batch norm folded.
    windows : ndarray, float32 [shape=(n, ...), n >= 1]
        From which the ranges of channels are taken.

    Raises
    ------
    ModelError
        If a value within the model is NaN or infinite.
    """
    graph = Graph(content)
    ends = _ends(graph, windows)
    makers = {operation.output: operation for operation in graph.operations}
    factors: dict[int, Array] = {}
    for group in _tied(graph):
        if not {graph.input, graph.output} & set(group):
            factors |= dict.fromkeys(group, _factor([(makers[k], ends[k]) for k in group]))
    starts = _starts(graph, {k: low * factors.get(k, 1.0) for k, (low, _) in ends.items()})
    for operation in graph.weighted:
        _rewrite(graph, operation, factors, starts)
    ranges: dict[int, Range] = {}
    for tensor, (low, high) in ends.items():
        factor, start = factors.get(tensor, 1.0), starts.get(tensor, 0.0)
        least, most = float((low * factor + start).min()), float((high * factor + start).max())
        bends = tensor in makers and makers[tensor].activation == "relu6"
        ranges[tensor] = min(0.0, least), max(0.0, min(most, _SIX) if bends else most)
    return Levelling(
        graph.to_bytes(),
        ranges,
        {k: factors.get(k, np.ones(1)) for k in ends},
        {k: starts.get(k, np.zeros(1)) for k in ends},
    )


def _ends(graph: Graph, windows: npt.NDArray[np.float32]) -> Ends:
    """Ends of each channel: of all values, or without their tails."""
    ends: Ends = {}
    for tensor, values in _channels(graph, windows, graph.activations):
        low, high = values.min(axis=0).astype(np.float64), values.max(axis=0).astype(np.float64)
        check_finite(graph, tensor, np.stack([low, high]))
        known = ends.get(tensor, (low, high))
        ends[tensor] = np.minimum(known[0], low), np.maximum(known[1], high)
    tailed = [graph.input, *(o.output for o in graph.operations if o.activation == "none" and o.output != graph.output)]
    counts: dict[int, npt.NDArray[np.int64]] = {}
    for tensor, values in _channels(graph, windows, tailed):
        low, high = ends[tensor]
        bins = ((values - low) * (_BINS / np.maximum(high - low, 1e-9))).astype(np.int64)
        bins = np.clip(bins, 0, _BINS - 1) + np.arange(len(low)) * _BINS
        counts[tensor] = counts.get(tensor, 0) + np.bincount(bins.reshape(-1), minlength=len(low) * _BINS)
    for tensor, count in counts.items():
        low, high = ends[tensor]
        share = np.cumsum(count.reshape(-1, _BINS), axis=1) / (count.sum() / len(low))
        step = (high - low) / _BINS
        tail = INPUT_TAIL if tensor == graph.input else TAIL
        first, last = (share > tail).argmax(axis=1), (share >= 1 - tail).argmax(axis=1)
        ends[tensor] = low + first * step, low + (last + 1) * step
    return ends


def _channels(
    graph: Graph, windows: npt.NDArray[np.float32], tensors: list[int]
) -> Iterable[tuple[int, npt.NDArray[np.float32]]]:
    for found in trace(graph, windows, tensors):
        for tensor, values in found.items():
            yield tensor, values.reshape(-1, values.shape[-1])


def _tied(graph: Graph) -> list[list[int]]:
    """Group activations whose channels can only be multiplied together: by sums and means."""
    group = {tensor: [tensor] for tensor in graph.activations}
    for operation in graph.operations:
        if operation.kind in _HANDING_ON:
            joined = [k for tensor in dict.fromkeys((*operation.inputs, operation.output)) for k in group[tensor]]
            group |= {tensor: list(dict.fromkeys(joined)) for tensor in joined}
    return [tensors for tensor, tensors in group.items() if tensor == tensors[0]]


def _factor(group: list[tuple[Operation, tuple[Array, Array]]]) -> Array:
    """Choose the factors of the channels of activations that are tied."""
    peaks = [high for operation, (_, high) in group if operation.activation == "relu6"]
    if peaks:
        peak = np.max(peaks, axis=0)
        return np.where((peak > 0) & (peak < _SIX), np.minimum(_SIX / np.maximum(peak, 1e-9), _LIMIT), 1.0)
    widths = [high - low for _, (low, high) in group]
    share: Array = np.mean([width / max(float(width.max()), 1e-9) for width in widths], axis=0)
    return np.where(share > 0, np.minimum(1 / np.maximum(share, 1e-9), _LIMIT), 1.0)


def _starts(graph: Graph, lows: Mapping[int, Array]) -> dict[int, Array]:
    """Choose what is added to the channels of results without activation.

    Only where 1 x 1 filters, dense layers, sums and means read them: the border of larger filters would have to be
    of another value.
    """
    fixed = {
        tensor
        for operation in graph.operations
        if not _passes(graph, operation)
        for tensor in operation.inputs
    }  # fmt: skip
    if not any(o.kind == "FULLY_CONNECTED" and o.output == graph.output for o in graph.operations):
        fixed.add(graph.output)  # no logits, of which the differences alone count
    while True:  # sums and means hand on what is added, and so do those behind them
        more = {k for o in graph.operations if o.kind in _HANDING_ON and o.output in fixed for k in o.inputs} - fixed
        if not more:
            break
        fixed |= more
    starts: dict[int, Array] = {}
    for operation in graph.operations:
        tensor = operation.output
        if operation.kind in _HANDING_ON:
            moved = [starts[k] for k in operation.inputs if k in starts]
            if moved:
                starts[tensor] = np.sum(moved, axis=0)
        elif operation.kind in WEIGHTED and operation.activation == "none" and tensor not in fixed:
            together = tensor == graph.output
            starts[tensor] = np.full_like(lows[tensor], -lows[tensor].min()) if together else -lows[tensor]
    return starts


def _passes(graph: Graph, operation: Operation) -> bool:
    """Tell whether a bias can take back what was added to the operation's input, or it hands it on."""
    one = operation.kind == "CONV_2D" and graph.shape(operation.weights)[1:3] == (1, 1)
    return one or operation.kind == "FULLY_CONNECTED" or (
        operation.kind in _HANDING_ON and operation.activation == "none"
    )  # fmt: skip


def _rewrite(graph: Graph, operation: Operation, factors: Mapping[int, Array], starts: Mapping[int, Array]) -> None:
    """Make the weights and biases of an operation those of the levelled model."""
    weights = graph.constant(operation.weights).astype(np.float64)
    bias = graph.constant(operation.bias).astype(np.float64)
    # Input channels are the last axis of every kind of weights.
    (tensor,) = operation.inputs
    weights = weights / factors.get(tensor, 1.0)
    if tensor in starts:
        bias = bias - (weights * starts[tensor]).reshape(len(weights), -1).sum(axis=1)
    factor = factors.get(operation.output, np.ones(1))
    shape = [1] * weights.ndim
    shape[operation.channel_axis] = -1
    weights, bias = weights * factor.reshape(shape), bias * factor + starts.get(operation.output, 0.0)
    for tensor, values in ((operation.weights, weights), (operation.bias, bias)):
        with np.errstate(over="ignore"):  # what is too large is refused
            constant = values.astype(np.float32)
        check_finite(graph, operation.output, constant)
        graph.set_constant(tensor, constant)
