"""The only module that knows which TFLite runtime is installed."""

from __future__ import annotations

import importlib
import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import DependencyError, ModelError
from edge_asd.model_check import check_model
from edge_asd.quiet import quiet_stderr

ARITHMETICS: Mapping[str, str] = {
    "litert-ref": "BUILTIN_REF",
    "xnnpack": "AUTO",
    "litert-builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
}
"""Arithmetics that a runtime can execute a model in, and what it calls their kernels.

Reference kernels, the default delegate XNNPACK, and the optimised built-in kernels: they round
differently, so scores and thresholds of one are not those of another.
"""

_RUNTIMES = (("ai_edge_litert.interpreter", "LiteRT"), ("tflite_runtime.interpreter", "tflite-runtime"))


_BATCH_VALUES = 1024 * 640
"""Most input values in one batch: its activations are held in memory all at once."""


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


def check_windows(windows: npt.NDArray[Any], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Refuse windows [shape=(n, ...)] that are not of the type and shape that a model takes.

    Raises
    ------
    ModelError
    """
    if windows.shape[1:] != shape or windows.dtype != dtype:
        raise ModelError(f"The model takes windows of {dtype} {shape}, not of {windows.dtype} {windows.shape[1:]}.")


class Model:
    """A TFLite model with one input and one output, run on batches of windows.

    Parameters
    ----------
    content : bytes
        The .tflite file.
    arithmetic : str
        One of `ARITHMETICS`.
    keep_activations : bool
        Keep every result within the model for `activation`, in memory of its own.
    check : callable
        Refuses models that the runtime could crash on; by default all that are in no detector.

    Attributes
    ----------
    runtime : str
        Name of the runtime in use.
    input_shape, output_shape : tuple of int
        Shapes of one window.
    dtype, output_dtype : numpy.dtype
    input_scale, output_scale : float
    input_zero_point, output_zero_point : int
        Quantisation of the two tensors (0.0 and 0 for a float model).

    Raises
    ------
    ModelError
        If the model is not one of a detector, the runtime cannot load it, or `arithmetic` is unknown.
    """

    def __init__(
        self,
        content: bytes,
        *,
        arithmetic: str,
        keep_activations: bool = False,
        check: Callable[[bytes], object] = check_model,
    ) -> None:
        if arithmetic not in ARITHMETICS:
            raise ModelError(f"There is no model arithmetic {arithmetic!r}; there are: {', '.join(ARITHMETICS)}.")
        check(content)
        module, self.runtime = _runtime()
        resolver = module.OpResolverType[ARITHMETICS[arithmetic]]
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
        if 0 in (len(inputs[0]["shape"]), len(outputs[0]["shape"])):
            raise ModelError("The model's input or output is a single number; it must hold windows.")
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
        self._running = threading.Lock()  # The runtime holds one input and one output: threads would mix theirs.
        # A model whose batch is fixed may hold it in other places, too: those would not follow a resize.
        self._fixed = int(inputs[0].get("shape_signature", inputs[0]["shape"])[0]) > 0
        if self._fixed and self._batch != 1:
            raise ModelError(f"The model takes {self._batch} windows at once; convert it for one, or for any number.")
        self._most = 1 if self._fixed else max(1, _BATCH_VALUES // max(1, math.prod(self.input_shape)))

    def run(self, windows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Run the model on a batch.

        Parameters
        ----------
        windows : ndarray [shape=(n, *input_shape)], of the model's input type

        Returns
        -------
        outputs : ndarray [shape=(n, *output_shape)]
            A fresh array.

        Raises
        ------
        ModelError
            If the windows are not what the model takes, or the runtime cannot run it.
        """
        check_windows(windows, self.dtype, self.input_shape)
        outputs = np.empty((len(windows), *self.output_shape), dtype=self.output_dtype)
        try:
            for first in range(0, len(windows), self._most):
                part = windows[first : first + self._most]
                with self._running:
                    outputs[first : first + len(part)] = self._run_batch(part)
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self.runtime} cannot run the model: {error}") from error
        return outputs

    def _run_batch(self, windows: npt.NDArray[Any]) -> npt.NDArray[Any]:
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
