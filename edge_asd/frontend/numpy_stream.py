"""`native.Stream` for machines where the C front end was not built."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.frontend.fixed_point import log_mel
from edge_asd.frontend.samples import check_samples
from edge_asd.frontend.spec import FeatureSpec


class Stream:
    """Log-mel frames of a signal that arrives piece by piece.

    Parameters
    ----------
    spec : FeatureSpec, optional
        Frame, hop and band counts; the paper's by default.
    """

    def __init__(self, spec: FeatureSpec | None = None) -> None:
        self.spec = spec or FeatureSpec()
        self.reset()

    def reset(self) -> None:
        """Forget all samples: the next frame starts with the next sample."""
        self._history = np.empty(0, dtype=np.int16)

    def push(self, pcm: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
        """Take samples and return the frames they complete.

        Parameters
        ----------
        pcm : ndarray, int16 [shape=(n,)]
            The next samples, any number of them.

        Returns
        -------
        frames : ndarray, int32 [shape=(frames, n_mels), dB in Q15.16]
            As many frames as are complete now, possibly none.

        Raises
        ------
        EdgeAsdError
            If `pcm` is not a one-dimensional int16 array.
        """
        check_samples(pcm)
        samples = np.concatenate([self._history, pcm])
        frames = log_mel(samples, self.spec)
        self._history = samples[len(frames) * self.spec.hop_length :].copy()
        return frames
