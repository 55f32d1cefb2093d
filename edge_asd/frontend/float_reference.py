"""Floating-point log-mel spectrogram, as librosa computes it: to reproduce and to measure.

Nothing that ships uses it. Equal to ``10*log10(max(melspectrogram(...), 2.22e-16))`` with
``n_fft=1024, hop_length=512, n_mels=128, power=2`` and Slaney's scale and area norm.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.frontend.spec import FLOOR_POWER, FeatureSpec
from edge_asd.frontend.tables import hann, mel_filterbank


def log_mel(
    pcm: npt.NDArray[np.int16], spec: FeatureSpec | None = None, *, pad: bool = False
) -> npt.NDArray[np.float32]:
    """Compute the log-mel spectrogram in float64 and return it as float32.

    Parameters
    ----------
    pcm : ndarray, int16 [shape=(n,)]
        Samples at `spec.sample_rate`; 32768 is full scale.
    spec : FeatureSpec, optional
        Frame, hop and band counts; the paper's by default.
    pad : bool
        Mirror half a frame at both ends, as the published baselines do (313 frames for ten
        seconds); without it only whole frames are used (311), as on the device.

    Returns
    -------
    frames : ndarray, float32 [shape=(frames, n_mels), dB]
    """
    spec = spec or FeatureSpec()
    x = pcm.astype(np.float64) / 32768
    if pad:
        x = np.pad(x, spec.n_fft // 2, mode="reflect")
    if x.size < spec.n_fft:
        return np.empty((0, spec.n_mels), dtype=np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(x, spec.n_fft)[:: spec.hop_length]
    spectrum = np.fft.rfft(frames * hann(spec.n_fft))
    power = spectrum.real**2 + spectrum.imag**2
    mel = power @ mel_filterbank(spec).T
    return (10 * np.log10(np.maximum(mel, FLOOR_POWER))).astype(np.float32)
