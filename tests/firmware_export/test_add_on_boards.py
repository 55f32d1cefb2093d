"""ADD has an instruction or two of its own on some processors: every pair of values gives the same sum there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.operators.dispatch import simple_steps
from edge_asd.model_file import read_model
from tests.firmware_export.kernels import CSRC, Kernels
from tests.firmware_export.operator_cases import adds
from tests.targets import needs

PROGRAM = Path(__file__).parent / "c" / "add.c"


@pytest.mark.parametrize(("name", "instructions"), [("cortex-m4", 20), ("cortex-m3", 24), ("cortex-m7", 20)])
def test_every_sum(kernels: Kernels, name: str, instructions: int, tmp_path: Path) -> None:
    target = needs(name)
    program = qemu.build(target, [PROGRAM, CSRC / "edge_asd_add.c"], tmp_path / "add", include=[CSRC])
    counts = []
    for content, inputs in adds()[:3]:
        model = read_model(content)
        (step,) = simple_steps(model, 1, model.operators[0], twice=False)
        ordered = [inputs[i] for i in step.inputs]
        parameters = np.array(list(step.fields.values()), np.int32)
        (tmp_path / "input.bin").write_bytes(parameters.tobytes() + b"".join(x.tobytes() for x in ordered))
        qemu.run(target, program, tmp_path, count=True)
        written = (tmp_path / "output.bin").read_bytes()
        expected = kernels.run(model, 1, model.operators[0], dict(enumerate(inputs)), twice=False)
        np.testing.assert_array_equal(np.frombuffer(written[4:], np.int8), expected.ravel())
        counts.append(int.from_bytes(written[:4], "little") / len(written[4:]))
    print(name, counts)
    assert round(min(counts)) <= instructions  # a value, without an activation; the call's own are shared by all
