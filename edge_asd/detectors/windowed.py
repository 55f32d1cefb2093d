"""What every network does alike: frames to int8 windows, through the model, to scores."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.detector_model import DetectorModel
from edge_asd.detectors.detector import BaseDetector
from edge_asd.errors import BundleError, ModelError
from edge_asd.frontend.quantise_input import input_multiplier, quantise
from edge_asd.interpreter import Model

Value = TypeVar("Value", bound=np.generic)

OUTPUT_BITS = 24
"""The output scale is an integer with this many fractional bits."""

_CHUNK_VALUES = 655_360  # windows overlap, and all of a long recording's would need much memory


def output_multiplier(scale: float) -> int:
    """Return the output scale as an integer, round(2^24 * scale).

    Parameters
    ----------
    scale : float [dB, or nat for logits], less than 128

    Raises
    ------
    ModelError
        If the multiplier does not fit a positive int32.
    """
    if not (math.isfinite(scale) and scale > 0) or not 1 <= (m := round(Fraction(scale) * 2**OUTPUT_BITS)) < 2**31:
        raise ModelError(f"The model's output scale {scale} cannot be used; it must lie between 6e-8 and 128.")
    return int(m)


class Runs(Protocol):
    """What runs the int8 model on windows."""

    runtime: str

    def run(self, windows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Run it [shape=(n, ...)]."""


class WindowDetector(BaseDetector):
    """Integer window scores of a network in its arithmetic of record; a subclass says what outputs mean.

    Parameters
    ----------
    spec : DetectorModel
        Such as a bundle.
    other : Runs, optional
        Runs the model instead of the runtime here: another one, to compare with.

    Raises
    ------
    BundleError
        If the model in the bundle is not the one its manifest describes.
    """

    def __init__(self, spec: DetectorModel, other: Runs | None = None) -> None:
        super().__init__(spec)
        self._model = model = Model(spec.model, arithmetic=spec.model_arithmetic)
        self._runs: Runs = other or model
        self.runtime = self._runs.runtime
        inp, out = spec.tensors
        self._input, self._output = inp, out
        self.check_shapes(spec, model, np.int8)
        if (inp.scale, inp.zero_point, inp.multiplier) != (
            model.input_scale,
            model.input_zero_point,
            input_multiplier(model.input_scale),
        ) or (out.scale, out.zero_point, out.multiplier) != (
            model.output_scale,
            model.output_zero_point,
            output_multiplier(model.output_scale),
        ):
            raise BundleError("The manifest's scales are not those of the model in the bundle. Quantise anew.")

    @classmethod
    def shapes(cls, spec: DetectorModel) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of one input and one output of the bundle's models."""
        raise NotImplementedError

    @classmethod
    def check_shapes(cls, spec: DetectorModel, model: Model, dtype: npt.DTypeLike) -> None:
        """Refuse a model, int8 or float, that the manifest does not describe.

        Raises
        ------
        BundleError
        """
        inputs, outputs = cls.shapes(spec)
        wanted = np.dtype(dtype)
        if (model.dtype, model.input_shape, model.output_dtype, model.output_shape) != (
            wanted,
            inputs,
            wanted,
            outputs,
        ):
            raise BundleError(
                f"The model maps {model.dtype} {model.input_shape} to {model.output_dtype} {model.output_shape}, "
                f"the manifest describes {wanted} {inputs} to {wanted} {outputs}. Quantise anew."
            )

    def quantise(self, frames: npt.NDArray[np.int32]) -> npt.NDArray[np.int8]:
        """Quantise log-mel frames to the model's input.

        Parameters
        ----------
        frames : ndarray, int32 [shape=(n, n_mels), dB in Q15.16]

        Returns
        -------
        values : ndarray, int8 [shape=(n, n_mels)]
        """
        values, saturated = quantise(frames, self._input.multiplier, self._input.zero_point)
        self.saturated += saturated
        self.quantised += frames.size
        return values

    def run(self, windows: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Run the int8 model on windows [shape=(n, window_frames * n_mels)]."""
        return self._runs.run(windows.reshape(len(windows), *self._model.input_shape))

    def window_scores(self, frames: npt.NDArray[np.int32], section: str) -> npt.NDArray[np.int32]:
        """Score every window in consecutive log-mel frames; see `BaseDetector.window_scores`."""
        scores = [self.scores_of_outputs(*part, section) for part in self.parts(frames)]
        return np.concatenate(scores)

    def parts(self, frames: npt.NDArray[np.int32]) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]]:
        """Run the model on all windows in consecutive log-mel frames, some at a time.

        Parameters
        ----------
        frames : ndarray, int32 [shape=(n, n_mels), dB in Q15.16]

        Yields
        ------
        windows : ndarray, int32 [shape=(m, window_frames * n_mels), dB in Q15.16]
            Next ones; none where `frames` is shorter than a window.
        outputs : ndarray, int8 [shape=(m, ...)]
        """
        inputs = self.quantise(frames)
        hop, span = self._spec.window_hop, self._spec.window_frames
        chunk = max(1, _CHUNK_VALUES // (span * frames.shape[1]))
        for first in range(0, max(1, len(frames)), chunk * hop):
            part = slice(first, first + (chunk - 1) * hop + span)
            yield self.windows(frames[part]), self.run(self.windows(inputs[part]))

    def windows(self, frames: npt.NDArray[Value]) -> npt.NDArray[Value]:
        """Gather windows, frame after frame in each [shape=(windows, window_frames * n_mels)]."""
        return gather_windows(frames, self._spec.window_frames, self._spec.window_hop)

    def scores_of_outputs(
        self, windows: npt.NDArray[np.int32], outputs: npt.NDArray[np.int8], section: str
    ) -> npt.NDArray[np.int32]:
        """Turn windows and the model's outputs for them into window scores; the score's one definition.

        Parameters
        ----------
        windows : ndarray, int32 [shape=(n, window_frames * n_mels), dB in Q15.16]
        outputs : ndarray, int8 [shape=(n, ...)]
        section : str

        Returns
        -------
        scores : ndarray, int32 [shape=(n,), Q15.16]
        """
        raise NotImplementedError

    def float_scores(
        self, windows: npt.NDArray[np.float32], outputs: npt.NDArray[np.float32], section: str
    ) -> npt.NDArray[np.float64]:
        """Compute the same scores in floating point, for comparison [shape=(n,)].

        Parameters
        ----------
        windows : ndarray, float32 [shape=(n, window_frames * n_mels), dB]
        outputs : ndarray, float32 [shape=(n, ...)]
            Of the bundle's float model.
        section : str
        """
        raise NotImplementedError


def gather_windows(frames: npt.NDArray[Value], window_frames: int, window_hop: int) -> npt.NDArray[Value]:
    """Concatenate each run of `window_frames` frames, frame-major, every `window_hop` frames.

    Parameters
    ----------
    frames : ndarray [shape=(n, n_mels)]

    Returns
    -------
    windows : ndarray [shape=(1 + (n - window_frames) // window_hop, window_frames * n_mels)]
    """
    n, n_mels = frames.shape
    count = max(0, 1 + (n - window_frames) // window_hop)
    index = np.arange(count)[:, None] * window_hop + np.arange(window_frames)
    return frames[index].reshape(count, window_frames * n_mels)
