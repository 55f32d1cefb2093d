"""The two runtimes that kernels are held against: LiteRT's reference kernels, and TFLM in an environment of its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from benchmarks.runtimes import ENVIRONMENTS

Case = tuple[bytes, list[npt.NDArray[Any]]]
"""A model and its inputs."""

_WORKER = Path(__file__).with_name("tflm_worker.py")


def run_litert(content: bytes, inputs: Sequence[npt.NDArray[Any]]) -> dict[int, npt.NDArray[Any]]:
    """Run a model by the reference kernels; return every tensor by its number."""
    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    for place, x in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(place["index"], x)
    interpreter.invoke()
    return {place["index"]: interpreter.get_tensor(place["index"]) for place in interpreter.get_tensor_details()}


def install_tflm(folder: Path) -> None:
    """Make an environment with TFLM, unless this one has it."""
    if importlib.util.find_spec("tflite_micro") is None:
        python = folder / "bin" / "python"
        requirements, _ = ENVIRONMENTS["tflite-micro"]
        for command in (
            [sys.executable, "-m", "venv", folder],
            [python, "-m", "pip", "install", "--quiet", *requirements],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def run_tflm(environment: Path, cases: Sequence[Case], folder: Path) -> list[npt.NDArray[Any]]:
    """Run models in TFLM; return the output of each."""
    for number, (content, inputs) in enumerate(cases):
        (folder / f"{number}.tflite").write_bytes(content)
        np.savez(folder / f"{number}.npz", *inputs)
    python = environment / "bin" / "python"
    command = [python if python.exists() else sys.executable, _WORKER, folder, str(len(cases))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [np.load(folder / f"{number}.npy") for number in range(len(cases))]
