"""An int8 model as calls of kernels, with the memory that they need."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from edge_asd.errors import ModelError
from edge_asd.firmware_export import layers
from edge_asd.firmware_export.blocks import fused
from edge_asd.firmware_export.memory_plan import Buffer, placed
from edge_asd.firmware_export.operators.dispatch import simple_steps
from edge_asd.firmware_export.step import Step, refuse
from edge_asd.model_file import MAX_TOTAL, ModelFile, Operator, Tensor, read_model

_FROM_RING = ("dense", "convolution", "block")
"""Kernels that read an input whose first value lies in the middle."""

MAX_WEIGHTS = 4 * 2**20
"""Of all operations together."""

_SCRATCH = -1_000_000  # keys of scratch buffers, below all tensors


@dataclass(frozen=True, slots=True)
class Network:
    """A model, ready to be written as C.

    Attributes
    ----------
    model : ModelFile
    steps : tuple of Step
        In the order of computation.
    offsets : mapping of int to int
        Where each tensor lies in the arena [bytes]; the input lies outside, unless `copies_input`.
    scratch : tuple of int
        Where each step's scratch lies.
    arena : int [bytes]
    copies_input : bool
        The input is copied into the arena first: its reader cannot read from a ring.
    twice : bool
        Fully connected layers are rounded twice, as in TensorFlow Lite Micro.
    hops : int
        Windows that are computed together.
    """

    model: ModelFile
    steps: tuple[Step, ...]
    offsets: Mapping[int, int]
    scratch: tuple[int, ...]
    arena: int
    copies_input: bool
    twice: bool
    hops: int

    @property
    def input(self) -> Tensor:
        """The tensor that a window is put into."""
        return self.model.tensors[self.model.inputs[0]]

    @property
    def output(self) -> Tensor:
        """The tensor that holds the answer."""
        return self.model.tensors[self.model.outputs[0]]

    def computed(self) -> list[int]:
        """Tensors that some step computes, in their order."""
        return [tensor for step in self.steps for tensor in (*step.traced, step.output)]

    @property
    def row(self) -> int:
        """Values of the input that its reader takes as one row: a window in a ring starts at a multiple of them."""
        reader = next(step for step in self.steps if self.model.inputs[0] in step.inputs)
        part = reader.fields.get("widen") or reader.fields.get("depthwise") or reader
        if self.copies_input or reader.kernel == "dense":
            return 1
        return int(part.fields["in_width"] * part.fields["channels"])

    def macs(self) -> int:
        """Multiplications of weights with values, for one window."""
        return sum(_macs(self.model, operator) for operator in self.model.operators)


def read_network(content: bytes, *, twice: bool, hops: int = 1) -> Network:
    """Turn a .tflite file into calls of kernels.

    Parameters
    ----------
    content : bytes
    twice : bool
        Round fully connected layers twice, as TensorFlow Lite Micro does, not once, as LiteRT's reference kernels do.
    hops : int
        Windows to be computed together; more than one for networks of fully connected layers alone.

    Raises
    ------
    ModelError
        If the file is damaged, or the model holds what no kernel computes.
    """
    model = read_model(content)
    _check_ends(model)
    _check_weights(model)
    single, alias = _steps(model, twice=twice, hops=hops)
    final = alias.get(model.outputs[0], model.outputs[0])
    networks = [_network(model, fused(single, final, leave=leave), alias, twice, hops) for leave in (False, True)]
    network = min(networks, key=lambda one: one.arena)
    if network.arena > MAX_TOTAL or network.macs() >= 2**32:
        raise ModelError(
            f"The model needs {-(-network.arena >> 20)} MiB of memory and {network.macs():,} multiplications for one "
            f"window; at most {MAX_TOTAL >> 20} MiB and 2^32 are possible. Make the model smaller."
        )
    return network


def _network(model: ModelFile, steps: list[Step], alias: Mapping[int, int], twice: bool, hops: int) -> Network:
    source = model.inputs[0]
    readers = [step for step in steps if source in step.inputs]
    copies = not (
        len(readers) == 1
        and readers[0].kernel in _FROM_RING
        and len(readers[0].inputs) == 1
        and readers[0].fields.get("add") is None
    )
    if hops > 1 and copies:
        raise ModelError("The model's input cannot be read several windows at once. Export it without --batch-hops.")
    offsets, scratch, arena = _plan(model, steps, alias, copies=copies, hops=hops)
    return Network(model, tuple(steps), offsets, scratch, arena, copies, twice, hops)


def _check_weights(model: ModelFile) -> None:
    """Refuse more weights than any microcontroller's flash holds; operations that share theirs have a copy each."""
    total = 0
    for operator in model.operators:
        constants = (model.tensors[tensor] for tensor in operator.inputs if tensor != -1)
        total += sum(tensor.data.size for tensor in constants if tensor.data is not None)
    if total > MAX_WEIGHTS:
        raise ModelError(
            f"The model's operations have {total:,} weights and constants; at most {MAX_WEIGHTS:,} are possible. Make "
            "the model smaller."
        )


def _check_ends(model: ModelFile) -> None:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"The model has {len(model.inputs)} inputs and {len(model.outputs)} outputs; it must have one of each."
        )
    if not model.operators:
        raise ModelError("The model holds no operation.")
    for name, tensor in (("input", model.tensors[model.inputs[0]]), ("output", model.tensors[model.outputs[0]])):
        if tensor.data is not None:
            raise ModelError(f"The model's {name} is a constant.")
        if tensor.shape[:1] != (1,):
            raise ModelError(f"The model's {name} is {tensor.shape}; its batch must be 1. Convert it for one window.")


def _steps(model: ModelFile, *, twice: bool, hops: int) -> tuple[list[Step], dict[int, int]]:
    known = {model.inputs[0]}
    alias: dict[int, int] = {}
    steps: list[Step] = []
    for place, operator in enumerate(model.operators, 1):
        for tensor in operator.inputs:
            if tensor != -1 and tensor not in known and model.tensors[tensor].data is None:
                raise refuse(place, operator.kind, "it reads what nothing has computed. Convert the model anew.")
        if len(operator.outputs) != 1 or operator.outputs[0] in known or _is_constant(model, operator.outputs[0]):
            raise refuse(place, operator.kind, "it writes where it may not. Convert the model anew.")
        known.add(operator.outputs[0])
        if hops > 1 and operator.kind not in ("FULLY_CONNECTED", "RESHAPE"):
            raise refuse(
                place, operator.kind, "only fully connected networks score several hops at once. Omit --batch-hops."
            )
        for step in _convert(model, place, operator, twice=twice, hops=hops):
            if operator.kind == "RESHAPE":
                source = step.inputs[0]
                alias[step.output] = alias.get(source, source)
            else:
                inputs = tuple(alias.get(tensor, tensor) for tensor in step.inputs)
                steps.append(Step(step.kernel, inputs, step.output, step.fields, step.scratch, step.in_place))
    if model.outputs[0] not in known or alias.get(model.outputs[0], model.outputs[0]) == model.inputs[0]:
        raise ModelError("The model's output is not computed from its input.")
    return steps, alias


def _is_constant(model: ModelFile, tensor: int) -> bool:
    return model.tensors[tensor].data is not None


def _convert(model: ModelFile, place: int, operator: Operator, *, twice: bool, hops: int) -> list[Step]:
    weighted: dict[str, Callable[[ModelFile, int, Operator], Step]] = {
        "FULLY_CONNECTED": partial(layers.fully_connected, twice=twice, hops=hops),
        "CONV_2D": layers.convolution,
        "DEPTHWISE_CONV_2D": layers.depthwise,
    }
    if operator.kind in weighted:
        return [weighted[operator.kind](model, place, operator)]
    return list(simple_steps(model, place, operator, twice=twice))


def _plan(
    model: ModelFile, steps: list[Step], alias: Mapping[int, int], *, copies: bool, hops: int
) -> tuple[dict[int, int], tuple[int, ...], int]:
    final = alias.get(model.outputs[0], model.outputs[0])
    born = {step.output: n for n, step in reversed(list(enumerate(steps)))}
    last = {tensor: n for n, step in enumerate(steps) for tensor in (*step.inputs, step.output)}
    last[final] = len(steps)
    source = model.inputs[0]
    if copies:
        born[source] = -1
    else:
        del last[source]
    home: dict[int, int] = {}  # of a tensor that lies where another one lay, which nothing needs any more
    for n, step in enumerate(steps):
        x, y = step.inputs[0], step.output
        if step.in_place and x in born and last[x] == n and _size(model, x) == _size(model, y):
            home[y] = home.get(x, x)
            last[home[y]] = last[y]
    own = [key for key in last if key not in home]
    buffers = [Buffer(key, _size(model, key) * hops, born[key], last[key]) for key in own]
    buffers += [Buffer(_SCRATCH + n, step.scratch, n, n) for n, step in enumerate(steps) if step.scratch]
    offsets, arena = placed(buffers)
    scratch = tuple(offsets.get(_SCRATCH + n, 0) for n in range(len(steps)))
    places = {key: offsets[home.get(key, key)] for key in last}
    places[model.outputs[0]] = places[final]
    return places, scratch, arena


def _size(model: ModelFile, tensor: int) -> int:
    return math.prod(model.tensors[tensor].shape) * model.tensors[tensor].dtype.itemsize


def _macs(model: ModelFile, operator: Operator) -> int:
    if operator.kind not in ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D"):
        return 0
    weights, output = model.tensors[operator.inputs[1]].shape, model.tensors[operator.outputs[0]].shape
    each = math.prod(weights[1:]) if operator.kind != "DEPTHWISE_CONV_2D" else math.prod(weights[1:3])
    return math.prod(output) * each
