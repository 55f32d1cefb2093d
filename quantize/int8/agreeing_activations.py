"""Scales of sums and means with which every TFLite runtime rounds alike.

ADD: a step of each input is an exact multiple of 1 / `DENOMINATOR` of the output's step, an odd number, so no sum
lies nearer to a half than half of that. Runtimes compute it with an error below a tenth of it: LiteRT's reference and
built-in kernels, tflite-runtime and TFLM with 31-bit multipliers, XNNPACK with 21-bit ones.

MEAN over n places is a sum times M = input scale / (n * output scale). XNNPACK rounds the product, all others first
to a multiple of 2^s, with M in [2^(s-1), 2^s), and then again: what lies within 2^(s-1) below a half goes up there.
M = 1 / N with N even has the halves themselves, and nothing else nearer to them than M; that is more than 2^(s-1)
unless N is a power of two. The halves are put beyond themselves, as `edge_asd.quantize.int8.agreeing_scales` does,
and further, as XNNPACK adds the zero point in float32. tests/quantize/int8/test_agreeing_activations.py tries every
sum.
"""

from __future__ import annotations

import math

import numpy as np

from edge_asd.quantize.int8.graph import Graph, Operation

DENOMINATOR = 511
"""The most that 21-bit multipliers tell apart ten times over; makes steps coarser by 0.4 % at most."""

_LEAST_DIVISOR = 6
"""The least even number that is no power of two."""

_BEYOND = 2.0**-15
"""Share by which a mean's multiplier exceeds 1 / N, where there is room; less is lost in XNNPACK's float32 in part."""

_LEAST_BEYOND = 2.0**-18
"""With less, too many halves would be."""


def settle_activations(graph: Graph) -> None:
    """Enlarge scales of an int8 model's activations so that all runtimes round its sums and means alike.

    To be called before weights are chosen: their multipliers follow from these scales. A sum both of whose inputs
    are bound by other operations keeps its scales, and so does a mean of so many places that no divisor serves.
    """
    bound: set[int] = {graph.input}
    for operation in graph.operations:
        if operation.kind == "ADD":
            _settle_sum(graph, operation, bound)
        elif operation.kind == "MEAN":
            _settle_mean(graph, operation)
        if operation.kind in ("ADD", "MEAN"):
            bound |= {*operation.inputs, operation.output}


def _scale(graph: Graph, tensor: int) -> float:
    return float(graph.quantisation(tensor)[0][0])


def _set_scale(graph: Graph, tensor: int, scale: float) -> None:
    graph.set_scales(tensor, np.array([np.float32(scale)], np.float64))


def _settle_sum(graph: Graph, operation: Operation, bound: set[int]) -> None:
    # One input may be a sum itself, whose scale is settled; the output and the other are free to grow.
    first, second = sorted(operation.inputs, key=lambda tensor: tensor not in bound)
    if second in bound or first == second:
        return
    least = _scale(graph, operation.output)
    parts = math.floor(DENOMINATOR * _scale(graph, first) / least)
    if parts < 1:
        return
    output = _scale(graph, first) * DENOMINATOR / parts
    other = math.ceil(DENOMINATOR * _scale(graph, second) / output)
    _set_scale(graph, operation.output, output)
    _set_scale(graph, second, output * other / DENOMINATOR)


def _settle_mean(graph: Graph, operation: Operation) -> None:
    axes = graph.constant(operation.weights).reshape(-1)
    shape = graph.shape(operation.inputs[0])
    count = math.prod(shape[int(axis)] for axis in axes)
    step = _scale(graph, operation.inputs[0])
    least = max(_LEAST_DIVISOR, math.ceil(count * _scale(graph, operation.output) / step / 2) * 2)
    for divisor in range(least, 2 * least, 2):
        # What the largest mean is beyond itself must not bring the next one below a half within 2^(s-1) of it.
        room = 1 / divisor - 2.0 ** math.floor(math.log2(1 / divisor))
        beyond = min(_BEYOND, room / (2 * 255))
        if beyond >= _LEAST_BEYOND:
            _set_scale(graph, operation.output, step * divisor / count * (1 - beyond))
            return
