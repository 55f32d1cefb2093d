"""Models that were changed at random are refused, or computed as the runtime computes them."""

from __future__ import annotations

import math
import os
import signal
from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_asd.errors import ModelError
from edge_asd.firmware_export.operators.dispatch import SIMPLE, simple_steps
from edge_asd.model_check import MAX_TOTAL
from edge_asd.model_file import ModelFile, read_model
from tests.firmware_export.kernels import Kernels
from tests.firmware_export.operator_cases import FAMILIES, moves, tables
from tests.firmware_export.runtimes import run_litert

ALL = [*FAMILIES.values(), partial(moves, wide=True), partial(tables, rescaling_relu6=True)]
WORDS = (0, 1, 2, 3, -1, -2, 127, 255, 65535, 2**20, 2**31 - 1, -(2**31))
EQUAL, REFUSED_BY_THE_RUNTIME, DIFFERENT = 0, 3, 4


def changed(content: bytes, rng: np.random.Generator) -> bytes:
    result = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(0, len(result)))
        if rng.random() < 0.5:
            result[place] = int(rng.integers(0, 256))
        else:
            word = int(rng.choice(WORDS))
            result[place // 4 * 4 : place // 4 * 4 + 4] = word.to_bytes(4, "little", signed=True)
    return bytes(result)


def accepted(content: bytes) -> ModelFile | None:
    """Return the model if it is one operation without weights, computed from all of its inputs; else None."""
    try:
        model = read_model(content)
        if len(model.operators) != 1 or model.operators[0].kind not in SIMPLE:
            return None
        (operator,) = model.operators
        computed = [i for i in set(operator.inputs) if i >= 0 and model.tensors[i].data is None]
        if sorted(model.inputs) != sorted(computed) or model.outputs != operator.outputs:
            return None
        if sum(math.prod(tensor.shape) for tensor in model.tensors) > MAX_TOTAL / 32:
            return None
        simple_steps(model, 1, operator, twice=False)
    except ModelError:
        return None
    return model


def made_inputs(model: ModelFile, rng: np.random.Generator) -> list[npt.NDArray[Any]]:
    output = model.tensors[model.outputs[0]]
    inputs = []
    for tensor in (model.tensors[i] for i in model.inputs):
        if tensor.dtype == np.float32:
            inputs.append((rng.normal(0, 100, tensor.shape) * output.scales[0]).astype(np.float32))
        else:
            inputs.append(rng.integers(-128, 128, tensor.shape).astype(tensor.dtype))
    return inputs


def outcome(kernels: Kernels, content: bytes, model: ModelFile, inputs: list[npt.NDArray[Any]]) -> int:
    """Compare with the runtime in a process of its own, which it ends where it disagrees with a file."""
    known = dict(zip(model.inputs, inputs, strict=True))
    ours = kernels.run(model, 1, model.operators[0], known, twice=False)
    process = os.fork()
    if process == 0:
        code = REFUSED_BY_THE_RUNTIME
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            expected = run_litert(content, inputs)[model.outputs[0]]
            code = EQUAL if np.array_equal(ours, expected) else DIFFERENT
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return REFUSED_BY_THE_RUNTIME if code == -signal.SIGABRT else code


def attack(kernels: Kernels, count: int, seed: int) -> Counter[int]:
    rng = np.random.default_rng(seed)
    contents = [case[0] for family in ALL for case in family() if sum(x.nbytes for x in case[1]) < 65536]
    outcomes: Counter[int] = Counter()
    for _ in range(count):
        content = changed(contents[rng.integers(len(contents))], rng)
        model = accepted(content)
        if model is not None:
            outcomes[outcome(kernels, content, model, made_inputs(model, rng))] += 1
    print(outcomes)
    return outcomes


def test_changed_models_are_refused_or_computed_alike(kernels: Kernels) -> None:
    outcomes = attack(kernels, 400, 1)
    assert outcomes[EQUAL]
    assert set(outcomes) <= {EQUAL, REFUSED_BY_THE_RUNTIME}


@pytest.mark.prove
def test_many_changed_models_are_refused_or_computed_alike(kernels: Kernels) -> None:
    outcomes = attack(kernels, 30_000, 2)
    assert outcomes[EQUAL] > 1000
    assert set(outcomes) <= {EQUAL, REFUSED_BY_THE_RUNTIME}
