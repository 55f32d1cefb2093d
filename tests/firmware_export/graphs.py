"""Int8 networks written straight into the format, so that a test chooses every shape, scale, weight and order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

Array = npt.NDArray[Any]

_TYPES = {"float32": 0, "int32": 2, "int64": 4, "int8": 9}
_OPTIONS = {"CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D", "FULLY_CONNECTED": "FullyConnected",
            "ADD": "Add", "AVERAGE_POOL_2D": "Pool2D", "MEAN": "Reducer", "PAD": "Pad", "RESHAPE": "Reshape",
            "CONCATENATION": "Concatenation", "SOFTMAX": "Softmax", "QUANTIZE": "Quantize",
            "DEQUANTIZE": "Dequantize"}  # fmt: skip

NONE, RELU, RELU6 = 0, 1, 3


@dataclass
class Values:
    """A tensor: several scales are those of channels along `axis`."""

    shape: tuple[int, ...]
    scales: Array = field(default_factory=lambda: np.empty(0, np.float32))
    zero_point: int = 0
    dtype: str = "int8"
    data: Array | None = None
    axis: int = 0


@dataclass
class Layer:
    """How weights are made.

    Attributes
    ----------
    activation : int
    channels : bool
        A scale for each channel, else one for all.
    ratio : float
        Times what makes outputs fill the range of int8.
    zero_point : int, optional
        Of the output; a random one by default, or that of the activation.
    low : int
        Least weight.
    bias : float or None
        Deviation, in those of the sums; None: there is no bias.
    """

    activation: int = NONE
    channels: bool = True
    ratio: float = 1.0
    zero_point: int | None = None
    low: int = -127
    bias: float | None = 0.5


PLAIN = Layer()


class Graph:
    """A network in the making; what makes tensors returns their numbers."""

    def __init__(
        self, shape: Sequence[int], seed: int = 0, *, scale: float = 0.05, zero_point: int = 3, dtype: str = "int8"
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.values: list[Values] = []
        self.operators: list[tuple[str, list[int], int, dict[str, Any]]] = []
        if dtype == "int8":
            self.input = self.tensor(shape, scale, zero_point)
        else:
            self.input = self.add(Values(tuple(shape), dtype=dtype))

    def add(self, values: Values) -> int:
        """Add a tensor."""
        self.values.append(values)
        return len(self.values) - 1

    def tensor(self, shape: Sequence[int], scale: float, zero_point: int) -> int:
        """Add an int8 activation."""
        return self.add(Values(tuple(shape), np.array([scale], np.float32), zero_point))

    def constant(self, values: Any, dtype: str = "int32") -> int:
        """Add a constant without a scale."""
        data = np.array(values, dtype)
        return self.add(Values(data.shape, dtype=dtype, data=data))

    def like(self, x: int, shape: Sequence[int]) -> int:
        """Add a tensor of the same quantisation."""
        return self.tensor(shape, float(self.values[x].scales[0]), self.values[x].zero_point)

    def operation(self, kind: str, inputs: list[int], output: int, **options: Any) -> int:
        """Add an operation; return its output."""
        self.operators.append((kind, inputs, output, options))
        return output

    def _weighted(
        self, kind: str, x: int, shape: tuple[int, ...], axis: int, out: Sequence[int], layer: Layer, **options: Any
    ) -> int:
        rows = shape[axis]
        weights = np.clip(np.rint(self.rng.normal(0, 50, shape)), layer.low, 127).astype(np.int8)
        weights.reshape(-1)[self.rng.integers(weights.size)] = layer.low
        columns = math.prod(shape) // rows
        deviation = math.sqrt(columns) * 50 * 74  # of sums of random inputs
        scales = np.exp(self.rng.uniform(-6, -3, rows if layer.channels else 1)).astype(np.float32)
        source = self.values[x]
        real = float(source.scales[0]) * float(scales.mean()) * deviation  # of the output
        zero = {NONE: int(self.rng.integers(-20, 20)), RELU: -128, RELU6: -128}[layer.activation]
        zero = zero if layer.zero_point is None else layer.zero_point
        output = self.tensor(out, real / 50 / layer.ratio, zero)
        w = self.add(Values(shape, scales, data=weights, axis=axis))
        inputs = [x, w]
        if layer.bias is not None:
            bias = np.rint(self.rng.normal(0, deviation * layer.bias, rows)).astype(np.int32)
            products = (source.scales[0] * scales).astype(np.float32)
            inputs.append(self.add(Values((rows,), products, dtype="int32", data=bias)))
        return self.operation(kind, inputs, output, fusedActivationFunction=layer.activation, **options)

    def dense(self, x: int, rows: int, layer: Layer = PLAIN) -> int:
        """FULLY_CONNECTED."""
        columns = math.prod(self.values[x].shape)
        return self._weighted("FULLY_CONNECTED", x, (rows, columns), 0, (1, rows), layer)

    def convolution(
        self, x: int, filters: int, size: tuple[int, int] = (1, 1), stride: tuple[int, int] = (1, 1), *,
        same: bool = True, layer: Layer = PLAIN,
    ) -> int:  # fmt: skip
        """CONV_2D."""
        _, height, width, channels = self.values[x].shape
        shape = (filters, *size, channels)
        out = (1, *self._out((height, width), size, stride, same), filters)
        return self._weighted("CONV_2D", x, shape, 0, out, layer, padding=0 if same else 1, strideH=stride[0],
                              strideW=stride[1], dilationHFactor=1, dilationWFactor=1)  # fmt: skip

    def depthwise(
        self, x: int, size: tuple[int, int] = (3, 3), stride: tuple[int, int] = (1, 1), *, multiplier: int = 1,
        same: bool = True, layer: Layer = PLAIN,
    ) -> int:  # fmt: skip
        """DEPTHWISE_CONV_2D."""
        _, height, width, channels = self.values[x].shape
        shape = (1, *size, channels * multiplier)
        out = (1, *self._out((height, width), size, stride, same), channels * multiplier)
        return self._weighted("DEPTHWISE_CONV_2D", x, shape, 3, out, layer, padding=0 if same else 1,
                              strideH=stride[0], strideW=stride[1], depthMultiplier=multiplier, dilationHFactor=1,
                              dilationWFactor=1)  # fmt: skip

    @staticmethod
    def _out(sizes: tuple[int, int], size: tuple[int, int], stride: tuple[int, int], same: bool) -> list[int]:
        return [-(-(n if same else n - f + 1) // s) for n, f, s in zip(sizes, size, stride, strict=True)]

    def sum(self, a: int, b: int, activation: int = NONE) -> int:
        """ADD."""
        shape = max((self.values[i].shape for i in (a, b)), key=math.prod)
        scale = 0.8 * sum(float(self.values[i].scales[0]) for i in (a, b))
        output = self.tensor(shape, scale, -128 if activation else int(self.rng.integers(-20, 20)))
        return self.operation("ADD", [a, b], output, fusedActivationFunction=activation)

    def sum_with_constant(self, x: int, *, first: bool = False) -> int:
        """ADD of a constant of the last axis."""
        shape = self.values[x].shape[-1:]
        data = self.rng.integers(-128, 128, shape).astype(np.int8)
        constant = self.add(Values(shape, np.array([0.03], np.float32), 5, data=data))
        return self.sum(constant, x) if first else self.sum(x, constant)

    def pad(self, x: int, amounts: Sequence[tuple[int, int]]) -> int:
        """PAD."""
        shape = [n + sum(two) for n, two in zip(self.values[x].shape, amounts, strict=True)]
        return self.operation("PAD", [x, self.constant(amounts)], self.like(x, shape))

    def pool(self, x: int, size: tuple[int, int], stride: tuple[int, int], *, same: bool = False) -> int:
        """AVERAGE_POOL_2D."""
        _, height, width, channels = self.values[x].shape
        shape = (1, *self._out((height, width), size, stride, same), channels)
        return self.operation("AVERAGE_POOL_2D", [x], self.like(x, shape), padding=0 if same else 1, strideH=stride[0],
                              strideW=stride[1], filterHeight=size[0], filterWidth=size[1])  # fmt: skip

    def mean(self, x: int) -> int:
        """MEAN over height and width."""
        values = self.values[x]
        output = self.tensor((1, values.shape[3]), float(values.scales[0]) * 0.6, -7)
        return self.operation("MEAN", [x, self.constant([1, 2])], output, keepDims=False)

    def concatenation(self, parts: Sequence[int], axis: int) -> int:
        """CONCATENATION."""
        shape = list(self.values[parts[0]].shape)
        shape[axis] = sum(self.values[part].shape[axis] for part in parts)
        return self.operation("CONCATENATION", list(parts), self.like(parts[0], shape), axis=axis)

    def reshape(self, x: int, shape: Sequence[int]) -> int:
        """RESHAPE."""
        return self.operation("RESHAPE", [x, self.constant(list(shape))], self.like(x, shape), newShape=list(shape))

    def table(self, kind: str, x: int) -> int:
        """RELU, RELU6 or QUANTIZE from int8."""
        values = self.values[x]
        return self.operation(kind, [x], self.tensor(values.shape, float(values.scales[0]) * 0.7, -128))

    def softmax(self, x: int) -> int:
        """SOFTMAX."""
        return self.operation("SOFTMAX", [x], self.tensor(self.values[x].shape, 1 / 256, -128), beta=1.0)

    def quantize(self, x: int, scale: float = 0.05, zero_point: int = 3) -> int:
        """QUANTIZE from float32."""
        return self.operation("QUANTIZE", [x], self.tensor(self.values[x].shape, scale, zero_point))

    def dequantize(self, x: int) -> int:
        """DEQUANTIZE to float32."""
        return self.operation("DEQUANTIZE", [x], self.add(Values(self.values[x].shape, dtype="float32")))

    def written(self, output: int | Sequence[int], inputs: Sequence[int] | None = None) -> bytes:
        """Write the .tflite file."""
        model, graph = schema.ModelT(), schema.SubGraphT()
        model.version, model.subgraphs, model.buffers, model.operatorCodes = 3, [graph], [schema.BufferT()], []
        graph.tensors, graph.operators = [], []
        for number, values in enumerate(self.values):
            tensor = schema.TensorT()
            tensor.name, tensor.shape, tensor.type = f"named {number}", list(values.shape), _TYPES[values.dtype]
            tensor.buffer = 0
            if len(values.scales):
                tensor.quantization = schema.QuantizationParametersT()
                tensor.quantization.scale = [float(scale) for scale in values.scales]
                tensor.quantization.zeroPoint = [values.zero_point] * len(values.scales)
                tensor.quantization.quantizedDimension = values.axis
            if values.data is not None:
                buffer = schema.BufferT()
                buffer.data = np.frombuffer(values.data.tobytes(), np.uint8)
                tensor.buffer = len(model.buffers)
                model.buffers.append(buffer)
            graph.tensors.append(tensor)
        kinds = sorted({kind for kind, *_ in self.operators})
        for kind in kinds:
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
            code.version = {"RESHAPE": 1, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4}.get(kind, 2)
            model.operatorCodes.append(code)
        for kind, sources, target, options in self.operators:
            operator = schema.OperatorT()
            operator.opcodeIndex, operator.inputs, operator.outputs = kinds.index(kind), sources, [target]
            if kind in _OPTIONS:
                name = f"{_OPTIONS[kind]}Options"
                operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
                operator.builtinOptions = getattr(schema, name + "T")()
                for key, value in options.items():
                    assert hasattr(operator.builtinOptions, key), key
                    setattr(operator.builtinOptions, key, value)
            graph.operators.append(operator)
        graph.inputs = [self.input] if inputs is None else list(inputs)
        graph.outputs = [output] if isinstance(output, int) else list(output)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())
