"""A .tflite file as operations whose weights, ranges and ends can be read and changed.

Only what the two baselines consist of, in the form that `Baseline.shipped_form` gives them, is
understood. The schema is the one that TensorFlow brings along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import ModelError
from edge_asd.train.backend import import_tensorflow

FLOAT32, INT32, INT8 = 0, 2, 9
_TYPES: Mapping[int, Any] = {FLOAT32: np.float32, INT32: np.int32, INT8: np.int8}
_ACTIVATIONS = {0: "none", 1: "relu", 3: "relu6"}

WEIGHTED = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")
KINDS = (*WEIGHTED, "ADD", "MEAN")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    inputs : tuple of int
        Tensors that hold activations, in order.
    output : int
        Tensor of the result.
    weights, bias : int
        Tensors of constants, of this operation alone; -1 unless `kind` is in `WEIGHTED`. The mean's axes
        are its `weights`.
    activation : {"none", "relu", "relu6"}
    options : object
        The schema's further settings, such as strides.
    """

    kind: str
    inputs: tuple[int, ...]
    output: int
    weights: int
    bias: int
    activation: str
    options: Any

    @property
    def channel_axis(self) -> int:
        """Axis of the weights that numbers output channels."""
        return 3 if self.kind == "DEPTHWISE_CONV_2D" else 0


class Graph:
    """A model of one subgraph, one input and one output.

    Parameters
    ----------
    content : bytes
        The .tflite file.

    Attributes
    ----------
    operations : list of Operation
        In the order of execution.
    input, output : int
        Tensors at the two ends.

    Raises
    ------
    ModelError
        If the model holds an operation that neither baseline has, or in a form that neither has.
    """

    def __init__(self, content: bytes) -> None:
        import_tensorflow()
        from tensorflow.lite.tools import flatbuffer_utils

        self._utils = flatbuffer_utils
        self._model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
        if len(self._model.subgraphs) != 1:
            raise ModelError(f"The model has {len(self._model.subgraphs)} subgraphs; the baselines have one.")
        self._graph = self._model.subgraphs[0]
        if len(self._graph.inputs) != 1 or len(self._graph.outputs) != 1:
            raise ModelError(
                f"The model has {len(self._graph.inputs)} inputs and {len(self._graph.outputs)} outputs; "
                "the baselines have one of each."
            )
        used: set[int] = set()
        for raw in self._graph.operators:
            self._unshare(raw, used)
        self.operations = [self._operation(raw) for raw in self._graph.operators]

    @property
    def input(self) -> int:
        """Tensor that the model reads."""
        return int(self._graph.inputs[0])

    @property
    def output(self) -> int:
        """Tensor that the model writes."""
        return int(self._graph.outputs[0])

    @property
    def activations(self) -> list[int]:
        """Tensors that depend on the input: the input itself, then every result in order."""
        return [self.input, *(operation.output for operation in self.operations)]

    @property
    def weighted(self) -> list[Operation]:
        """Operations that have weights and biases."""
        return [operation for operation in self.operations if operation.kind in WEIGHTED]

    def name(self, tensor: int) -> str:
        """Place of an activation for people: "input", or its operation's number and kind."""
        for number, operation in enumerate(self.operations, 1):
            if operation.output == tensor:
                return f"{number} {operation.kind.lower()}"
        return "input"

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Return a tensor's shape, the batch included."""
        return tuple(int(n) for n in self._graph.tensors[tensor].shape)

    def dtype(self, tensor: int) -> Any:
        """Return a tensor's type, None where it is none of float32, int32 and int8."""
        return _TYPES.get(self._graph.tensors[tensor].type)

    def constant(self, tensor: int) -> npt.NDArray[Any]:
        """Return a copy of a tensor of constants."""
        raw = self._graph.tensors[tensor]
        data = np.asarray(self._model.buffers[raw.buffer].data, np.uint8).tobytes()
        return np.frombuffer(data, _TYPES[raw.type]).reshape(self.shape(tensor)).copy()

    def set_constant(self, tensor: int, values: npt.NDArray[Any]) -> None:
        """Replace a tensor of constants; its type stays."""
        raw = self._graph.tensors[tensor]
        values = np.ascontiguousarray(values, _TYPES[raw.type])
        raw.shape = list(values.shape)
        self._model.buffers[raw.buffer].data = np.frombuffer(values.tobytes(), np.uint8)

    def set_range(self, tensor: int, low: float, high: float) -> None:
        """State the range of an activation for the converter's quantiser."""
        raw = self._graph.tensors[tensor]
        raw.quantization.min, raw.quantization.max = [float(low)], [float(high)]

    def quantisation(self, tensor: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Return scales and zero points: of one element, or one for each channel."""
        raw = self._graph.tensors[tensor].quantization
        if raw is None or raw.scale is None:
            return np.empty(0), np.empty(0, np.int64)
        return np.asarray(raw.scale, np.float64), np.asarray(raw.zeroPoint, np.int64)

    def set_scales(self, tensor: int, scales: npt.NDArray[np.float64]) -> None:
        """Replace the scales of a tensor, one for each channel of constants; zero points stay."""
        self._graph.tensors[tensor].quantization.scale = [float(scale) for scale in scales]

    def to_bytes(self) -> bytes:
        """Return the .tflite file."""
        return bytes(self._utils.convert_object_to_bytearray(self._model))

    def _unshare(self, raw: Any, used: set[int]) -> None:
        """Give an operation constants of its own: the converter merges equal ones and leaves zero biases out."""
        if self._kind(raw) not in WEIGHTED:
            return
        inputs = [int(k) for k in raw.inputs]
        if len(inputs) == 2 or inputs[2] == -1:
            weights = self._graph.tensors[inputs[1]]
            if weights.type == INT8:
                raise ModelError("The quantised model has an operation without bias. Please report this.")
            count = weights.shape[3 if self._kind(raw) == "DEPTHWISE_CONV_2D" else 0]
            inputs[2:] = [self._new_tensor(weights, f"bias of {len(self._graph.tensors)}")]
            self.set_constant(inputs[2], np.zeros(count, np.float32))
        for place in (1, 2):
            if inputs[place] in used:
                values = self.constant(inputs[place])
                inputs[place] = self._new_tensor(
                    self._graph.tensors[inputs[place]], f"copy of {len(self._graph.tensors)}"
                )
                self.set_constant(inputs[place], values)
            used.add(inputs[place])
        raw.inputs = inputs

    def _new_tensor(self, like: Any, name: str) -> int:
        import copy

        tensor, buffer = copy.deepcopy(like), copy.copy(self._model.buffers[like.buffer])
        tensor.name, tensor.buffer = name.encode(), len(self._model.buffers)
        self._model.buffers.append(buffer)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _kind(self, raw: Any) -> str:
        return str(self._utils.opcode_to_name(self._model, raw.opcodeIndex))

    def _operation(self, raw: Any) -> Operation:
        kind = self._kind(raw)
        inputs = [int(k) for k in raw.inputs]
        options = raw.builtinOptions
        activation = getattr(options, "fusedActivationFunction", 0)
        if kind not in KINDS or activation not in _ACTIVATIONS:
            raise ModelError(
                f"The model has the operation {kind}, which is in neither baseline; the autoencoder and MobileNetV2 "
                "can be quantised."
            )
        odd = self._odd(kind, raw)
        if odd:
            raise ModelError(
                f"The model has {odd}, which is in neither baseline; the autoencoder and MobileNetV2 can be quantised."
            )
        weights, bias = inputs[1:3] if kind in WEIGHTED else [inputs[1], -1] if kind == "MEAN" else [-1, -1]
        activations = inputs[:1] if kind in (*WEIGHTED, "MEAN") else inputs
        output = int(raw.outputs[0])
        return Operation(kind, tuple(activations), output, weights, bias, _ACTIVATIONS[activation], options)

    def _odd(self, kind: str, raw: Any) -> str | None:
        """Say what an operation does that none of a baseline's does, although it is of their kind."""
        shapes = [self.shape(int(k)) for k in (*raw.inputs, raw.outputs[0])]
        if kind in WEIGHTED:
            options = raw.builtinOptions
            if max(getattr(options, "dilationWFactor", 1), getattr(options, "dilationHFactor", 1)) > 1:
                return "a dilated convolution"
            if not all(self._is_constant(int(k)) for k in raw.inputs[1:]):
                return f"a {kind} whose weights are computed"
            inputs, weights = shapes[:2]
            if len(inputs) != len(weights) or inputs[-1] != weights[-1]:  # of groups, several for a channel, flattened
                return f"a {kind} whose weights are not one for each channel of its input"
        elif kind == "ADD":
            if len(set(shapes)) > 1 or any(self._is_constant(int(k)) for k in raw.inputs):
                return "an addition of a constant or of another shape"
        elif {0, len(shapes[0]) - 1} & {int(axis) % len(shapes[0]) for axis in self.constant(int(raw.inputs[1])).flat}:
            return "a mean over channels or windows"
        return None

    def _is_constant(self, tensor: int) -> bool:
        data = self._model.buffers[self._graph.tensors[tensor].buffer].data
        return data is not None and len(data) > 0
