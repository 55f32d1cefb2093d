"""The converter that TensorFlow brings along. It is in maintenance, and what the others are held against."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge_asd.quantize.int8.converters.freezing import frozen_model
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.ranges import Range
from edge_asd.quiet import quiet_stderr
from edge_asd.train.backend import import_tensorflow

if TYPE_CHECKING:
    import keras

PACKAGES = ("tensorflow",)


def to_float(model: keras.Model) -> bytes:
    """See `edge_asd.quantize.int8.convert.to_float`."""
    return _convert(_converter(model))


def saved_to_float(folder: Path) -> bytes:
    """See `edge_asd.quantize.int8.convert.saved_to_float`."""
    return _convert(import_tensorflow().lite.TFLiteConverter.from_saved_model(str(folder)))


def to_int8(float_model: bytes, ranges: Mapping[int, Range]) -> bytes:
    """See `edge_asd.quantize.int8.convert.to_int8`."""
    tf = import_tensorflow()
    # Not in TensorFlow's public interface, which measures ranges itself and takes none.
    from tensorflow.lite.python.convert import mlir_quantize

    graph = Graph(float_model)
    for tensor, (low, high) in ranges.items():
        graph.set_range(tensor, low, high)
    with quiet_stderr():  # it prints its settings
        return bytes(mlir_quantize(graph.to_bytes(), input_data_type=tf.int8, output_data_type=tf.int8))


def to_int16(model: keras.Model, windows: npt.NDArray[np.float32]) -> bytes:
    """Convert to int16 activations and int8 weights, for comparison: no arithmetic of record executes it."""
    tf = import_tensorflow()
    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([window[None]] for window in windows)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int16
    return _convert(converter)


def _converter(model: keras.Model) -> Any:
    # Its variables made constants first: from_keras_model saves the model and loads it again, which takes
    # five times as long and gives the same operations and weights.
    tf = import_tensorflow()
    return tf.lite.TFLiteConverter.from_concrete_functions([frozen_model(model)], tf.Module())


def _convert(converter: Any) -> bytes:
    # Keras prints the signature of what it exports, on the standard output.
    with quiet_stderr(), redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "Statistics for quantized inputs were expected": they are measured
        return bytes(converter.convert())
