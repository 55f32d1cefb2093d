"""May a runtime be given this model? Every operation's types and shapes are computed anew and compared.

Kernels check them in part, in debug builds, or never: a stride of 0 divides by zero, a short bias is read past its end.
"""

from __future__ import annotations

import math

from edge_asd.errors import ModelError
from edge_asd.model_file import MAX_TOTAL, ModelFile, Operator, Tensor, read_model

_DTYPES = {"int8": ("int8", "int32"), "int16": ("int8", "int64"), "float32": ("float32", "float32")}
"""Of activations, to those of weights and biases."""


def check_model(content: bytes) -> None:
    """Refuse a model that a runtime could crash on, or that needs more memory than a detector.

    Raises
    ------
    ModelError
    """
    model = read_model(content)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"The model has {len(model.inputs)} inputs and {len(model.outputs)} outputs; it must have one of each."
        )
    dtype = model.tensors[model.inputs[0]].dtype.name
    known = {model.inputs[0], *(i for i, tensor in enumerate(model.tensors) if tensor.data is not None)}
    if model.tensors[model.inputs[0]].data is not None or dtype not in _DTYPES:
        raise ModelError("The model's input is no tensor that sound can be put into.")
    for number, operator in enumerate(model.operators, 1):
        if (
            len(operator.outputs) != 1
            or operator.outputs[0] in known
            or not all(i in known or i == -1 for i in operator.inputs)
            or not _fits(model, operator, dtype)
        ):
            raise ModelError(
                f"Operation {number} of the model, {operator.kind}, does not fit its tensors, or is in no detector. "
                "Convert the model anew."
            )
        known.add(operator.outputs[0])
    if model.outputs[0] not in known or model.tensors[model.outputs[0]].data is not None:
        raise ModelError("The model's output is not computed from its input.")
    total = sum(math.prod(t.shape) * t.dtype.itemsize for t in model.tensors if t.data is None)
    if total > MAX_TOTAL:
        raise ModelError(f"The model needs {total >> 20} MiB for one window; at most {MAX_TOTAL >> 20} are allowed.")


def _fits(model: ModelFile, operator: Operator, dtype: str) -> bool:
    inputs = [None if i == -1 else model.tensors[i] for i in operator.inputs]
    output = model.tensors[operator.outputs[0]]
    if not inputs or inputs[0] is None or inputs[0].data is not None:
        return False
    x = inputs[0]
    if not (_is_activation(x, dtype) and _is_activation(output, dtype)) or x.shape[:1] != output.shape[:1]:
        return False
    if operator.kind == "ADD":
        other = inputs[1] if len(inputs) == 2 else None
        return other is not None and _is_activation(other, dtype) and x.shape == other.shape == output.shape
    if operator.kind == "MEAN":
        axes = inputs[1] if len(inputs) == 2 else None
        if axes is None or axes.data is None or axes.dtype.name != "int32" or axes.data.size > len(x.shape):
            return False
        chosen = {int(axis) for axis in axes.data.ravel()}
        if not chosen or not chosen <= set(range(1, len(x.shape))) or len(chosen) != axes.data.size:
            return False
        keep = operator.options["keep_dims"]
        return output.shape == tuple(1 if i in chosen else n for i, n in enumerate(x.shape) if keep or i not in chosen)
    if operator.kind not in ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D") or not 2 <= len(inputs) <= 3:
        return False
    weights, bias = inputs[1], inputs[2] if len(inputs) == 3 else None
    if weights is None or weights.data is None or weights.dtype.name != _DTYPES[dtype][0]:
        return False
    axis = 3 if operator.kind == "DEPTHWISE_CONV_2D" else 0
    channels = weights.shape[axis] if axis < len(weights.shape) else 0
    if dtype != "float32" and (
        len(weights.scales) not in (1, channels)
        or weights.zero_points.any()
        or (len(weights.scales) > 1 and weights.channel_axis != axis)
    ):
        return False
    if bias is not None and (bias.data is None or bias.dtype.name != _DTYPES[dtype][1] or bias.shape != (channels,)):
        return False
    if operator.kind == "FULLY_CONNECTED":
        return (
            not operator.options["weights_format"]
            and len(x.shape) == len(weights.shape) == 2
            and output.shape == (x.shape[0], channels)
            and weights.shape[1] == x.shape[1]
        )
    return _convolves(operator, x, weights, output)


def _is_activation(tensor: Tensor, dtype: str) -> bool:
    quantised = len(tensor.scales) == 1 and -128 <= tensor.zero_points[0] <= 127
    return tensor.data is None and tensor.dtype.name == dtype and len(tensor.shape) > 1 and (
        dtype == "float32" or quantised
    )  # fmt: skip


def _convolves(operator: Operator, x: Tensor, weights: Tensor, output: Tensor) -> bool:
    if not len(x.shape) == len(weights.shape) == len(output.shape) == 4:
        return False
    options = operator.options
    if operator.kind == "CONV_2D":
        fits = weights.shape[3] == x.shape[3] and output.shape[3] == weights.shape[0]
    else:
        fits = (
            weights.shape[0] == 1
            and output.shape[3] == weights.shape[3] == x.shape[3] * options["multiplier"]
            and options["multiplier"] > 0
        )
    for axis, name in ((1, "h"), (2, "w")):
        stride, dilation = options[f"stride_{name}"], options[f"dilation_{name}"]
        if not (1 <= stride <= 64 and dilation == 1):
            return False
        span = x.shape[axis] if options["padding"] == 0 else x.shape[axis] - weights.shape[axis] + 1
        fits = fits and options["padding"] in (0, 1) and output.shape[axis] == -(-span // stride) and span > 0
    return fits
