"""Runs of convolutions that one kernel computes row by row, so that the wide tensors between them never exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edge_asd.firmware_export.step import Step, Structure


def fused(steps: Sequence[Step], output: int) -> list[Step]:
    """Join each depthwise convolution with the convolution before it, the pointwise one behind, and a sum.

    Parameters
    ----------
    steps : sequence of Step
        In the order of computation.
    output : int
        Tensor that the network returns.

    Returns
    -------
    steps : list of Step
        Every depthwise convolution is within a ``block``.
    """
    uses = Counter(tensor for step in steps for tensor in step.inputs)
    uses[output] += 1
    reader = {tensor: step for step in steps for tensor in step.inputs}
    writer = {step.output: step for step in steps}
    gone: set[int] = set()
    blocks: dict[int, Step] = {}  # by the output of their last step
    for middle in (step for step in steps if step.kernel == "depthwise"):
        parts = [middle]
        before = writer.get(middle.inputs[0])
        widen = before if before and before.kernel == "convolution" and uses[before.output] == 1 else None
        if widen:
            parts.insert(0, widen)
        project, total = None, None
        after = reader.get(middle.output)
        if after and uses[middle.output] == 1 and after.kernel == "convolution" and _is_pointwise(after):
            parts.append(project := after)
            last = reader.get(project.output)
            if last and uses[project.output] == 1 and last.kernel == "add" and parts[0].inputs[0] in last.inputs:
                parts.append(total := last)
        # One that adds a tensor to itself is none of ours.
        if total and len(set(total.inputs)) != 2:
            parts.pop()
            total = None
        gone |= {part.output for part in parts}
        blocks[parts[-1].output] = _block(widen, middle, project, total)
    result = []
    for step in steps:
        if step.output in blocks:
            result.append(blocks[step.output])
        elif step.output not in gone:
            result.append(step)
    return result


def _is_pointwise(step: Step) -> bool:
    names = ("filter_height", "filter_width", "stride_height", "stride_width")
    return all(step.fields[name] == 1 for name in names)


def _aligned(count: int) -> int:
    return -(-count // 8) * 8


def _block(widen: Step | None, middle: Step, project: Step | None, total: Step | None) -> Step:
    f = middle.fields
    row = _aligned((f["left"] + f["in_width"] + f["right"]) * f["channels"])
    narrow = _aligned(f["out_width"] * f["outputs"]) if project else 0
    inner = max((part.scratch for part in (widen, project) if part), default=0)
    first = widen or middle
    last = total or project or middle
    parts = [part for part in (widen, middle, project, total) if part]
    if project:
        # It works on one row at a time.
        one_row = {**project.fields, "in_height": 1, "out_height": 1}
        project = Step(project.kernel, project.inputs, project.output, one_row, project.scratch)
    fields = {
        "widen": Structure("convolution", widen.fields) if widen else None,
        "depthwise": Structure("depthwise", middle.fields),
        "project": Structure("convolution", project.fields) if project else None,
        "add": Structure("add", total.fields) if total else None,
        "input_first": int(total is not None and total.inputs[0] == first.inputs[0]),
        "sum_tensor": last.output,
    }
    return Step(
        "block",
        first.inputs,
        last.output,
        fields,
        (f["filter_height"] + 1) * row + narrow + inner,
        traced=tuple(part.output for part in parts[:-1]),
    )
