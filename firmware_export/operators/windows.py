"""Means: AVERAGE_POOL_2D and MEAN."""

from __future__ import annotations

import math
from itertools import groupby

from edge_asd.firmware_export.operators.checks import Operation
from edge_asd.firmware_export.step import Step
from edge_asd.model_file import ModelFile, Operator

_MOST = 2**23
"""Values of one mean must be fewer, so that their sum fits 32 bits."""


def average_pool(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> Step:
    """AVERAGE_POOL_2D; all runtimes round it once, halves away from zero, and leave padding out of the mean."""
    operation = Operation(model, place, operator)
    operation.counts(1)
    x = operation.int8(operation.input(0), "input")
    output = operation.int8(operation.output, "output")
    operation.same_quantisation(x)
    if len(x.shape) != 4 or len(output.shape) != 4 or x.shape[0] != 1 or output.shape[::3] != x.shape[::3]:
        raise operation.refuse(f"it makes the shape {output.shape} of {x.shape}, not one image of another")
    fields = {"height": x.shape[1], "width": x.shape[2], "channels": x.shape[3]}
    fields |= {"out_height": output.shape[1], "out_width": output.shape[2]}
    options, filters, strides, before = operator.options, {}, {}, {}
    for axis, name, side in ((1, "height", "top"), (2, "width", "left")):
        size, stride = options[f"filter_{name[0]}"], options[f"stride_{name[0]}"]
        same = options["padding"] == 0
        span = x.shape[axis] if same else x.shape[axis] - size + 1
        if not (1 <= size < _MOST and 1 <= stride < _MOST and options["padding"] in (0, 1) and span >= 1):
            raise operation.refuse(
                f"its filter of {size} in steps of {stride} does not fit a {name} of {x.shape[axis]}"
            )
        if output.shape[axis] != -(-span // stride):
            raise operation.refuse(f"its output has the {name} {output.shape[axis]}, not {-(-span // stride)}")
        filters[f"filter_{name}"], strides[f"stride_{name}"] = size, stride
        before[side] = max(0, (output.shape[axis] - 1) * stride + size - x.shape[axis]) // 2 if same else 0
    if min(filters["filter_height"], x.shape[1]) * min(filters["filter_width"], x.shape[2]) >= _MOST:
        raise operation.refuse("its filter is larger than any image of sound")
    fields |= filters | strides | before
    fields["low"], fields["high"] = operation.bounds(options["activation"])
    return Step("average_pool", operator.inputs, operator.outputs[0], fields)


def mean(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> Step:
    """MEAN over one or two groups of neighbouring axes; all runtimes round twice, by a multiplier with 1/N within."""
    operation = Operation(model, place, operator)
    operation.counts(2)
    x = operation.int8(operation.input(0), "input")
    output = operation.int8(operation.output, "output")
    rank = len(x.shape)
    given = operation.integers(1, "axes")
    axes = {axis + rank if axis < 0 else axis for axis in given}
    if not axes or len(axes) != len(given) or not axes <= set(range(rank)):
        raise operation.refuse(f"it has the axes {given} of {rank}, or one of them twice")
    keep = operator.options["keep_dims"]
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
    if output.shape != shape:
        raise operation.refuse(f"its output has the shape {output.shape}, not {shape}")
    outer, reduced, kept, inner = _groups(operation, x.shape, axes)
    count = reduced * inner
    if count >= _MOST:
        raise operation.refuse(f"its mean is one of {count} values, more than any detector's")
    multiplier, shift = operation.multiplier(float(x.scales[0]) / float(output.scales[0]), 30)
    folded = min(count.bit_length() - 1, 31 + shift)
    multiplier, shift = (multiplier << folded) // count, shift - folded
    if 255 * count << max(shift, 0) >= 2**31:
        raise operation.refuse("its scales are too far apart")
    fields = {
        "outer": outer,
        "reduced": reduced,
        "kept": kept,
        "inner": inner,
        "offset": -int(x.zero_points[0]) * count,
        "multiplier": multiplier,
        "shift": shift,
        "zero_point": int(output.zero_points[0]),
    }
    return Step("mean", operator.inputs[:1], operator.outputs[0], fields)


def _groups(operation: Operation, shape: tuple[int, ...], axes: set[int]) -> tuple[int, int, int, int]:
    """Return the sizes of what is kept, reduced, kept and reduced, from the first axis to the last."""
    # Axes of one value belong to either kind.
    sized = [(i in axes, n) for i, n in enumerate(shape) if n > 1]
    groups = [(kind, math.prod(n for _, n in group)) for kind, group in groupby(sized, lambda one: one[0])]
    if not groups or groups[0][0]:
        groups.insert(0, (False, 1))
    sizes = [size for _, size in groups] + [1] * (4 - len(groups))
    if len(sizes) > 4:
        raise operation.refuse(
            f"it keeps an axis of {shape} between others, {sorted(axes)}", "Put the axes of its mean side by side."
        )
    # Kept, reduced, kept: the last of them lies innermost in memory, as `kept` with inner = 1 says.
    return sizes[0], sizes[1], sizes[2], sizes[3]
