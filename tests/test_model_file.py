"""Models from outside: what is changed in a file is refused, or runs; the process lives either way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.interpreter import ARITHMETICS
from edge_asd.model_file import read_model
from tests.golden.committed import NAMES, NETWORKS

PROGRAM = """
import sys, time
import numpy as np
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import ModelError
from edge_asd.interpreter import Model
from pathlib import Path
path, arithmetic, count, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
content = Bundle.load(path).model
rng = np.random.default_rng(seed)
refused = ran = 0
slowest = 0.0
for _ in range(count):
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        # Most of a file is weights, where a change does nothing: three in four hit its ends, which hold the tables.
        place = int(rng.integers(0, len(changed)))
        if rng.random() < 0.75:
            place = int(rng.integers(0, 1024)) - int(rng.random() < 0.8) * int(rng.integers(1024, 40_000))
            place %= len(changed)
        if rng.random() < 0.5:
            changed[place] = int(rng.integers(0, 256))
        else:
            word = int(rng.choice([0, 1, -1, 2**31 - 1, -(2**31), 127, 65535, 2**20]))
            changed[place // 4 * 4 : place // 4 * 4 + 4] = word.to_bytes(4, "little", signed=True)
    if rng.random() < 0.05:
        del changed[int(rng.integers(0, len(changed))) :]
    start = time.perf_counter()
    try:
        model = Model(bytes(changed), arithmetic=arithmetic)
        model.run(np.zeros((2, *model.input_shape), model.dtype))
        ran += 1
    except ModelError:
        refused += 1
    slowest = max(slowest, time.perf_counter() - start)
# Not ru_maxrss, which a process inherits from the one that started it.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(refused, ran, round(slowest, 3), int(peak.split()[1]) // 1024)
"""


def attack(name: str, arithmetic: str, count: int, seed: int) -> list[float]:
    arguments = [sys.executable, "-c", PROGRAM, str(NAMES[name]), arithmetic, str(count), str(seed)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])
    print(name, arithmetic, done.stdout)
    return [float(value) for value in done.stdout.split()]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_committed_models_are_read(name):
    bundle = Bundle.load(NAMES[name])
    for content, dtype in ((bundle.model, "int8"), (bundle.float_model, "float32")):
        model = read_model(content)
        assert {model.tensors[i].dtype.name for i in (*model.inputs, *model.outputs)} == {dtype}
    model = read_model(bundle.model)
    assert model.tensors[model.inputs[0]].scales[0] == bundle.input.scale
    assert model.tensors[model.outputs[0]].zero_points[0] == bundle.output.zero_point


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("name", NETWORKS)
def test_no_changed_model_crashes(name, arithmetic):
    refused, ran, _, memory = attack(name, arithmetic, 20, 1)
    assert refused + ran == 20
    assert memory < 300


@pytest.mark.prove
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("name", NETWORKS)
def test_no_changed_model_of_many_crashes(name, arithmetic):
    refused, ran, slowest, memory = attack(name, arithmetic, 500, 2)
    assert refused + ran == 500
    assert refused
    assert ran
    assert memory < 300
    assert slowest < 5
