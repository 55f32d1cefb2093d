"""Ranges of activations for int8, measured on representative windows: whole, or cut where that costs less."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import ModelError
from edge_asd.quantize.int8.execution import trace
from edge_asd.quantize.int8.graph import Graph

Range = tuple[float, float]
Rule = Callable[[npt.NDArray[np.float64], float, float], Range]
"""Chooses a range from counts in equal bins between two edges, and these edges."""

BINS = 4096
PERCENTILE = 99.99
"""Share of values [%] that the clipped range holds; half of the rest lies beyond each end."""

_STEPS = 255
_CUTS = 64


def activation_ranges(graph: Graph, windows: npt.NDArray[np.float32], rule: Rule) -> dict[int, Range]:
    """Measure every activation of a float graph, and choose its range.

    Parameters
    ----------
    graph : Graph
    windows : ndarray, float32 [shape=(n, ...), n >= 1]
    rule : Rule
        `whole`, `percentile` or `least_error`.

    Returns
    -------
    ranges : dict of tensor to (low, high)
        Zero lies in every range, as TFLite wants it.

    Raises
    ------
    ModelError
        If a value within the model is NaN or infinite.
    """
    edges: dict[int, Range] = {}
    for found in trace(graph, windows):
        for tensor, values in found.items():
            check_finite(graph, tensor, values)
            low, high = edges.get(tensor, (0.0, 0.0))
            edges[tensor] = min(low, float(values.min())), max(high, float(values.max()))
    if rule is whole:
        return edges
    counts: dict[int, npt.NDArray[np.float64]] = {tensor: np.zeros(BINS) for tensor in edges}
    for found in trace(graph, windows):
        for tensor, values in found.items():
            counts[tensor] += np.histogram(values, BINS, edges[tensor])[0]
    return {tensor: rule(counts[tensor], *edges[tensor]) if high > low else (low, high)
            for tensor, (low, high) in edges.items()}  # fmt: skip


def check_finite(graph: Graph, tensor: int, values: npt.NDArray[np.floating[Any]]) -> None:
    """Refuse an activation with NaN or infinity.

    Raises
    ------
    ModelError
    """
    if not np.isfinite(values).all():
        raise ModelError(
            f"The float model computes NaN or infinity at {graph.name(tensor)}, and cannot be quantised. Its "
            "training failed, or its weights are damaged: train anew with a smaller --learning-rate."
        )


def whole(counts: npt.NDArray[np.float64], low: float, high: float) -> Range:
    """Keep everything that was seen."""
    return low, high


def percentile(counts: npt.NDArray[np.float64], low: float, high: float) -> Range:
    """Cut off the rarest values at both ends, `PERCENTILE` in all staying inside."""
    share = np.cumsum(counts) / counts.sum()
    edges = np.linspace(low, high, BINS + 1)
    outside = (1 - PERCENTILE / 100) / 2
    first = int(np.searchsorted(share, outside, side="right"))
    last = int(np.searchsorted(share, 1 - outside, side="left"))
    return min(0.0, float(edges[first])), max(0.0, float(edges[last + 1]))


def least_error(counts: npt.NDArray[np.float64], low: float, high: float) -> Range:
    """Choose the ends with the least mean squared error of rounding (step^2 / 12) and clipping together."""
    centres = low + (np.arange(BINS) + 0.5) * (high - low) / BINS
    cuts = np.arange(1, _CUTS + 1) / _CUTS
    below = [(end, float((counts * np.square(np.minimum(centres - end, 0))).sum())) for end in np.unique(low * cuts)]
    above = [(end, float((counts * np.square(np.maximum(centres - end, 0))).sum())) for end in np.unique(high * cuts)]
    total = counts.sum()
    best = min(
        (clipped_low + clipped_high + total * ((upper - lower) / _STEPS) ** 2 / 12, lower, upper)
        for lower, clipped_low in below
        for upper, clipped_high in above
    )
    return float(best[1]), float(best[2])


RULES: Mapping[str, Rule] = {"whole": whole, "percentile": percentile, "least error": least_error}
