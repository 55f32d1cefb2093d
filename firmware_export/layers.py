"""Layers with weights as calls of kernels: fully connected, convolution, depthwise convolution."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from edge_asd.firmware_export.depthwise import Depthwise
from edge_asd.firmware_export.matrix import Matrix
from edge_asd.firmware_export.step import Step, refuse
from edge_asd.model_file import ModelFile, Operator, Tensor
from edge_asd.requantisation import fixed_multiplier

Int64 = npt.NDArray[np.int64]

_VECTORS = 4  # at a time, in convolutions


def scratch_bytes(columns: int, quads: bool) -> int:
    """Bytes of scratch of a matrix: EDGE_ASD_MATRIX_SCRATCH."""
    return -(-columns // 16) * 16 * (8 if quads else 2)


def fully_connected(model: ModelFile, place: int, operator: Operator, *, twice: bool, hops: int = 1) -> Step:
    """Convert FULLY_CONNECTED; `hops` vectors are computed together."""
    x, weights, output = _tensors(model, place, operator)
    if weights.data is None or len(weights.shape) != 2 or operator.options["weights_format"]:
        raise refuse(place, operator.kind, "its weights are no plain matrix. Convert the model with usual weights.")
    rows, columns = weights.shape
    if math.prod(x.shape) != columns or math.prod(output.shape) != rows:
        raise refuse(
            place, operator.kind, f"{x.shape} times {weights.shape} does not give {output.shape}. Use a batch of one."
        )
    matrix = _matrix(model, place, operator, weights.data.astype(np.int64), 0, twice=twice, quads=hops > 1)
    fields = {"matrix": matrix, "vectors": hops, "tensor": operator.outputs[0]}
    return Step("dense", operator.inputs[:1], operator.outputs[0], fields, scratch_bytes(columns, hops > 1))


def convolution(model: ModelFile, place: int, operator: Operator) -> Step:
    """Convert CONV_2D, which every runtime rounds twice."""
    x, weights, output = _tensors(model, place, operator)
    if weights.data is None or len(weights.shape) != 4 or weights.shape[3] != x.shape[-1]:
        raise refuse(place, operator.kind, "its filters do not fit its input (or are in groups). Use plain filters.")
    filters = weights.data.reshape(weights.shape[0], -1).astype(np.int64)
    matrix = _matrix(model, place, operator, filters, 0, twice=True, quads=True)
    top, left, _ = _window(place, operator, x, weights, output, weights.shape[0])
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
    x, weights, output = _tensors(model, place, operator)
    if weights.data is None or len(weights.shape) != 4 or weights.shape[0] != 1 or weights.shape[1] > 8:
        raise refuse(place, operator.kind, "its filters are of no form that is known, or higher than 8 rows.")
    outputs = weights.shape[3]
    if outputs != x.shape[-1] * operator.options["multiplier"] or operator.options["multiplier"] < 1:
        raise refuse(place, operator.kind, "its filters do not fit its input's channels. Convert the model anew.")
    top, left, right = _window(place, operator, x, weights, output, outputs)
    layer = _matrix(model, place, operator, weights.data.reshape(-1, outputs).T.astype(np.int64), 3,
                    twice=True, quads=False)  # fmt: skip
    kernel = Depthwise(layer, weights.shape[1:3] == (3, 3) and operator.options["multiplier"] == 1)
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


def _tensors(model: ModelFile, place: int, operator: Operator) -> tuple[Tensor, Tensor, Tensor]:
    if not 2 <= len(operator.inputs) <= 3 or -1 in operator.inputs[:2] or len(operator.outputs) != 1:
        raise refuse(place, operator.kind, "it has not the inputs of such an operation. Convert the model anew.")
    x, weights = (model.tensors[i] for i in operator.inputs[:2])
    output = model.tensors[operator.outputs[0]]
    for tensor in (x, output):
        if tensor.dtype != np.int8 or tensor.data is not None:
            raise refuse(
                place, operator.kind, f"it works on {tensor.dtype}, not int8. Quantise the model to full int8."
            )
        check_quantised(place, operator.kind, tensor)
    if weights.data is None or weights.dtype != np.int8:
        raise refuse(place, operator.kind, f"its weights are {weights.dtype}. Quantise the model to full int8.")
    return x, weights, output


def check_quantised(place: int, kind: str, tensor: Tensor) -> None:
    """Refuse an activation without one scale and a zero point within int8, or with a batch."""
    if len(tensor.scales) != 1 or not -128 <= tensor.zero_points[0] <= 127:
        raise refuse(place, kind, "a tensor has not one scale and zero point. Quantise the model to full int8.")
    if tensor.shape[:1] != (1,):
        raise refuse(place, kind, f"a tensor is {tensor.shape}; the batch must be 1. Convert the model for one input.")


def activation_range(kind: int, scale: float, zero_point: int) -> tuple[int, int]:
    """Range of an int8 output for ``edge_asd.model_file.ACTIVATIONS``."""
    low = max(-128, zero_point) if kind else -128
    high = min(127, zero_point + rounded_away(float(np.float32(6) / np.float32(scale)))) if kind == 3 else 127
    return low, high


def rounded_away(value: float) -> int:
    """Round halves away from zero, as C's round does."""
    return int(math.copysign(math.floor(abs(float(value)) + 0.5), float(value)))


def _matrix(
    model: ModelFile, place: int, operator: Operator, weights: Int64, axis: int, *, twice: bool, quads: bool
) -> Matrix:
    x, kernel, output = _tensors(model, place, operator)
    rows = len(weights)
    if len(kernel.scales) not in (1, rows) or kernel.zero_points.any():
        raise refuse(place, operator.kind, "its weights have not one scale, or one a channel. Convert the model anew.")
    if len(kernel.scales) > 1 and kernel.channel_axis != axis:
        raise refuse(place, operator.kind, f"its scales run along axis {kernel.channel_axis} of the weights.")
    bias = np.zeros(rows, np.int64)
    if len(operator.inputs) == 3 and operator.inputs[2] != -1:
        values = model.tensors[operator.inputs[2]]
        if values.data is None or values.dtype != np.int32 or values.shape != (rows,):
            raise refuse(place, operator.kind, "its bias is no int32 value for each row. Quantise to full int8.")
        bias = values.data.astype(np.int64)
    scales = np.broadcast_to(kernel.scales, rows)
    ratios = [float(x.scales[0]) * float(scale) / float(output.scales[0]) for scale in scales]
    if not all(2**-31 <= ratio < 2**6 for ratio in ratios):
        raise refuse(place, operator.kind, "its scales lie too far apart for 32-bit arithmetic. Quantise it anew.")
    pairs = [fixed_multiplier(ratio) for ratio in ratios]
    zero_point = int(output.zero_points[0])
    low, high = activation_range(operator.options["activation"], float(output.scales[0]), zero_point)
    if low > high:
        raise refuse(place, operator.kind, "its activation leaves no value. Quantise it anew.")
    matrix = Matrix(
        weights=weights,
        bias=bias,
        multipliers=np.array([m for m, _ in pairs]),
        shifts=np.array([s for _, s in pairs]),
        input_zero_point=int(x.zero_points[0]),
        zero_point=zero_point,
        low=low,
        high=high,
        twice=twice,
        quads=quads,
    )
    if matrix.reach << max(0, int(matrix.shifts.max())) >= 2**31 or max(weights.shape) > 65535:
        raise refuse(place, operator.kind, "its sums could overflow 32 bits. Quantise it anew, with smaller weights.")
    return matrix


def _window(
    place: int, operator: Operator, x: Tensor, weights: Tensor, output: Tensor, outputs: int
) -> tuple[int, int, int]:
    """Check sizes; return the padding above, to the left and to the right."""
    options = operator.options
    if len(x.shape) != 4 or len(output.shape) != 4 or max(*x.shape, *output.shape) > 65535:
        raise refuse(place, operator.kind, "its tensors are no images.")
    padded: list[tuple[int, int]] = []
    for axis, name in ((1, "h"), (2, "w")):
        stride, size, filter_size = options[f"stride_{name}"], x.shape[axis], weights.shape[axis]
        if options[f"dilation_{name}"] != 1:
            raise refuse(place, operator.kind, "it is dilated. Use filters without dilation.")
        if not 1 <= stride <= 64 or filter_size > 255 or options["padding"] not in (0, 1):
            raise refuse(place, operator.kind, f"its stride of {stride} or its padding cannot be used.")
        same = options["padding"] == 0
        span = size if same else size - filter_size + 1
        if span < 1 or output.shape[axis] != -(-span // stride):
            raise refuse(place, operator.kind, f"{x.shape} does not give {output.shape}. Convert the model anew.")
        total = max(0, (output.shape[axis] - 1) * stride + filter_size - size) if same else 0
        padded.append((total // 2, total - total // 2))
    if output.shape[3] != outputs:
        raise refuse(place, operator.kind, f"{outputs} filters do not give {output.shape}. Convert the model anew.")
    return padded[0][0], padded[1][0], padded[1][1]
