"""Ways to int8 behind one call: `quantise`. The table in docs/quantisation.md compares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.errors import ModelError
from edge_asd.quantize.int8.convert import DEFAULT_CONVERTER, to_int8
from edge_asd.quantize.int8.equalisation import equalise
from edge_asd.quantize.int8.finetune import finetune
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.levelling import Levelling, convolves, level
from edge_asd.quantize.int8.multipliers import bound_multipliers
from edge_asd.quantize.int8.ranges import Rule, activation_ranges, least_error, percentile, whole
from edge_asd.quantize.int8.representative import Representative
from edge_asd.quantize.int8.rounding import compensate

Weights = Callable[[bytes, bytes, npt.NDArray[np.float32]], bytes]
"""Chooses anew the integers of an int8 model: (float model, int8 model, windows)."""


@dataclass(frozen=True, slots=True)
class Method:
    """What a way to int8 consists of.

    Attributes
    ----------
    summary : str
        One line for people.
    ranges : Rule
        How the range of each activation is chosen.
    equalised : bool
        Whether channels are equalised first.
    levelled : bool
        Whether channels are levelled first, in models with convolutions.
    weights : callable, optional
        See `Weights`; by default every weight is rounded to the nearest step.
    """

    summary: str
    ranges: Rule = whole
    equalised: bool = False
    levelled: bool = False
    weights: Weights | None = None


METHODS: Mapping[str, Method] = {
    "plain": Method("post-training quantisation as the converter does it"),
    "percentile": Method("ranges cut to 99.99 % of values", ranges=percentile),
    "mse": Method("ranges with the least mean squared error", ranges=least_error),
    "equalised": Method("cross-layer equalisation", equalised=True),
    "compensated": Method(
        "rounding errors of weights compensated, and biases corrected", levelled=True, weights=compensate
    ),
    "finetuned": Method("quantisation-aware fine-tuning, the float model as teacher", weights=finetune),
}
"""All int8 methods by name."""

DEFAULT = "compensated"
"""The method that costs least, measured by benchmarks/quantisation_methods.py."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """An int8 .tflite, and how its channels came to be.

    Attributes
    ----------
    model : bytes
    float_model : bytes
        The float model that ranges are reported on: the one given, or its equalised form.
    levelling : Levelling, optional
        How that one's channels were levelled, if they were.
    """

    model: bytes
    float_model: bytes
    levelling: Levelling | None = None


def quantise(
    float_model: bytes, data: Representative, *, method: str = DEFAULT, converter: str = DEFAULT_CONVERTER
) -> Conversion:
    """Convert a float32 model to an int8 one.

    Parameters
    ----------
    float_model : bytes
        A .tflite made by `edge_asd.quantize.int8.convert.to_float`.
    data : Representative
        Windows that ranges and statistics are taken from.
    method : str
        One of `METHODS`.
    converter : str
        One of `edge_asd.quantize.int8.convert.CONVERTERS`.

    Returns
    -------
    conversion : Conversion
        Its model: int8 in and out and throughout, weights per channel.

    Raises
    ------
    ModelError
        If there is no such method, the data is empty, not finite or not of the model's shape, or the
        converter did not make an int8 model.
    """
    check_method(method)
    chosen = METHODS[method]
    check_windows(float_model, data.windows)
    if chosen.equalised:
        float_model = equalise(float_model, data.windows)
    levelling, prepared = None, float_model
    if chosen.levelled and convolves(Graph(float_model)):
        levelling = level(float_model, data.windows)
        prepared, ranges = levelling.model, levelling.ranges
    else:
        ranges = activation_ranges(Graph(float_model), data.windows, chosen.ranges)
    int8_model = to_int8(prepared, ranges, converter=converter)
    if chosen.weights is not None:
        int8_model = chosen.weights(prepared, int8_model, data.windows)
    return Conversion(bound_multipliers(int8_model), float_model, levelling)


def check_method(method: str) -> None:
    """Refuse an unknown method.

    Raises
    ------
    ModelError
    """
    if method not in METHODS:
        raise ModelError(f"There is no quantisation method {method!r}; use one of: {', '.join(METHODS)}.")


def check_windows(float_model: bytes, windows: npt.NDArray[np.float32]) -> None:
    """Refuse windows that no range can be measured on.

    Raises
    ------
    ModelError
    """
    if len(windows) == 0:
        raise ModelError("There is no representative data: int8 ranges cannot be measured. Add training clips.")
    if not np.isfinite(windows).all():
        raise ModelError("The representative data holds NaN or infinity. Check the features it was made from.")
    graph = Graph(float_model)
    if windows.shape[1:] != graph.shape(graph.input)[1:]:
        raise ModelError(
            f"The model takes windows of shape {graph.shape(graph.input)[1:]}, the representative data has "
            f"{windows.shape[1:]}. Use the model that belongs to these features."
        )
