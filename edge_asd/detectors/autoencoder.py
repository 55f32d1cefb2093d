"""The autoencoder's score: squared reconstruction error in dB^2, in integers.

x: fixed-point log-mel, dB in Q15.16. The model sees q = clamp(zero_point + round(x / scale)) and
answers q'; its output in dB is y = round((q' - zero_point') * scale') in Q15.16. The score of a
window is mean((x - y)^2) over its values, rounded half up to Q15.16 and saturated at int32.

Bounds: |x| < 157 dB (the front end's floor), |y| < 256 * scale' dB. A model is refused where the
sum of (x - y)^2 over a window could reach 2^31 dB^2, that is 2^63 in Q32; for 640 values that is
where |y| could reach 1675 dB, far beyond any that was trained on log-mel spectrograms.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from edge_asd.bundle import Bundle
from edge_asd.detectors.scores import SCORE_FRACTION_BITS, SCORE_MAX
from edge_asd.errors import BundleError, ModelError
from edge_asd.frontend.quantise_input import input_multiplier, quantise
from edge_asd.interpreter import Model

Value = TypeVar("Value", bound=np.generic)

_CHUNK_WINDOWS = 1024

_OUTPUT_BITS = 24  # the output scale is an integer with this many fractional bits
_FEATURE_DB = 157


def output_multiplier(scale: float) -> int:
    """Return the output scale as an integer, round(2^24 * scale).

    Parameters
    ----------
    scale : float [dB], less than 128

    Raises
    ------
    ModelError
        If the multiplier does not fit a positive int32.
    """
    if not (math.isfinite(scale) and scale > 0) or not 1 <= (m := round(Fraction(scale) * 2**_OUTPUT_BITS)) < 2**31:
        raise ModelError(f"The model's output scale {scale} dB cannot be used; it must lie between 6e-8 and 128 dB.")
    return int(m)


class AutoencoderDetector:
    """Integer window scores of a bundle's autoencoder, in the bundle's arithmetic of record.

    Parameters
    ----------
    bundle : Bundle
        Its detector must be "ae".

    Attributes
    ----------
    runtime : str
        Name of the TFLite runtime in use.
    saturated, quantised : int
        Input values that were cut off at -128 or 127 so far, and all input values.

    Raises
    ------
    BundleError
        If the model in the bundle is not the one its manifest describes.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._model = Model(bundle.model, arithmetic=bundle.model_arithmetic)
        self.runtime = self._model.runtime
        self.saturated = self.quantised = 0
        size = (bundle.window_frames * bundle.features.n_mels,)
        model, inp, out = self._model, bundle.input, bundle.output
        if (
            model.input_shape != size
            or model.output_shape != size
            or {model.dtype, model.output_dtype} != {np.dtype(np.int8)}
        ):
            raise BundleError(
                f"The model maps {model.dtype} {model.input_shape} to {model.output_dtype} {model.output_shape}, "
                f"the manifest describes int8 {size} to int8 {size}. Quantise anew."
            )
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
        if size[0] * (_FEATURE_DB + 256 * out.scale) ** 2 >= 2**31:
            raise BundleError(
                f"The model's output may reach {256 * out.scale:.0f} dB, where the integer score would overflow. "
                "Its training must have failed; train anew."
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
        values, saturated = quantise(frames, self._bundle.input.multiplier, self._bundle.input.zero_point)
        self.saturated += saturated
        self.quantised += frames.size
        return values

    def run(self, windows: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Run the int8 model on windows [shape=(n, window_frames * n_mels)]."""
        return self._model.run(windows)

    def window_scores(self, frames: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Score every window in consecutive log-mel frames.

        Parameters
        ----------
        frames : ndarray, int32 [shape=(n, n_mels), dB in Q15.16]

        Returns
        -------
        scores : ndarray, int32 [shape=(1 + (n - window_frames) // window_hop,), dB^2 in Q15.16]
            Empty where `frames` is shorter than a window.
        """
        inputs = self.quantise(frames)
        hop = self._bundle.window_hop
        scores = []
        # Chunk by chunk: windows overlap, and all of a long recording's would need much memory.
        for first in range(0, max(1, len(frames)), _CHUNK_WINDOWS * hop):
            part = slice(first, first + (_CHUNK_WINDOWS - 1) * hop + self._bundle.window_frames)
            outputs = self.run(self.windows(inputs[part]))
            scores.append(self.scores_of_outputs(self.windows(frames[part]), outputs))
        return np.concatenate(scores)

    def windows(self, frames: npt.NDArray[Value]) -> npt.NDArray[Value]:
        """Gather windows, frame after frame in each [shape=(windows, window_frames * n_mels)]."""
        return gather_windows(frames, self._bundle.window_frames, self._bundle.window_hop)

    def scores_of_outputs(self, windows: npt.NDArray[np.int32], outputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
        """Turn the model's outputs into window scores; the score's one definition."""
        out = self._bundle.output
        y = (outputs.astype(np.int64) - out.zero_point) * out.multiplier
        y = (y + (1 << (_OUTPUT_BITS - SCORE_FRACTION_BITS - 1))) >> (_OUTPUT_BITS - SCORE_FRACTION_BITS)
        total = ((windows - y) ** 2).sum(axis=1)  # Q32
        n = windows.shape[1]
        mean = (total + (n << (SCORE_FRACTION_BITS - 1))) // (n << SCORE_FRACTION_BITS)
        scores: npt.NDArray[np.int32] = np.minimum(mean, SCORE_MAX).astype(np.int32)
        return scores


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
