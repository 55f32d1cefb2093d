"""Runs of convolutions that one kernel computes row by row, so that the wide tensors between them never exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edge_asd.firmware_export.step import Step, Structure


def fused(steps: Sequence[Step], output: int, *, leave: bool) -> list[Step]:
    """Join each depthwise convolution with the convolution before it, the pointwise one behind, and a sum.

    Parameters
    ----------
    steps : sequence of Step
        In the order of computation.
    output : int
        Tensor that the network returns.
    leave : bool
        A pointwise convolution between two depthwise ones is computed with the later, not with the earlier.

    Returns
    -------
    steps : list of Step
        Every depthwise convolution is within a ``block``.
    """
    uses = Counter(tensor for step in steps for tensor in step.inputs)
    uses[output] += 1
    readers = {tensor: step for step in steps for tensor in step.inputs}
    writers = {step.output: step for step in steps}
    gone: set[int] = set()  # outputs of the steps that are in a block
    blocks: dict[int, Step] = {}  # by the output of their last step
    for middle in (step for step in steps if step.kernel == "depthwise"):
        parts = [middle]
        before = writers.get(middle.inputs[0])
        widen = before if before and before.output not in gone and uses[before.output] == 1 else None
        widen = widen if widen and widen.kernel == "convolution" and _follow(widen, middle) else None
        if widen:
            parts.insert(0, widen)
        project = readers.get(middle.output) if uses[middle.output] == 1 else None
        project = project if project and _is_pointwise(project) and _follow(middle, project) else None
        behind = readers.get(project.output) if project and uses[project.output] == 1 else None
        if leave and project and behind and behind.kernel == "depthwise" and _follow(project, behind):
            project = None
        total = behind if project and behind and _adds(behind, parts[0].inputs[0], project.output) else None
        parts += [part for part in (project, total) if part]
        gone |= {part.output for part in parts}
        blocks[parts[-1].output] = _block(widen, middle, project, total)
    result = []
    for step in steps:
        if step.output in blocks:
            result.append(blocks[step.output])
        elif step.output not in gone:
            result.append(step)
    return result


def _follow(first: Step, second: Step) -> bool:
    """Whether the second sees the first's output in the shape that it is computed in: RESHAPE leaves no step."""
    made, seen = _shape(first, "out"), _shape(second, "in")
    return made == seen


def _shape(step: Step, side: str) -> tuple[int, int, int]:
    f = step.fields
    channels = f["channels"] if side == "in" else f["outputs"] if "outputs" in f else len(f["matrix"].weights)
    return f[f"{side}_height"], f[f"{side}_width"], channels


def _adds(step: Step, a: int, b: int) -> bool:
    """Whether a step adds two tensors, neither of which is repeated."""
    return step.kernel == "add" and {*step.inputs} == {a, b} and step.fields["count_a"] == step.fields["count_b"]


def _is_pointwise(step: Step) -> bool:
    names = ("filter_height", "filter_width", "stride_height", "stride_width")
    return step.kernel == "convolution" and all(step.fields[name] == 1 for name in names)


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
