"""Operations on single values: ADD, RELU, RELU6, QUANTIZE, DEQUANTIZE."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.firmware_export.operators.checks import Operation
from edge_asd.firmware_export.step import Step
from edge_asd.model_file import ACTIVATIONS, ModelFile, Operator, Tensor
from edge_asd.requantisation import fixed_multiplier, rounded_twice

_INT8 = np.arange(-128, 128)
_ACTIVATION_NUMBERS = {name: number for number, name in ACTIVATIONS.items()}


def add(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> Step:
    """ADD, of two tensors or a tensor and a constant; the smaller one may be repeated (over all but its last axes).

    All runtimes round it alike: each input to steps of the larger scale / 2^19, and their sum to the output's.
    """
    operation = Operation(model, place, operator)
    operation.counts(2)
    inputs = [operation.int8(operation.input(i), f"input {i + 1}", constant=True) for i in (0, 1)]
    operation.int8(operation.output, "output")
    constants = [i for i in (0, 1) if inputs[i].data is not None]
    if len(constants) == 2:
        raise operation.refuse("both of its inputs are constants", "Give their sum instead.")
    _check_repeated(operation, inputs)
    first = 0 if inputs[0].scales[0] >= inputs[1].scales[0] else 1
    a, b = inputs[first], inputs[1 - first]
    fields = _add_fields(operation, a, b)
    if constants:
        constant = inputs[constants[0]].data
        fields = {"add": fields, "constant": constant, "constant_is_first": int(constants[0] == first)}
    x = [i for i in (first, 1 - first) if i not in constants]
    return Step(
        "add_constant" if constants else "add",
        tuple(operator.inputs[i] for i in x),
        operator.outputs[0],
        fields,
        in_place=inputs[x[0]].shape == operation.output.shape,
    )


def _check_repeated(operation: Operation, inputs: list[Tensor]) -> None:
    short, long = sorted((tensor.shape for tensor in inputs), key=math.prod)
    # Without its leading ones the shorter is all of the longer one's last axes, or nothing: a single value.
    core = short[next((i for i, n in enumerate(short) if n > 1), len(short)) :]
    shape = (*(1,) * (len(short) - len(long)), *long)
    if operation.output.shape != shape or core != shape[len(shape) - len(core) :]:
        raise operation.refuse(
            f"it adds the shapes {inputs[0].shape} and {inputs[1].shape} to {operation.output.shape}",
            "Give both inputs the same shape, or one of them only the other's last axes.",
        )


def _add_fields(operation: Operation, a: Tensor, b: Tensor) -> dict[str, Any]:
    twice_largest = 2 * float(a.scales[0])
    multiplier_b, shift_b = fixed_multiplier(float(b.scales[0]) / twice_largest)
    if shift_b == 0:  # a half, or 0: the kernel shifts by 1 at least
        multiplier_b, shift_b = (2**31 - 1 if multiplier_b else 0), -1
    multiplier, shift = fixed_multiplier(twice_largest / (2**20 * float(operation.output.scales[0])))
    if shift > -9 and multiplier:  # below a thousandth of theirs
        raise operation.refuse("its output's scale is far smaller than those of its inputs")
    shift = shift or -9
    low, high = operation.bounds(operation.operator.options["activation"])
    return {
        "count_a": math.prod(a.shape),
        "count_b": math.prod(b.shape),
        "offset_a": -int(a.zero_points[0]) * 2**20,
        "offset_b": -int(b.zero_points[0]) * 2**21,
        "multiplier_b": multiplier_b,
        "shift_b": -shift_b,
        "multiplier": multiplier,
        "shift": -shift,
        "zero_point": int(operation.output.zero_points[0]),
        "low": low,
        "high": high,
    }


def relu(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> Step:
    """RELU; all runtimes round it twice."""
    return _table(Operation(model, place, operator), "relu")


def relu6(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> Step:
    """RELU6; LiteRT rounds it twice, and TFLM takes the output's scale for the input's (`twice`)."""
    operation = Operation(model, place, operator)
    step = _table(operation, "relu6")
    x, output = operation.input(0), operation.output
    if twice and (x.scales[0], x.zero_points[0]) != (output.scales[0], output.zero_points[0]):
        raise operation.refuse(
            "its input and output have different scales or zero points, of which TFLM heeds only the input's",
            "Let it follow an operation that it can be fused with, or export with single rounding.",
        )
    return step


def quantize(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> Step:
    """QUANTIZE, from float32, or from int8 of another scale; all runtimes round the latter twice."""
    operation = Operation(model, place, operator)
    operation.counts(1)
    x = operation.input(0)
    if x.dtype.name != "float32":
        return _table(operation, "none")
    operation.floats(x, "input")
    output = operation.int8(operation.output, "output")
    operation.same_shape(x)
    fields = {
        "count": math.prod(x.shape),
        "thresholds": _thresholds(np.float32(output.scales[0]), int(output.zero_points[0])),
    }
    return Step("from_float", operator.inputs, operator.outputs[0], fields)


def dequantize(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> Step:
    """DEQUANTIZE, from int8 to float32."""
    operation = Operation(model, place, operator)
    operation.counts(1)
    x = operation.int8(operation.input(0), "input")
    operation.same_shape(x)
    operation.floats(operation.output, "output")
    with np.errstate(over="ignore"):  # asked below
        values = (np.float64(x.scales[0]) * (_INT8 - int(x.zero_points[0]))).astype(np.float32)
    if not np.isfinite(values).all():
        raise operation.refuse(f"its input's scale {x.scales[0]:.3g} is too large for float32")
    fields = {"count": math.prod(x.shape), "table": values.view(np.uint32)}
    return Step("to_float", operator.inputs, operator.outputs[0], fields)


def _table(operation: Operation, activation: str) -> Step:
    operator = operation.operator
    operation.counts(1)
    x = operation.int8(operation.input(0), "input")
    output = operation.int8(operation.output, "output")
    operation.same_shape(x)
    # 8 bits, shifted by 22, still fit 32 with their sign.
    multiplier, shift = operation.multiplier(float(x.scales[0]) / float(output.scales[0]), 22)
    low, high = operation.bounds(_ACTIVATION_NUMBERS[activation])
    scaled = rounded_twice(_INT8 - int(x.zero_points[0]), multiplier, shift) + int(output.zero_points[0])
    fields = {"count": math.prod(x.shape), "table": np.clip(scaled, low, high).astype(np.int8)}
    return Step("lookup", operator.inputs, operator.outputs[0], fields, in_place=True)


def _thresholds(scale: np.float32, zero_point: int) -> npt.NDArray[np.int32]:
    """Return the smallest float32 of each of -127 .. 127, as edge_asd_from_float.h orders them."""
    infinity = int(np.float32(np.inf).view(np.int32))
    low = np.full(255, ~infinity, np.int64)  # minus infinity, of which -128 is made
    high = np.full(255, infinity, np.int64)
    while (high - low > 1).any():
        middle = (low + high) // 2
        order = middle.astype(np.int32)
        x = np.where(order < 0, order ^ 0x7FFFFFFF, order).astype(np.int32).view(np.float32)
        with np.errstate(over="ignore"):
            quotient = (x / scale).astype(np.float64)  # in float32, and then rounded, halves away from zero
        level = np.copysign(np.floor(np.abs(quotient) + 0.5), quotient) + zero_point
        reached = level >= np.arange(-127, 128)
        high, low = np.where(reached, middle, high), np.where(reached, low, middle)
    return high.astype(np.int32)
