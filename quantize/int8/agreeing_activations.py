"""Scales of sums and means with which every TFLite runtime rounds alike.

ADD: a step of each input is an exact multiple of 1 / `DENOMINATOR` of the output's step, an odd number, so no sum
lies nearer to a half than half of that. Runtimes compute it with an error below a tenth of it: LiteRT's reference and
built-in kernels, tflite-runtime and TFLM with 31-bit multipliers, XNNPACK with 21-bit ones.

MEAN over n places is a sum times M = r / n, r = input scale / output scale. XNNPACK rounds the product, all others
first to a multiple of 2^s, and then again: what lies within 2^(s-1) below a half goes up there. They write r as
m * 2^e, m in [1/2, 1), and divide m by n / 2^q, n having q + 1 binary digits, so s = e - q. With M = 1 / N and N even,
the halves are products themselves, and nothing else is nearer to them than M; that is more than 2^(s-1) where N / 2^p,
N having p + 1 digits, is more than n / 2^q. With s >= 0 there is no second rounding. The halves are put beyond
themselves, as `edge_asd.quantize.int8.agreeing_scales` does, and further, as XNNPACK adds the zero point in float32.
tests/quantize/int8/test_agreeing_activations.py tries every sum.
"""

from __future__ import annotations

import math

import numpy as np

from edge_asd.quantize.int8.graph import Graph, Operation

DENOMINATOR = 511
"""The most that 21-bit multipliers tell apart ten times over; makes steps coarser by 0.4 % at most."""

_DIVISOR = 6
"""Tried, whatever the range: the least divisor with which means of 4, 5, 8 to 11, 16 places and so on are alike."""

_BEYOND = 2.0**-15
"""Share by which a mean's multiplier exceeds 1 / N, where there is room; less is lost in XNNPACK's float32 in part."""

_LEAST_BEYOND = 2.0**-18
"""With less, too many halves would be."""


def settle_activations(graph: Graph) -> None:
    """Enlarge scales of an int8 model's activations so that all runtimes round its sums and means alike.

    To be called before weights are chosen: their multipliers follow from these scales. A sum both of whose inputs
    are bound by other operations keeps its scales, and so does a mean of a number of places that no divisor serves.
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
    least = max(1, math.ceil(count * _scale(graph, operation.output) / step * (1 - _BEYOND)))
    for divisor in range(least, max(2 * least, _DIVISOR) + 1):
        beyond = beyond_divisor(count, divisor)
        if beyond:
            _set_scale(graph, operation.output, step * divisor / count / (1 + beyond))
            return


def beyond_divisor(count: int, divisor: int) -> float:
    """Say how far beyond 1 / `divisor` the multiplier of a mean of `count` places is to be.

    Returns
    -------
    share : float
        0 where runtimes round differently with any multiplier near it.
    """
    _, exponent = math.frexp(count / divisor * (1 + _LEAST_BEYOND))
    first = exponent - (count.bit_length() - 1)
    if first >= 0:
        return _BEYOND
    if divisor % 2:
        return 0.0
    # What the largest mean is beyond itself must not bring the next one below a half within 2^(s-1) of it.
    room = min(_BEYOND, (1 / divisor - 2.0 ** (first - 1)) / (2 * 255))
    return room if room >= _LEAST_BEYOND else 0.0
