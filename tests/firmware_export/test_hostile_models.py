"""Models that were changed at random are refused, or exported to what the runtime computes from the same file."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_asd.errors import ModelError
from edge_asd.firmware_export.network import Network, read_network
from tests.firmware_export.exported import Program, Record, Reference, build_kernels, mismatches, records
from tests.firmware_export.zoo import ZOO
from tests.once import Once

MODELS = ("dense 33 columns", "chain", "concatenated")
WORDS = (0, 1, 2, 3, -1, -2, 127, 255, 65535, 2**20, 2**31 - 1, -(2**31))
EQUAL, REFUSED, REFUSED_BY_THE_RUNTIME, DIFFERENT, TOO_LARGE = (
    "equal",
    "refused",
    "by the runtime",
    "different",
    "large",
)

SECONDS = 20
"""More than reading or running any of these models takes."""

LARGEST = 1 << 22
"""Multiplications of a model that is run; others are only exported."""


def changed_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    """Change bytes, bits and words, every other time at zeros: most of a file is weights, where little happens."""
    result = bytearray(content)
    zeros = np.flatnonzero(np.frombuffer(content, np.uint8) == 0)  # tables are full of them, weights are not
    for _ in range(rng.integers(1, 3)):
        place = int(rng.integers(0, len(result)))
        if rng.random() < 0.5:
            place = max(0, int(rng.choice(zeros)) - int(rng.integers(0, 4)))
        kind = rng.random()
        if kind < 0.4:
            result[place] = int(rng.integers(0, 256))
        elif kind < 0.6:
            result[place] ^= 1 << int(rng.integers(0, 8))
        else:
            word = int(rng.choice(WORDS))
            result[place // 4 * 4 : place // 4 * 4 + 4] = word.to_bytes(4, "little", signed=True)
    if rng.random() < 0.03:
        del result[int(rng.integers(0, len(result))) :]
    return bytes(result)


def changed_fields(content: bytes, rng: np.random.Generator) -> bytes:
    """Change what the file says, in a file that is whole: shapes, scales, options, and what is joined to what."""
    model: Any = schema.ModelT.InitFromPackedBuf(content)
    graph = model.subgraphs[0]
    parts = [
        graph,
        *graph.operators,
        *graph.tensors,
        *(tensor.quantization for tensor in graph.tensors),
        *model.buffers,
    ]
    for part in parts:
        for name, value in vars(part).items() if part is not None else ():
            if isinstance(value, np.ndarray):
                setattr(part, name, value.copy())  # it is the file's memory, and read-only

    def one(values: Any) -> int:
        return int(rng.integers(len(values)))

    for _ in range(rng.integers(1, 4)):
        tensor, operator = graph.tensors[one(graph.tensors)], graph.operators[one(graph.operators)]
        quantisation, kind = tensor.quantization, int(rng.integers(10))
        if kind == 0:
            tensor.shape[one(tensor.shape)] = int(rng.choice([0, 1, 2, 3, 4, 8, 16, -1, 65536]))
        elif kind == 1 and quantisation is not None:
            factor = float(rng.choice([0.5, 1.5, 1 + 2**-20, 3e3, 1e-3, 1e9, 1e-9, 0.0, -1.0, np.nan, np.inf]))
            place = one(quantisation.scale)
            quantisation.scale[place] = min(3e38, float(quantisation.scale[place]) * factor)
        elif kind == 2 and quantisation is not None:
            quantisation.zeroPoint[0] = int(rng.choice([-129, -128, -1, 0, 5, 127, 128, 2**40]))
        elif kind == 3 and quantisation is not None:
            quantisation.quantizedDimension = int(rng.integers(-1, 5))
        elif kind == 4:
            operator.inputs[one(operator.inputs)] = int(rng.integers(-1, len(graph.tensors)))
        elif kind == 5:
            operator.outputs[0] = one(graph.tensors)
        elif kind == 6 and operator.builtinOptions is not None:
            fields = vars(operator.builtinOptions)
            name = list(fields)[one(fields)]
            if isinstance(fields[name], int | np.integer | bool):
                fields[name] = type(fields[name])(rng.integers(0, 4))
        elif kind == 7:
            other = graph.operators[one(graph.operators)]
            operator.inputs, other.inputs = other.inputs, operator.inputs
        elif kind == 8:
            (graph.outputs if rng.random() < 0.7 else graph.inputs)[0] = one(graph.tensors)
        elif kind == 9:
            buffer = model.buffers[tensor.buffer]
            if buffer.data is not None:
                place = one(buffer.data)
                buffer.data[place] = rng.integers(256)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def changed(content: bytes, rng: np.random.Generator) -> bytes:
    return (changed_bytes if rng.random() < 0.5 else changed_fields)(content, rng)


def compared(content: bytes, network: Network, inputs: list[Record], found: tuple[np.ndarray, np.ndarray]) -> str:
    """Compare with the runtime in a process of its own, which it ends where it disagrees with a file."""
    process = os.fork()
    if process == 0:
        code = 3
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            reference = Reference(content)
            code = 4 if mismatches(network, reference, inputs, found) else 0
        finally:
            os._exit(code)
    end = time.monotonic() + SECONDS
    while (done := os.waitpid(process, os.WNOHANG))[0] == 0:
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
        time.sleep(0.001)
    code = os.waitstatus_to_exitcode(done[1])
    return {0: EQUAL, 4: DIFFERENT}.get(code, REFUSED_BY_THE_RUNTIME)


def outcome(content: bytes, kernels: Path, folder: Path) -> str:
    start = time.process_time()
    try:
        network = read_network(content, twice=False)
    except ModelError:
        assert time.process_time() - start < SECONDS
        return REFUSED
    if network.macs() > LARGEST or network.arena > LARGEST:
        return TOO_LARGE
    inputs = records(network, 2, 1)
    program = Program("host", kernels, network, inputs[0].ring.size, folder)
    return compared(content, network, inputs, program.run(inputs))


def attack(once: Once, folder: Path, name: str, count: int, seed: int) -> Counter[str]:
    kernels = once("kernels_host", partial(build_kernels, "host"))
    content, rng, outcomes = ZOO[name](), np.random.default_rng(seed), Counter[str]()
    for number in range(count):
        made = changed(content, rng)
        result = outcome(made, kernels, folder / str(number))
        if result == DIFFERENT:
            (folder / f"{number}.tflite").write_bytes(made)
            result = f"{result}: {folder / str(number)}.tflite"
        outcomes[result] += 1
    print(name, dict(outcomes))
    return outcomes


@pytest.mark.parametrize("name", MODELS)
def test_changed_models_are_refused_or_exported_alike(name: str, once: Once, tmp_path: Path) -> None:
    outcomes = attack(once, tmp_path, name, 20, 1)
    assert outcomes[EQUAL]
    assert set(outcomes) <= {EQUAL, REFUSED, REFUSED_BY_THE_RUNTIME, TOO_LARGE}


@pytest.mark.prove
@pytest.mark.parametrize("name", MODELS)
def test_many_changed_models_are_refused_or_exported_alike(name: str, once: Once, tmp_path: Path) -> None:
    outcomes = attack(once, tmp_path, name, 1000, 2)
    assert outcomes[EQUAL] > 100
    assert outcomes[REFUSED] > 100
    assert set(outcomes) <= {EQUAL, REFUSED, REFUSED_BY_THE_RUNTIME, TOO_LARGE}
