"""Keras to TFLite: float32, and full-integer int8 with per-channel weights."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import ModelError
from edge_asd.quiet import quiet_stderr
from train.backend import import_tensorflow

if TYPE_CHECKING:
    import keras


def to_float(model: keras.Model) -> bytes:
    """Convert to a float32 .tflite."""
    return _convert(_converter(model))


def to_int8(model: keras.Model, windows: npt.NDArray[np.float32]) -> bytes:
    """Convert to an int8 .tflite: int8 input and output, per-channel weights, every operation in int8.

    Parameters
    ----------
    model : keras.Model
    windows : ndarray, float32 [shape=(n, ...), dB]
        Representative inputs, from which the ranges of activations are taken.

    Raises
    ------
    ModelError
        If there are no windows, or the model or the windows are not finite.
    """
    if len(windows) == 0:
        raise ModelError("There is no representative data: int8 ranges cannot be measured. Add training clips.")
    if not np.isfinite(windows).all() or not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise ModelError("The model or its representative data holds NaN or infinity; its training failed. Train anew.")
    tf = import_tensorflow()
    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([window[None]] for window in windows)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return _convert(converter)


def _converter(model: keras.Model) -> Any:
    return import_tensorflow().lite.TFLiteConverter.from_keras_model(model)


def _convert(converter: Any) -> bytes:
    # Keras prints the signature of what it exports, on the standard output.
    with quiet_stderr(), redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "Statistics for quantized inputs were expected": they are measured
        return bytes(converter.convert())
