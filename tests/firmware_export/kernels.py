"""The kernels in C, compiled for this machine with a sanitizer and called with the fields of a step."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cffi
import numpy as np
import numpy.typing as npt

from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.operators.dispatch import simple_steps
from edge_asd.firmware_export.sources import CSRC
from edge_asd.firmware_export.step import Step
from edge_asd.model_file import ModelFile, Operator

_GUARD = 64
_KERNELS = (
    *("add", "add_constant", "average_pool", "copy", "from_float", "lookup", "mean", "pad", "softmax", "to_float"),
)
_CPLUSPLUS = re.compile(r"#ifdef __cplusplus.*?#endif", re.DOTALL)


def build(folder: Path) -> None:
    """Compile all operators' kernels into ``folder/kernels.so``."""
    sanitize = ["-fsanitize=undefined", "-fno-sanitize-recover=all"]
    options = [*qemu.WARNINGS, "-O1", "-g", *sanitize, "-fPIC", "-shared"]
    command = ["gcc", *options, *sorted(CSRC.glob("*.c")), "-o", folder / "kernels.so"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Kernels:
    """The compiled kernels in a folder that `build` filled."""

    def __init__(self, folder: Path) -> None:
        self.ffi = cffi.FFI()
        for kernel in _KERNELS:
            lines = _CPLUSPLUS.sub("", (CSRC / f"edge_asd_{kernel}.h").read_text()).splitlines()
            self.ffi.cdef("\n".join(line for line in lines if not line.startswith("#")))
        self.library: Any = self.ffi.dlopen(str(folder / "kernels.so"))

    def parameters(self, type_name: str, fields: Mapping[str, Any], kept: list[Any]) -> dict[str, Any]:
        """Turn fields into what cffi fills a structure with; memory that it points to goes to `kept`."""
        members = dict(self.ffi.typeof(type_name).fields)
        assert list(members) == list(fields), type_name
        values: dict[str, Any] = {}
        for name, value in fields.items():
            kind = members[name].type
            if isinstance(value, np.ndarray):
                value = np.ascontiguousarray(value)
                assert kind.item.cname == f"{value.dtype.name}_t", (type_name, name)
                kept.append(self.ffi.from_buffer(value))
                values[name] = self.ffi.cast(kind, kept[-1])
            elif isinstance(value, Mapping):
                values[name] = self.parameters(kind.cname, value, kept)
            else:
                assert type(value) is int, (type_name, name)
                values[name] = value
        return values

    def call(self, step: Step, inputs: list[npt.NDArray[Any]], output: npt.NDArray[Any], *, in_place: bool) -> None:
        """Call a step's kernel; it must not write outside `output`."""
        kept: list[Any] = []
        type_name = f"edge_asd_{step.kernel}_params"
        parameters = self.ffi.new(f"{type_name} *", self.parameters(type_name, step.fields, kept))
        memory = np.full(output.nbytes + 2 * _GUARD, 0x55, np.uint8)
        inner = memory[_GUARD:-_GUARD]
        inner[:] = output.reshape(-1).view(np.uint8)
        inputs = [np.ascontiguousarray(x).copy() for x in inputs]
        if in_place:
            inner[:] = inputs[0].reshape(-1).view(np.uint8)
            inputs[0] = inner.view(inputs[0].dtype)
        function = getattr(self.library, f"edge_asd_{step.kernel}")
        pointers = [self.ffi.from_buffer(x) for x in (*inputs, inner)]
        kinds = self.ffi.typeof(function).args[1:]
        function(parameters, *(self.ffi.cast(k, pointer) for k, pointer in zip(kinds, pointers, strict=True)))
        assert (memory[:_GUARD] == 0x55).all()
        assert (memory[-_GUARD:] == 0x55).all()
        output.reshape(-1).view(np.uint8)[:] = inner

    def run(
        self, model: ModelFile, place: int, operator: Operator, known: Mapping[int, npt.NDArray[Any]], *, twice: bool
    ) -> npt.NDArray[Any]:
        """Run an operation on tensors by their numbers, both ways where it may be in place; return its output."""
        tensor = model.tensors[operator.outputs[0]]
        output = np.zeros(tensor.shape, tensor.dtype)
        for step in simple_steps(model, place, operator, twice=twice):
            inputs = [known[i] for i in step.inputs]
            self.call(step, inputs, output, in_place=False)
            if step.in_place:
                again = np.empty_like(output)
                self.call(step, inputs, again, in_place=True)
                np.testing.assert_array_equal(again, output)
        return output
