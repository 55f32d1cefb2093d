"""Runs an int8 model in one runtime, in whatever environment the interpreter that runs it belongs to.

    python runtime_worker.py MODEL INPUTS OUTPUTS ARITHMETIC

INPUTS is an array of windows (.npy), OUTPUTS the array to write, ARITHMETIC "tflm" or one of
`edge_asd.interpreter.ARITHMETICS`. Prints the runtime's name and version. `runtimes.py` starts it.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
TFLM_ARENA_BYTES = 16 * 2**20


def run_tflm(content: bytes, windows: np.ndarray) -> tuple[np.ndarray, str]:
    """Run windows one by one in TensorFlow Lite Micro."""
    from tflite_micro import runtime

    model = runtime.Interpreter.from_bytes(content, arena_size=TFLM_ARENA_BYTES)
    outputs = []
    for window in windows:
        model.set_input(window[None], 0)
        model.invoke()
        outputs.append(model.get_output(0)[0].copy())
    return np.stack(outputs), f"tflite-micro {version('tflite-micro')}"


def run_tflite(content: bytes, windows: np.ndarray, arithmetic: str) -> tuple[np.ndarray, str]:
    """Run windows in the TFLite runtime that is installed, by the module that the monitor uses."""
    sys.path.insert(0, str(ROOT))
    from edge_asd.interpreter import Model, runtime_name

    return Model(content, arithmetic=arithmetic).run(windows), runtime_name()


def main(model: str, inputs: str, outputs: str, arithmetic: str) -> None:
    """Run, write and tell."""
    content, windows = Path(model).read_bytes(), np.load(inputs)
    found, name = run_tflm(content, windows) if arithmetic == "tflm" else run_tflite(content, windows, arithmetic)
    np.save(outputs, found)
    print(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
