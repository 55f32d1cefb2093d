"""The only module that knows which TFLite runtime is installed."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import DependencyError, ModelError
from edge_asd.quiet import quiet_stderr

_RUNTIMES = (("ai_edge_litert.interpreter", "LiteRT"), ("tflite_runtime.interpreter", "tflite-runtime"))


def _runtime() -> tuple[Any, str]:
    for module, name in _RUNTIMES:
        try:
            return importlib.import_module(module), name
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
                raise
    raise DependencyError("No TFLite runtime is installed. Install one with: pip install ai-edge-litert")


def runtime_name() -> str:
    """Name and version of the TFLite runtime in use.

    Raises
    ------
    DependencyError
        If there is none.
    """
    module, name = _runtime()
    package = importlib.import_module(module.__name__.split(".")[0])
    return f"{name} {getattr(package, '__version__', '')}".strip()


class Model:
    """A TFLite model with one input and one output, run on batches of windows.

    Parameters
    ----------
    content : bytes
        The .tflite file.
    reference : bool
        Use the runtime's reference kernels (the arithmetic of record ``litert-ref``); otherwise
        the runtime's default, fastest kernels.
    keep_activations : bool
        Keep every result within the model for `activation`, in memory of its own.

    Attributes
    ----------
    runtime : str
        Name of the runtime in use.
    input_scale, output_scale : float
    input_zero_point, output_zero_point : int
        Quantisation of the two tensors (0.0 and 0 for a float model).

    Raises
    ------
    ModelError
        If the runtime cannot load the model.
    """

    def __init__(self, content: bytes, *, reference: bool, keep_activations: bool = False) -> None:
        module, self.runtime = _runtime()
        resolver = module.OpResolverType.BUILTIN_REF if reference else module.OpResolverType.AUTO
        try:
            with quiet_stderr():  # it announces its delegate
                self._interpreter = module.Interpreter(
                    model_content=content,
                    experimental_op_resolver_type=resolver,
                    experimental_preserve_all_tensors=keep_activations,
                    num_threads=1,
                )
                self._interpreter.allocate_tensors()
            inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self.runtime} cannot load the model: {error}") from error
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(
                f"The model has {len(inputs)} inputs and {len(outputs)} outputs; it must have one of each."
            )
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]
        self.input_shape: tuple[int, ...] = tuple(int(n) for n in inputs[0]["shape"][1:])
        self.output_shape: tuple[int, ...] = tuple(int(n) for n in outputs[0]["shape"][1:])
        self.dtype: np.dtype[Any] = np.dtype(inputs[0]["dtype"])
        self.output_dtype: np.dtype[Any] = np.dtype(outputs[0]["dtype"])
        self.input_scale, self.input_zero_point = (
            f(x) for f, x in zip((float, int), inputs[0]["quantization"], strict=True)
        )
        self.output_scale, self.output_zero_point = (
            f(x) for f, x in zip((float, int), outputs[0]["quantization"], strict=True)
        )
        self._batch = int(inputs[0]["shape"][0])

    def run(self, windows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Run the model on a batch.

        Parameters
        ----------
        windows : ndarray [shape=(n, *input_shape)], of the model's input type

        Returns
        -------
        outputs : ndarray [shape=(n, *output_shape)]
            A fresh array.
        """
        if len(windows) == 0:
            return np.empty((0, *self.output_shape), dtype=self.output_dtype)
        if len(windows) != self._batch:
            self._interpreter.resize_tensor_input(self._input, windows.shape)
            self._interpreter.allocate_tensors()
            self._batch = len(windows)
        self._interpreter.set_tensor(self._input, np.ascontiguousarray(windows))
        self._interpreter.invoke()
        outputs: npt.NDArray[Any] = self._interpreter.get_tensor(self._output)
        return outputs

    def activation(self, tensor: int) -> npt.NDArray[Any]:
        """Return what the last run left in a tensor of the file, a copy; only with `keep_activations`."""
        values: npt.NDArray[Any] = self._interpreter.get_tensor(tensor)
        return values
