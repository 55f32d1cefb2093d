"""Layers with weights as calls of kernels: fully connected, convolution, depthwise convolution."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from edge_asd.firmware_export.depthwise import Depthwise
from edge_asd.firmware_export.matrix import Matrix, reaches
from edge_asd.firmware_export.operators.checks import Operation
from edge_asd.firmware_export.step import Step
from edge_asd.model_file import ModelFile, Operator, Tensor

Int64 = npt.NDArray[np.int64]

MAX_FILTER_ROWS = 16
"""Of a depthwise filter: EDGE_ASD_BLOCK_MAX_FILTER."""

_VECTORS = 4  # at a time, in convolutions
_MOST = 65535  # rows, columns, heights, widths, channels

_BATCH = "Convert the model for one window at a time."


def scratch_bytes(columns: int, quads: bool) -> int:
    """Bytes of scratch of a matrix: EDGE_ASD_MATRIX_SCRATCH."""
    return -(-columns // 16) * 16 * (8 if quads else 2)


def fully_connected(model: ModelFile, place: int, operator: Operator, *, twice: bool, hops: int = 1) -> Step:
    """Convert FULLY_CONNECTED; `hops` vectors are computed together."""
    operation = Operation(model, place, operator)
    x, weights, output = _tensors(operation, 2)
    if operator.options["weights_format"]:
        raise operation.refuse("its weights are in an order of their own")
    rows, columns = weights.shape
    wanted = (*x.shape[:-1], rows) if operator.options["keep_dims"] else (1, rows)
    fits = x.shape[-1:] == (columns,) or not operator.options["keep_dims"]
    if not fits or math.prod(x.shape) != columns or output.shape != wanted:
        raise operation.refuse(f"{x.shape} times {weights.shape} does not give one vector {output.shape}", _BATCH)
    matrix = _matrix(operation, _values(weights), 0, twice=twice, quads=hops > 1)
    fields = {"matrix": matrix, "vectors": hops, "tensor": operator.outputs[0]}
    return Step("dense", operator.inputs[:1], operator.outputs[0], fields, scratch_bytes(columns, hops > 1))


def convolution(model: ModelFile, place: int, operator: Operator) -> Step:
    """Convert CONV_2D, which every runtime rounds twice."""
    operation = Operation(model, place, operator)
    x, weights, output = _tensors(operation, 4)
    top, left, _ = _window(operation, x, weights, output)
    if weights.shape[3] != x.shape[3] or output.shape[3] != weights.shape[0]:
        raise operation.refuse(
            f"its filters {weights.shape} do not make {output.shape} of {x.shape}", "Use filters without groups."
        )
    filters = _values(weights).reshape(weights.shape[0], -1)
    matrix = _matrix(operation, filters, 0, twice=True, quads=True)
    columns = filters.shape[1]
    pointwise = weights.shape[1:3] == (1, 1) and operator.options["stride_h"] == operator.options["stride_w"] == 1
    fields = {
        "matrix": matrix,
        **_sizes(x, output, weights, operator),
        "top": top,
        "left": left,
        "padding": int(x.zero_points[0]),
        "tensor": operator.outputs[0],
    }
    fields.pop("outputs")
    scratch = scratch_bytes(columns, True) + (0 if pointwise else -(-_VECTORS * columns // 8) * 8)
    return Step("convolution", operator.inputs[:1], operator.outputs[0], fields, scratch)


def depthwise(model: ModelFile, place: int, operator: Operator) -> Step:
    """Convert DEPTHWISE_CONV_2D, which every runtime rounds twice, as a block of nothing else."""
    operation = Operation(model, place, operator)
    x, weights, output = _tensors(operation, 4)
    top, left, right = _window(operation, x, weights, output)
    outputs, multiplier = weights.shape[3], operator.options["multiplier"]
    if weights.shape[0] != 1 or multiplier < 1 or not outputs == output.shape[3] == x.shape[3] * multiplier:
        raise operation.refuse(f"its filters {weights.shape} do not make {output.shape} of {x.shape}")
    if weights.shape[1] > MAX_FILTER_ROWS:
        raise operation.refuse(
            f"its filters have {weights.shape[1]} rows; at most {MAX_FILTER_ROWS} are possible", "Use smaller filters."
        )
    layer = _matrix(operation, _values(weights).reshape(-1, outputs).T, 3, twice=True, quads=False)
    kernel = Depthwise(layer, weights.shape[1:3] == (3, 3) and multiplier == 1)
    fields = {
        "stream": kernel,
        "row": kernel,
        **_sizes(x, output, weights, operator),
        "top": top,
        "left": left,
        "right": right,
        "twice": 1,
        "padding": int(x.zero_points[0]),
        "zero_point": layer.zero_point,
        "low": layer.low,
        "high": layer.high,
        "tensor": operator.outputs[0],
    }
    return Step("depthwise", operator.inputs[:1], operator.outputs[0], fields)


def _sizes(x: Tensor, output: Tensor, weights: Tensor, operator: Operator) -> dict[str, int]:
    return {
        "in_height": x.shape[1],
        "in_width": x.shape[2],
        "channels": x.shape[3],
        "out_height": output.shape[1],
        "out_width": output.shape[2],
        "outputs": output.shape[3],
        "filter_height": weights.shape[1],
        "filter_width": weights.shape[2],
        "stride_height": operator.options["stride_h"],
        "stride_width": operator.options["stride_w"],
    }


def _tensors(operation: Operation, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """Check types; return the input, the weights and the output."""
    operation.counts(2, 3)
    x = operation.int8(operation.input(0), "input")
    output = operation.int8(operation.output, "output")
    weights = operation.input(1)
    if weights.data is None or weights.dtype.name != "int8":
        raise operation.refuse(f"its weights are not constant int8, but {weights.dtype.name}")
    if len(weights.shape) != rank:
        raise operation.refuse(f"its weights have the shape {weights.shape}, not {rank} axes")
    return x, weights, output


def _values(weights: Tensor) -> Int64:
    assert weights.data is not None
    values: Int64 = weights.data.astype(np.int64)
    return values


def _matrix(operation: Operation, weights: Int64, axis: int, *, twice: bool, quads: bool) -> Matrix:
    """Join weights, one row for each of the output's channels, with bias and scales.

    Parameters
    ----------
    axis : int
        Of the channels, in the tensor of weights.
    """
    x, kernel, output = operation.input(0), operation.input(1), operation.output
    rows = len(weights)
    if max(weights.shape) > _MOST:
        raise operation.refuse(f"its weights have the shape {kernel.shape}; no axis may exceed {_MOST}")
    if len(kernel.scales) not in (1, rows) or kernel.zero_points.any():
        raise operation.refuse("its weights have not one scale, or one a channel, and zero points of 0")
    if len(kernel.scales) > 1 and kernel.channel_axis != axis:
        raise operation.refuse(f"the scales of its weights run along axis {kernel.channel_axis}, not {axis}")
    bias = np.zeros(rows, np.int64)
    if len(operation.operator.inputs) == 3 and operation.operator.inputs[2] != -1:
        values = operation.input(2)
        if values.data is None or values.dtype.name != "int32" or values.shape != (rows,):
            raise operation.refuse(
                f"its bias is not a constant of {rows} int32, but {values.dtype.name} {values.shape}"
            )
        bias = values.data.astype(np.int64)
    ratios = np.broadcast_to(x.scales[0] * kernel.scales / output.scales[0], rows)
    reach = reaches(weights, bias, int(x.zero_points[0]))
    multipliers, shifts = np.zeros((2, rows), np.int64)
    for row, ratio in enumerate(ratios):
        multipliers[row], shifts[row] = operation.multiplier(float(ratio), 30)
        # Too little to be seen in the output, such as a channel of zeros: any shift will do.
        if shifts[row] < -22 and reach[row] * ratio < 0.49:
            multipliers[row] = 0
        if multipliers[row] == 0:
            shifts[row] = -1
    # The zero point is still to be added.
    if (reach << np.maximum(shifts, 0) >= 2**31 - 256).any():
        raise operation.refuse("its sums could overflow 32 bits", "Quantise the model anew, with smaller weights.")
    low, high = operation.bounds(operation.operator.options["activation"])
    if low > high:
        raise operation.refuse("its activation leaves no value")
    return Matrix(
        weights=weights,
        bias=bias,
        multipliers=multipliers,
        shifts=shifts,
        input_zero_point=int(x.zero_points[0]),
        zero_point=int(output.zero_points[0]),
        low=low,
        high=high,
        twice=twice,
        quads=quads,
    )


def _window(operation: Operation, x: Tensor, weights: Tensor, output: Tensor) -> tuple[int, int, int]:
    """Check sizes; return the padding above, to the left and to the right."""
    options = operation.operator.options
    if len(x.shape) != 4 or len(output.shape) != 4 or max(*x.shape, *output.shape) > _MOST:
        raise operation.refuse(f"it makes {output.shape} of {x.shape}, not an image of another")
    if x.shape[0] != 1 or output.shape[0] != 1:
        raise operation.refuse(f"its input has the shape {x.shape}, a batch of {x.shape[0]}", _BATCH)
    padded: list[tuple[int, int]] = []
    for axis, name in ((1, "h"), (2, "w")):
        stride, size, filter_size = options[f"stride_{name}"], x.shape[axis], weights.shape[axis]
        if options[f"dilation_{name}"] != 1:
            raise operation.refuse("its filters are dilated", "Use filters without dilation.")
        if not 1 <= stride <= 64 or filter_size > 255 or options["padding"] not in (0, 1):
            raise operation.refuse(
                f"it moves filters of {filter_size} by {stride}; at most 255 and 64 are possible",
                "Use smaller filters and strides.",
            )
        same = options["padding"] == 0
        span = size if same else size - filter_size + 1
        if span < 1 or output.shape[axis] != -(-span // stride):
            raise operation.refuse(f"{x.shape} does not give {output.shape}")
        total = max(0, (output.shape[axis] - 1) * stride + filter_size - size) if same else 0
        padded.append((total // 2, total - total // 2))
    return padded[0][0], padded[1][0], padded[1][1]
