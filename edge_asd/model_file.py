"""A .tflite file as a small typed graph, read strictly: the file is hostile until checked.

The runtime believes offsets, shapes and options that only a converter would write, and reads past their ends or divides
by zero where they are wrong. So the FlatBuffer is walked here with every offset, length and index checked before it is
used, and every operation's shapes are computed anew and compared. Field numbers are those of TFLite's schema 3;
in FlatBuffers a field keeps its number for good. The reader that LiteRT ships for it checks none of this, is no
documented interface, and is missing with tflite-runtime.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import ModelError

OPERATORS = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D", 6: "DEQUANTIZE",
    9: "FULLY_CONNECTED", 19: "RELU", 21: "RELU6", 22: "RESHAPE", 25: "SOFTMAX", 34: "PAD", 40: "MEAN", 114: "QUANTIZE",
}  # fmt: skip
"""Operators that are understood, by their numbers in the schema."""

TYPES: dict[int, Any] = {
    0: np.float32, 2: np.int32, 3: np.uint8, 4: np.int64, 6: np.bool_, 7: np.int16, 9: np.int8,
}  # fmt: skip

ACTIVATIONS = {0: "none", 1: "relu", 3: "relu6"}

# Union member of the options, and the options' fields: number, format, default.
_OPTIONS: dict[str, tuple[int, dict[str, tuple[int, str, int]]]] = {
    "CONV_2D": (1, {"padding": (0, "b", 0), "stride_w": (1, "i", 0), "stride_h": (2, "i", 0), "activation": (3, "b", 0),
                    "dilation_w": (4, "i", 1), "dilation_h": (5, "i", 1)}),
    "DEPTHWISE_CONV_2D": (2, {"padding": (0, "b", 0), "stride_w": (1, "i", 0), "stride_h": (2, "i", 0),
                              "multiplier": (3, "i", 0), "activation": (4, "b", 0), "dilation_w": (5, "i", 1),
                              "dilation_h": (6, "i", 1)}),
    "AVERAGE_POOL_2D": (5, {"padding": (0, "b", 0), "stride_w": (1, "i", 0), "stride_h": (2, "i", 0),
                            "filter_w": (3, "i", 0), "filter_h": (4, "i", 0), "activation": (5, "b", 0)}),
    "FULLY_CONNECTED": (8, {"activation": (0, "b", 0), "weights_format": (1, "b", 0), "keep_dims": (2, "B", 0)}),
    "SOFTMAX": (9, {"beta": (0, "I", 0)}),  # the bits of a float32
    "CONCATENATION": (10, {"axis": (0, "i", 0), "activation": (1, "b", 0)}),
    "ADD": (11, {"activation": (0, "b", 0)}),
    "RESHAPE": (17, {}),
    "MEAN": (27, {"keep_dims": (0, "B", 0)}),
}  # fmt: skip

MAX_TENSORS = 4096
MAX_VALUES = 16 * 2**20
"""Of one tensor, for one window."""
MAX_TOTAL = 32 * 2**20
"""Of all activations together [bytes], for one window."""
_MAX_NAME = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A tensor.

    Attributes
    ----------
    name : str
    dtype : numpy.dtype
    shape : tuple of int > 0
        With the batch as 1 where it is free.
    scales : ndarray, float64 [shape=(n,)]
        None, one, or one for each channel.
    zero_points : ndarray, int64 [shape=(n,)]
    channel_axis : int
        Axis that several scales belong to.
    data : ndarray or None
        Of constants, read-only.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    scales: npt.NDArray[np.float64]
    zero_points: npt.NDArray[np.int64]
    channel_axis: int
    data: npt.NDArray[Any] | None


@dataclass(frozen=True, slots=True)
class Operator:
    """An operation.

    Attributes
    ----------
    kind : str
        One of `OPERATORS`' names.
    inputs, outputs : tuple of int
        Its tensors; -1 where one is left out.
    options : dict
        A float's bits are kept as an int, so that what is read is what is checked.
    new_shape : tuple of int
        Of RESHAPE where its options tell it, else empty.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, int] = field(default_factory=dict)
    new_shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model of one subgraph."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class _Walk:
    """Reads within the bounds of the file; whatever lies outside raises."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._left = 200_000  # reads: tables may overlap, and a small file could be walked for ever

    def read(self, form: str, place: int) -> Any:
        self._left -= 1
        size = struct.calcsize("<" + form)
        if self._left < 0 or not 0 <= place <= len(self._content) - size or place % min(size, 4):
            raise ModelError("The model file is damaged: it points outside itself.")
        return struct.unpack_from("<" + form, self._content, place)[0]

    def follow(self, place: int) -> int:
        return place + int(self.read("I", place))

    def field(self, table: int, number: int) -> int | None:
        """Place of a table's field; None where it is left out."""
        vtable = table - self.read("i", table)
        size, span = self.read("H", vtable), self.read("H", vtable + 2)
        if size < 4 or size % 2:
            raise ModelError("The model file is damaged: a table has no fields.")
        if 4 + 2 * number >= size:
            return None
        offset = self.read("H", vtable + 4 + 2 * number)
        if offset >= span and offset:
            raise ModelError("The model file is damaged: a field lies outside its table.")
        return table + offset if offset else None

    def scalar(self, table: int, number: int, form: str, default: int) -> int:
        place = self.field(table, number)
        return default if place is None else int(self.read(form, place))

    def table(self, table: int, number: int) -> int | None:
        place = self.field(table, number)
        return None if place is None else self.follow(place)

    def vector(self, table: int, number: int, size: int, most: int) -> tuple[int, int] | None:
        """Place and length of a vector whose elements have `size` bytes."""
        place = self.table(table, number)
        if place is None:
            return None
        count = int(self.read("I", place))
        if count > most or place + 4 + count * size > len(self._content):
            raise ModelError("The model file is damaged: a list in it is longer than it can be.")
        return place + 4, count

    def numbers(self, table: int, number: int, dtype: str, most: int) -> npt.NDArray[Any]:
        found = self.vector(table, number, np.dtype(dtype).itemsize, most)
        if found is None:
            return np.empty(0, dtype)
        return np.frombuffer(self._content, dtype, found[1], found[0])

    def tables(self, table: int, number: int, most: int = MAX_TENSORS) -> list[int]:
        found = self.vector(table, number, 4, most)
        return [] if found is None else [self.follow(found[0] + 4 * i) for i in range(found[1])]


def read_model(content: bytes) -> ModelFile:
    """Read and check a model.

    Raises
    ------
    ModelError
        If the file is damaged, holds more than one subgraph or another operator, or shapes do not belong together.
    """
    if content[4:8] != b"TFL3":
        raise ModelError("This is not a .tflite file. Convert the model anew.")
    walk = _Walk(content)
    model = walk.follow(0)
    if walk.scalar(model, 0, "I", 0) != 3:
        raise ModelError("The model file is of another version than 3 of TFLite's schema.")
    kinds = [_kind(walk, code) for code in walk.tables(model, 1)]
    graphs = walk.tables(model, 2)
    if len(graphs) != 1:
        raise ModelError(f"The model has {len(graphs)} subgraphs; it must have one.")
    buffers = [_buffer(walk, buffer) for buffer in walk.tables(model, 4)]
    tensors = tuple(_tensor(walk, tensor, buffers) for tensor in walk.tables(graphs[0], 0))
    operators = tuple(_operator(walk, one, kinds, len(tensors)) for one in walk.tables(graphs[0], 3))
    ends = [tuple(int(i) for i in walk.numbers(graphs[0], n, "<i4", 64)) for n in (1, 2)]
    if not all(0 <= i < len(tensors) for i in (*ends[0], *ends[1])):
        raise ModelError("The model file is damaged: an input or output is no tensor of it.")
    return ModelFile(tensors, operators, ends[0], ends[1])


def _kind(walk: _Walk, code: int) -> str:
    number = max(walk.scalar(code, 0, "b", 0), walk.scalar(code, 3, "i", 0))
    if walk.field(code, 1) is not None or number not in OPERATORS:
        raise ModelError(
            f"The model has an operator (number {number}) that is none of {', '.join(OPERATORS.values())}."
        )
    return OPERATORS[number]


def _buffer(walk: _Walk, buffer: int) -> npt.NDArray[np.uint8]:
    if walk.scalar(buffer, 1, "Q", 0) or walk.scalar(buffer, 2, "Q", 0):
        raise ModelError("The model keeps constants outside its FlatBuffer, which no detector does.")
    return walk.numbers(buffer, 0, "<u1", 2**31)


def _tensor(walk: _Walk, tensor: int, buffers: list[npt.NDArray[np.uint8]]) -> Tensor:
    place = walk.vector(tensor, 3, 1, _MAX_NAME)
    name = "" if place is None else bytes(walk.numbers(tensor, 3, "<u1", _MAX_NAME)).decode(errors="replace")
    shape = tuple(int(n) for n in walk.numbers(tensor, 0, "<i4", 8))
    kind, number = walk.scalar(tensor, 1, "b", 0), walk.scalar(tensor, 2, "I", 0)
    if kind not in TYPES or number >= len(buffers) or walk.field(tensor, 6) or walk.scalar(tensor, 5, "B", 0):
        raise ModelError(f"The tensor {name!r:.80} is of a type, or kept in a way, that no detector has.")
    if not all(n > 0 for n in shape) or math.prod(shape) > MAX_VALUES:
        raise ModelError(f"The tensor {name!r:.80} has the shape {shape}, which no detector has.")
    signature = tuple(int(n) for n in walk.numbers(tensor, 7, "<i4", 8))
    # Only the batch may be free.
    if signature and (len(signature) != len(shape) or signature[1:] != shape[1:] or signature[0] not in (-1, shape[0])):
        raise ModelError(f"The tensor {name!r:.80} has a shape that is not known ({signature}).")
    dtype = np.dtype(TYPES[kind])
    data = None
    if buffers[number].size:
        if buffers[number].size != math.prod(shape) * dtype.itemsize:
            raise ModelError(f"The tensor {name!r:.80} has {buffers[number].size} bytes for the shape {shape}.")
        data = np.frombuffer(buffers[number].tobytes(), dtype).reshape(shape)
    return Tensor(name, dtype, shape, *_quantisation(walk, tensor, name, shape), data)


def _quantisation(
    walk: _Walk, tensor: int, name: str, shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], int]:
    table = walk.table(tensor, 4)
    if table is None:
        return np.empty(0), np.empty(0, np.int64), 0
    scales = walk.numbers(table, 2, "<f4", MAX_VALUES).astype(np.float64)
    zeros = walk.numbers(table, 3, "<i8", MAX_VALUES).astype(np.int64)
    axis = walk.scalar(table, 6, "i", 0)
    if (
        len(zeros) not in (len(scales), 0)
        or walk.scalar(table, 4, "B", 0)
        or not ((scales > 0) & np.isfinite(scales)).all()
        or (np.abs(zeros) > 32768).any()
        or (len(scales) > 1 and not (0 <= axis < len(shape) and shape[axis] == len(scales)))
    ):
        raise ModelError(
            f"The tensor {name!r:.80} has scales or zero points that do not belong to its shape {shape}. Convert the "
            "model anew."
        )
    return scales, zeros if len(zeros) else np.zeros(len(scales), np.int64), axis


def _operator(walk: _Walk, operator: int, kinds: list[str], tensors: int) -> Operator:
    number = walk.scalar(operator, 0, "I", 0)
    inputs, outputs = (tuple(int(i) for i in walk.numbers(operator, n, "<i4", 16)) for n in (1, 2))
    if number >= len(kinds) or not all(-1 <= i < tensors for i in inputs) or not all(0 <= i < tensors for i in outputs):
        raise ModelError("The model file is damaged: an operation names a kind or tensor that it has not.")
    kind = kinds[number]
    member, fields = _OPTIONS.get(kind, (0, {}))
    table = walk.table(operator, 4)
    if table is not None and member and walk.scalar(operator, 3, "B", 0) != member:
        raise ModelError(f"The model file is damaged: {kind} has the options of another operation.")
    options = {
        name: default if table is None or not member else walk.scalar(table, place, form, default)
        for name, (place, form, default) in fields.items()
    }
    if options.get("activation", 0) not in ACTIVATIONS:
        raise ModelError(f"{kind} has an activation that is none of {', '.join(ACTIVATIONS.values())}.")
    new_shape = () if table is None or kind != "RESHAPE" else walk.numbers(table, 0, "<i4", 8)
    return Operator(kind, inputs, outputs, options, tuple(int(n) for n in new_shape))
