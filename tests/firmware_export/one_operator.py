"""Models of a single operation, written straight into the format, so that a test chooses every scale and shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

_TYPES = {"float32": 0, "int32": 2, "uint8": 3, "int64": 4, "int16": 7, "int8": 9}


@dataclass(frozen=True)
class Values:
    """A tensor: its shape, its quantisation (scale 0: none), its type, and what it holds where it is constant."""

    shape: tuple[int, ...]
    scale: float = 0.0
    zero_point: int = 0
    dtype: str = "int8"
    data: npt.NDArray[Any] | None = None


def constant(values: Any, dtype: str = "int32") -> Values:
    """Make a constant without a scale."""
    data = np.array(values, dtype)
    return Values(data.shape, dtype=dtype, data=data)


def build(kind: str, inputs: list[Values], output: Values, options: Mapping[str, Any] | None = None) -> bytes:
    """Write a .tflite file of one operation.

    Parameters
    ----------
    kind : str
        As in the schema, such as ``AVERAGE_POOL_2D``.
    options : mapping
        Fields of its options as the schema's generated class names them, and under ``type`` that class's name.
    """
    model, graph, operator = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, kind)
    code.deprecatedBuiltinCode, code.version = code.builtinCode, 1 if kind == "RESHAPE" else 2
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers, graph.tensors = [schema.BufferT()], []
    for number, values in enumerate([*inputs, output]):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = f"t{number}", list(values.shape), _TYPES[values.dtype]
        tensor.buffer = 0
        if values.scale:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [values.scale], [values.zero_point]
        if values.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(values.data.tobytes(), np.uint8)
            tensor.buffer = len(model.buffers)
            model.buffers.append(buffer)
        graph.tensors.append(tensor)
    places = list(range(len(inputs)))
    operator.inputs, operator.outputs = places, [len(inputs)]
    graph.inputs = [i for i in places if inputs[i].data is None]
    graph.outputs, graph.operators = operator.outputs, [operator]
    if options is not None:
        name = options["type"]
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        operator.builtinOptions = getattr(schema, name + "T")()
        for field, value in options.items():
            if field != "type":
                assert hasattr(operator.builtinOptions, field), field
                setattr(operator.builtinOptions, field, value)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
