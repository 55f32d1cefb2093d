"""LiteRT's converter and quantiser: the same operations, scales and integers as TensorFlow's, bit for bit.

Both packages round and bound a few things in ways of their own. What is done here about that is held against
TensorFlow's converter by tests, to the last bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import ModelError
from edge_asd.quantize.int8.converters.freezing import frozen_folder, frozen_model
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.ranges import Range
from edge_asd.quiet import quiet_stderr
from edge_asd.train.backend import import_tensorflow

if TYPE_CHECKING:
    import keras

PACKAGES = ("litert-converter", "litert-quantizer")

_VERSIONS = {"FULLY_CONNECTED": 4, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "ADD": 2, "MEAN": 2}
"""Since which version an operation takes int8; LiteRT's quantiser leaves those of floats."""

_NARROW = 1e-6
"""A range as narrow as this is widened by as much at both ends, and weights of half of it have the scale of half."""

_LARGEST = 127

_LARGEST_BIAS = 2**30 - 1
"""Weights have a scale in which the bias is no more than this."""


def to_float(model: keras.Model) -> bytes:
    """See `edge_asd.quantize.int8.convert.to_float`."""
    return _convert(frozen_model(model))


def saved_to_float(folder: Path) -> bytes:
    """See `edge_asd.quantize.int8.convert.saved_to_float`."""
    return _convert(frozen_folder(folder))


def to_int8(float_model: bytes, ranges: Mapping[int, Range]) -> bytes:
    """See `edge_asd.quantize.int8.convert.to_int8`."""
    from litert_quantizer import quantizer, recipe
    from tensorflow.lite.tools import flatbuffer_utils

    reference = Graph(float_model)
    content = reference.to_bytes()
    tensors = flatbuffer_utils.read_model_from_bytearray(bytearray(content)).subgraphs[0].tensors
    measured = {}
    for tensor, ends in ranges.items():
        low, high = (float(np.float32(end)) for end in ends)
        if high - low <= _NARROW:
            low, high = low - _NARROW, high + _NARROW
        shape = [1] * len(reference.shape(tensor))
        measured[tensors[tensor].name.decode()] = {
            "min": np.full(shape, low, np.float32),
            "max": np.full(shape, high, np.float32),
        }
    with quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an interpreter that holds on to every tensor
        quantising = quantizer.Quantizer(bytearray(content), recipe.static_wi8_ai8())
        made = quantising.quantize(measured, enable_progress_bar=False, enable_progress_report=False)
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(made.quantized_model))
    for place, code in enumerate(model.operatorCodes):
        code.version = _VERSIONS[flatbuffer_utils.opcode_to_name(model, place)]
    graph = Graph(bytes(flatbuffer_utils.convert_object_to_bytearray(model)))
    _round(reference, graph)
    return graph.to_bytes()


def _round(reference: Graph, graph: Graph) -> None:
    """Give weights and biases the integers that TensorFlow's converter gives them."""
    for ours, theirs in zip(reference.weighted, graph.weighted, strict=True):
        weights, bias = reference.constant(ours.weights), reference.constant(ours.bias)
        scales, _ = graph.quantisation(theirs.weights)
        (step,), _ = graph.quantisation(theirs.inputs[0])
        scales = np.maximum(scales, np.float32(_NARROW / 2 / _LARGEST))
        scales = np.maximum(scales, np.abs(bias.astype(np.float64)) / _LARGEST_BIAS / step)
        steps = (step * scales).astype(np.float32)
        graph.set_scales(theirs.weights, scales)
        graph.set_scales(theirs.bias, steps)
        places = [-1 if axis == ours.channel_axis else 1 for axis in range(weights.ndim)]
        integers = np.clip(_nearest(weights, scales.reshape(places)), -_LARGEST, _LARGEST)
        graph.set_constant(theirs.weights, integers)
        graph.set_constant(theirs.bias, _nearest(bias, steps))


def _nearest(values: npt.NDArray[np.float32], scales: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Count values in steps, in single precision as TensorFlow does, and round halves away from zero."""
    with np.errstate(over="ignore"):
        steps = (values * (np.float32(1) / scales.astype(np.float32))).astype(np.float64)
    rounded: npt.NDArray[np.float64] = np.copysign(np.floor(np.abs(steps) + 0.5), steps)
    return rounded


def _convert(frozen: Any) -> bytes:
    tf = import_tensorflow()
    with quiet_stderr():
        text = tf.mlir.experimental.convert_function(_folded(frozen))
        content = _export(text)
    return _without_mark(content)


def _folded(frozen: Any) -> Any:
    """Let TensorFlow compute what depends on constants alone: LiteRT's 1 / sqrt(variance) has another last bit."""
    tf = import_tensorflow()
    from tensorflow.lite.python.util import run_graph_optimizations

    config = tf.compat.v1.ConfigProto()
    config.graph_options.rewrite_options.optimizers.append("constfold")
    graph = run_graph_optimizations(
        frozen.graph.as_graph_def(), frozen.inputs, frozen.outputs, config=config, graph=frozen.graph
    )
    whole = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(graph, name=""), [])
    return whole.prune([tensor.name for tensor in frozen.inputs], [tensor.name for tensor in frozen.outputs])


def _export(text: str) -> bytes:
    """Convert a module of TensorFlow's MLIR dialect that holds one function."""
    from litert_converter.mlir import ir, passmanager
    from litert_converter.mlir._mlir_libs import converter_api_ext as converter

    with ir.Context() as context:
        converter.prepare_mlir_context(context)
        settings = converter.ConvertToTFLConfig()
        try:
            # Nothing else loads the dialect; without it, what is parsed are operations of no meaning.
            converter.run_convert_to_tfl_passes(ir.Module.parse("module {}"), passmanager.PassManager(), settings)
            module = ir.Module.parse(text)
            (function,) = module.body.operations
            function.attributes["sym_name"] = ir.StringAttr.get("main")
            converter.set_signature(function.operation, "serving_default", ["x"], ["output_0"])
            converter.run_convert_to_tfl_passes(module, passmanager.PassManager(), settings)
            return bytes(converter.export_flatbuffer_to_bytes(module.operation))
        except (ValueError, ir.MLIRError) as error:
            first = str(error).strip().splitlines()[0]
            raise ModelError(
                f"LiteRT's converter does not take this model ({first:.200}). Use --converter tensorflow."
            ) from error


def _without_mark(content: bytes) -> bytes:
    """Take off a mark that has TensorFlow's quantiser leave weights alone that it can quantise."""
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    model.metadata = [entry for entry in model.metadata if entry.name != b"keep_stablehlo_constant"]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
