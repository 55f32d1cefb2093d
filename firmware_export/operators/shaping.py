"""Operations that move values: PAD, RESHAPE, CONCATENATION."""

from __future__ import annotations

import math

from edge_asd.firmware_export.operators.checks import Operation
from edge_asd.firmware_export.step import Step
from edge_asd.model_file import ACTIVATIONS, ModelFile, Operator


def pad(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> Step:
    """PAD, of up to three axes behind those of one value; what is put there is the zero point."""
    operation = Operation(model, place, operator)
    operation.counts(2)
    x = operation.int8(operation.input(0), "input")
    output = operation.int8(operation.output, "output")
    operation.same_quantisation(x)
    amounts, rank = operation.integers(1, "amounts"), len(x.shape)
    if operation.input(1).shape != (rank, 2) or len(output.shape) != rank:
        raise operation.refuse(f"its amounts have the shape {operation.input(1).shape}, not {(rank, 2)}")
    pairs = list(zip(amounts[::2], amounts[1::2], strict=True))
    axes = list(zip(x.shape, pairs, output.shape, strict=True))
    if not all(0 <= before <= made and 0 <= after <= made for _, (before, after), made in axes):
        raise operation.refuse(f"its amounts {pairs} are negative, or larger than the output {output.shape}")
    if any(size + before + after != made for size, (before, after), made in axes):
        raise operation.refuse(f"its output has the shape {output.shape}, which is not {x.shape} with {pairs} added")
    while len(axes) > 3 and axes[0] == (1, (0, 0), 1):
        axes.pop(0)
    if len(axes) > 3:
        raise operation.refuse(f"it pads more than three axes of {x.shape}", "Pad one image at a time.")
    (height, rows, _), (width, columns, _), (channels, depth, _) = [(1, (0, 0), 1)] * (3 - len(axes)) + axes
    fields = {"height": height, "width": width, "channels": channels, "top": rows[0], "bottom": rows[1]}
    fields |= {"left": columns[0], "right": columns[1], "before": depth[0], "after": depth[1]}
    fields["zero_point"] = int(output.zero_points[0])
    return Step("pad", operator.inputs[:1], operator.outputs[0], fields)


def reshape(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> Step:
    """RESHAPE: nothing moves; a plan may let both tensors share their memory and leave the call out."""
    operation = Operation(model, place, operator)
    operation.counts(1, 2)
    x = operation.int8(operation.input(0), "input")
    output = operation.int8(operation.output, "output")
    operation.same_quantisation(x)
    wanted = list(operator.new_shape)
    if len(operator.inputs) == 2:
        wanted = operation.integers(1, "new shape's sizes")
        if len(operation.input(1).shape) != 1 or operation.input(1).dtype.name != "int32":
            raise operation.refuse("its new shape is not a list of int32")
    count = math.prod(x.shape)
    known = math.prod(n for n in wanted if n != -1)
    if wanted.count(-1) == 1 and known > 0:
        wanted[wanted.index(-1)] = count // known
    if tuple(wanted) != output.shape or math.prod(output.shape) != count:
        raise operation.refuse(f"it makes {tuple(wanted)} of {x.shape}, and its output has the shape {output.shape}")
    fields = {"blocks": 1, "bytes": count, "offset": 0, "pitch": count}
    return Step("copy", operator.inputs[:1], operator.outputs[0], fields, in_place=True)


def concatenation(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> tuple[Step, ...]:
    """CONCATENATION, one step for each input: all of them write into one output, none of them all of it."""
    operation = Operation(model, place, operator)
    operation.counts(1, 16)
    inputs = [operation.int8(operation.input(i), f"input {i + 1}") for i in range(len(operator.inputs))]
    output = operation.int8(operation.output, "output")
    rank, axis = len(output.shape), operator.options["axis"]
    axis += rank if axis < 0 else 0
    if ACTIVATIONS[operator.options["activation"]] != "none" or not 0 <= axis < rank:
        raise operation.refuse(f"it has an activation, or the axis {operator.options['axis']} of {rank}")
    for x in inputs:
        operation.same_quantisation(x)
        if len(x.shape) != rank or any(x.shape[i] != output.shape[i] for i in range(rank) if i != axis):
            raise operation.refuse(f"an input's shape {x.shape} does not fit its output's {output.shape}")
    if sum(x.shape[axis] for x in inputs) != output.shape[axis]:
        raise operation.refuse(f"its inputs together are not as long as its output {output.shape}")
    blocks, pitch = math.prod(output.shape[:axis]), math.prod(output.shape[axis:])
    steps, offset = [], 0
    for index, x in zip(operator.inputs, inputs, strict=True):
        size = math.prod(x.shape[axis:])
        fields = {"blocks": blocks, "bytes": size, "offset": offset, "pitch": pitch}
        steps.append(Step("copy", (index,), operator.outputs[0], fields))
        offset += size
    return tuple(steps)
