"""TensorFlow Lite Micro on this machine: what a model computes in it, and the memory that it needs there."""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import threading
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import DependencyError, ModelError
from edge_asd.firmware_export import tflm_arena
from edge_asd.firmware_export.network import read_network
from edge_asd.interpreter import check_windows
from edge_asd.model_file import ModelFile
from edge_asd.quiet import quiet_stderr

_WHEEL = "tflite-micro>=0.dev20261023182759"


def _package() -> Any:
    try:
        import tflite_micro
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"TensorFlow Lite Micro is not installed. Install it with: pip install '{_WHEEL}' (there are packages for "
            "Linux on x86-64 alone; elsewhere, use --rounding litert)."
        ) from error
    return tflite_micro


class TflmModel:
    """A model run by TensorFlow Lite Micro, by its reference kernels, with every tensor kept.

    Parameters
    ----------
    content : bytes
        A .tflite file that can be exported.

    Attributes
    ----------
    runtime : str
        Name of the runtime.
    input_shape, output_shape : tuple of int
        Shapes of one window.
    dtype, output_dtype : numpy.dtype

    Raises
    ------
    DependencyError
        If TensorFlow Lite Micro is not installed.
    ModelError
        If the model cannot be exported, or the runtime refuses it.
    """

    def __init__(self, content: bytes) -> None:
        package = _package()
        self.runtime = f"TensorFlow Lite Micro {package.__version__}"
        network = read_network(content, twice=True)  # the runtime itself would believe a damaged file
        self._model, self._content = network.model, content  # the runtime goes on reading the file
        self.input_shape, self.output_shape = network.input.shape[1:], network.output.shape[1:]
        self.dtype, self.output_dtype = network.input.dtype, network.output.dtype
        self._running = threading.Lock()  # the runtime holds one input and one output
        with tempfile.TemporaryFile() as log:
            try:
                with quiet_stderr(log):
                    self._interpreter = package.runtime.Interpreter.from_bytes(
                        content,
                        arena_size=_ample(self._model, content),
                        intrepreter_config=package.runtime.InterpreterConfig.kPreserveAllTensors,
                    )
            except (ValueError, RuntimeError) as error:
                raise ModelError(f"TensorFlow Lite Micro cannot load the model: {_reason(log, error)}") from error

    def run(self, windows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Run the model on windows, one after the other.

        Parameters
        ----------
        windows : ndarray [shape=(n, *input_shape)], of the model's input type

        Returns
        -------
        outputs : ndarray [shape=(n, *output_shape)]

        Raises
        ------
        ModelError
            If the windows are not what the model takes, or the runtime cannot run it.
        """
        check_windows(windows, self.dtype, self.input_shape)
        outputs = np.empty((len(windows), *self.output_shape), self.output_dtype)
        with tempfile.TemporaryFile() as log, self._running:
            try:
                with quiet_stderr(log):
                    for number in range(len(windows)):
                        self._interpreter.set_input(np.ascontiguousarray(windows[number : number + 1]), 0)
                        self._interpreter.invoke()
                        outputs[number] = self._interpreter.get_output(0)[0]
            except (ValueError, RuntimeError) as error:
                raise ModelError(f"TensorFlow Lite Micro cannot run the model: {_reason(log, error)}") from error
        return outputs

    def activation(self, tensor: int) -> npt.NDArray[Any]:
        """Return what the last run left in a tensor of the file, a copy."""
        if not 0 <= tensor < len(self._model.tensors):  # the runtime would read outside its list
            raise ModelError(f"The model has no tensor {tensor}; it has {len(self._model.tensors)}.")
        return np.array(self._interpreter.GetTensor(tensor, 0)["tensor_data"])


def _ample(model: ModelFile, content: bytes) -> int:
    """Bytes that are enough with certainty (the runtime crashes where they are not); those not used cost nothing.

    All tensors lie side by side, and what the runtime derives from the file is no more than some words for each of
    its words.
    """
    kept = sum(math.prod(tensor.shape) * tensor.dtype.itemsize for tensor in model.tensors)
    return 4 * kept + 32 * len(content) + (4 << 20)


def _reason(log: IO[bytes], error: Exception) -> str:
    """What the runtime printed of its failure: its exceptions say less."""
    log.seek(0)
    lines = log.read().decode(errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return said[0] if said else str(error)


def arena_bytes(content: bytes) -> int:
    """Measure the arena that the model needs in TensorFlow Lite Micro.

    The smallest size with which it allocates and invokes the model, found by bisection, rounded up to a multiple of
    16. It counts the pointers of a 64-bit processor and the memory of the reference kernels: a 32-bit processor needs
    less, but kernels optimised for one may ask for more.

    Returns
    -------
    size : int [bytes]

    Raises
    ------
    DependencyError
        If TensorFlow Lite Micro is not installed.
    ModelError
        If it cannot run the model.
    """
    _package()
    most = _ample(read_network(content, twice=True).model, content)
    # Where the arena is too small, the runtime now and then crashes: out of process.
    command = [sys.executable, "-m", tflm_arena.__name__, str(most)]
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    size = int(done.stdout or 0) if done.returncode == 0 else 0
    if not size:
        said = done.stderr.decode(errors="replace").strip().split("\n")[-1]
        raise ModelError(f"TensorFlow Lite Micro cannot run the model: {said or 'it crashes'}.")
    return size
