"""Keras to TFLite: float32, and full-integer int8 with per-channel weights."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import ModelError
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.ranges import Range
from edge_asd.quiet import quiet_stderr
from edge_asd.train.backend import import_tensorflow

if TYPE_CHECKING:
    import keras


_LARGEST = float(np.finfo(np.float32).max)


def to_float(model: keras.Model) -> bytes:
    """Convert to a float32 .tflite, batch norm folded.

    Raises
    ------
    ModelError
        If the model is not finite.
    """
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise ModelError("The model holds NaN or infinity; its training failed. Train anew.")
    return _convert(_converter(model))


def saved_to_float(folder: Path) -> bytes:
    """Convert a SavedModel to a float32 .tflite."""
    return _convert(import_tensorflow().lite.TFLiteConverter.from_saved_model(str(folder)))


def to_int8(float_model: bytes, ranges: Mapping[int, Range]) -> bytes:
    """Convert a float32 .tflite to int8: input, output and every operation, with per-channel weights.

    Parameters
    ----------
    float_model : bytes
    ranges : mapping of tensor to (low, high)
        Range of every activation. They are what the converter would measure itself, so that any
        method may choose them.

    Raises
    ------
    ModelError
        If a range is not finite as float32.
    """
    tf = import_tensorflow()
    # Not in TensorFlow's public interface, which measures ranges itself and takes none.
    from tensorflow.lite.python.convert import mlir_quantize

    graph = Graph(float_model)
    for tensor, (low, high) in ranges.items():
        # The converter ends the whole process where a range is none.
        if not -_LARGEST <= low <= high <= _LARGEST:
            raise ModelError(f"{low:g} to {high:g} is no range for {graph.name(tensor)}. Train anew.")
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
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    call = tf.function(lambda x: model(x, training=False), input_signature=signature).get_concrete_function()
    frozen = convert_variables_to_constants_v2(call)
    return tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module())


def _convert(converter: Any) -> bytes:
    # Keras prints the signature of what it exports, on the standard output.
    with quiet_stderr(), redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "Statistics for quantized inputs were expected": they are measured
        return bytes(converter.convert())
