"""Keras to TFLite: float32, and full-integer int8 with per-channel weights, by a converter of choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_asd.errors import DependencyError, ModelError
from edge_asd.quantize.int8.converters import with_litert, with_tensorflow
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.ranges import Range

if TYPE_CHECKING:
    import keras

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Converter:
    """Software that makes .tflite files; see the functions of this module, which are its interface.

    Attributes
    ----------
    packages : tuple of str
        What it consists of, as package registries name it.
    to_float, saved_to_float, to_int8 : callable
    """

    packages: tuple[str, ...]
    to_float: Callable[[keras.Model], bytes]
    saved_to_float: Callable[[Path], bytes]
    to_int8: Callable[[bytes, Mapping[int, Range]], bytes]


CONVERTERS: Mapping[str, Converter] = {
    "tensorflow": Converter(
        with_tensorflow.PACKAGES, with_tensorflow.to_float, with_tensorflow.saved_to_float, with_tensorflow.to_int8
    ),
    "litert": Converter(with_litert.PACKAGES, with_litert.to_float, with_litert.saved_to_float, with_litert.to_int8),
}
"""All converters by name. They make the same operations, scales and integers, bit for bit."""

DEFAULT_CONVERTER = "tensorflow"


def converter_versions(converter: str) -> dict[str, str]:
    """Return the versions of a converter's packages by name.

    Raises
    ------
    ModelError
        If there is no such converter.
    DependencyError
        If it is not installed.
    """
    if converter not in CONVERTERS:
        raise ModelError(f"There is no converter {converter!r}; use one of: {', '.join(CONVERTERS)}.")
    try:
        return {package: version(package) for package in CONVERTERS[converter].packages}
    except PackageNotFoundError as error:
        raise DependencyError(
            f"The converter {converter} needs a package that is not installed: {error.name}. Install it with: "
            "pip install 'edge-asd[train,converter]'"
        ) from error


def to_float(model: keras.Model, *, converter: str = DEFAULT_CONVERTER) -> bytes:
    """Convert to a float32 .tflite, batch norm folded.

    Parameters
    ----------
    model : keras.Model
    converter : str
        One of `CONVERTERS`.

    Raises
    ------
    ModelError
        If the model is not finite, or the converter does not take it.
    """
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise ModelError("The model holds NaN or infinity; its training failed. Train anew.")
    return CONVERTERS[converter].to_float(model)


def saved_to_float(folder: Path, *, converter: str = DEFAULT_CONVERTER) -> bytes:
    """Convert a SavedModel to a float32 .tflite; see `to_float`."""
    return CONVERTERS[converter].saved_to_float(folder)


def to_int8(float_model: bytes, ranges: Mapping[int, Range], *, converter: str = DEFAULT_CONVERTER) -> bytes:
    """Convert a float32 .tflite to int8: input, output and every operation, with per-channel weights.

    Parameters
    ----------
    float_model : bytes
    ranges : mapping of tensor to (low, high)
        Range of every activation. They are what the converter would measure itself, so that any
        method may choose them.
    converter : str
        One of `CONVERTERS`.

    Raises
    ------
    ModelError
        If a range is not finite as float32, or its width is not.
    """
    for tensor, (low, high) in ranges.items():
        # TensorFlow's converter ends the whole process where a range is none, and leaves out what is too wide.
        if not (-_LARGEST <= low <= high <= _LARGEST and high - low <= _LARGEST):
            raise ModelError(f"{low:g} to {high:g} is no range for {Graph(float_model).name(tensor)}. Train anew.")
    return CONVERTERS[converter].to_int8(float_model, ranges)
