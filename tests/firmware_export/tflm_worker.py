"""Runs in an environment with TFLM: every model in a folder, on its inputs."""

import sys
from pathlib import Path

import numpy as np
from tflite_micro import runtime

folder = Path(sys.argv[1])
for number in range(int(sys.argv[2])):
    interpreter = runtime.Interpreter.from_file(str(folder / f"{number}.tflite"), arena_size=4 << 20)
    with np.load(folder / f"{number}.npz") as inputs:
        for place in range(len(inputs.files)):
            interpreter.set_input(inputs[f"arr_{place}"], place)
    interpreter.invoke()
    np.save(folder / f"{number}.npy", interpreter.get_output(0))
