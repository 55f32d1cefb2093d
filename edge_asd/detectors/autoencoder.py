"""The autoencoder's score: squared reconstruction error in dB^2, in integers.

x: fixed-point log-mel, dB in Q15.16. The model sees q = clamp(zero_point + round(x / scale)) and
answers q'; its output in dB is y = round((q' - zero_point') * scale') in Q15.16. The score of a
window is mean((x - y)^2) over its values, rounded half up to Q15.16 and saturated at int32.

Bounds: |x| < 157 dB (the front end's floor), |y| < 256 * scale' dB. A model is refused where the
sum of (x - y)^2 over a window could reach 2^31 dB^2, that is 2^63 in Q32; for 640 values that is
where |y| could reach 1675 dB, far beyond any that was trained on log-mel spectrograms.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.detector_model import DetectorModel
from edge_asd.detectors.scores import SCORE_FRACTION_BITS, SCORE_MAX
from edge_asd.detectors.windowed import OUTPUT_BITS, Runs, WindowDetector
from edge_asd.errors import BundleError

_FEATURE_DB = 157


class AutoencoderDetector(WindowDetector):
    """Integer window scores of an autoencoder."""

    def __init__(self, spec: DetectorModel, other: Runs | None = None) -> None:
        super().__init__(spec, other)
        (size,), _ = self.shapes(spec)
        reach = 256 * self._output.scale
        if size * (_FEATURE_DB + reach) ** 2 >= 2**31:
            raise BundleError(
                f"The model's output may reach {reach:.0f} dB, where the integer score would overflow. "
                "Its training must have failed; train anew."
            )

    @classmethod
    def shapes(cls, spec: DetectorModel) -> tuple[tuple[int, ...], tuple[int, ...]]:
        size = (spec.window_frames * spec.features.n_mels,)
        return size, size

    def scores_of_outputs(
        self, windows: npt.NDArray[np.int32], outputs: npt.NDArray[np.int8], section: str
    ) -> npt.NDArray[np.int32]:
        """Compute mean((x - y)^2) over each window; one score for all sections."""
        total = self._squares(windows, outputs).sum(axis=1)  # Q32
        n = windows.shape[1]
        mean = (total + (n << (SCORE_FRACTION_BITS - 1))) // (n << SCORE_FRACTION_BITS)
        scores: npt.NDArray[np.int32] = np.minimum(mean, SCORE_MAX).astype(np.int32)
        return scores

    def band_errors(self, frames: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Compute the mean of (x - y)^2 of each band, over all windows in log-mel frames and the frames of each.

        Parameters
        ----------
        frames : ndarray, int32 [shape=(n, n_mels), dB in Q15.16]
            A window at least.

        Returns
        -------
        errors : ndarray, int32, at least 1 [shape=(n_mels,), dB^2 in Q15.16]
            Their mean is that of the window scores, but for the rounding.
        """
        n_mels = frames.shape[1]
        total, count = np.zeros(n_mels, dtype=np.int64), 0
        for windows, outputs in self.parts(frames):
            squares = self._squares(windows, outputs).reshape(-1, n_mels)
            total += (squares >> SCORE_FRACTION_BITS).sum(axis=0)
            count += len(squares)
        errors: npt.NDArray[np.int32] = np.clip(total // max(1, count), 1, SCORE_MAX).astype(np.int32)
        return errors

    def _squares(self, windows: npt.NDArray[np.int32], outputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
        """Compute (x - y)^2 [shape of `windows`, dB^2 in Q32]."""
        out = self._output
        y = (outputs.astype(np.int64) - out.zero_point) * out.multiplier
        y = (y + (1 << (OUTPUT_BITS - SCORE_FRACTION_BITS - 1))) >> (OUTPUT_BITS - SCORE_FRACTION_BITS)
        squares: npt.NDArray[np.int64] = (windows - y) ** 2
        return squares

    def float_scores(
        self, windows: npt.NDArray[np.float32], outputs: npt.NDArray[np.float32], section: str
    ) -> npt.NDArray[np.float64]:
        scores: npt.NDArray[np.float64] = np.mean((windows - outputs).astype(np.float64) ** 2, axis=1)
        return scores
