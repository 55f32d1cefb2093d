"""What the front end takes: the one check of its input."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.errors import EdgeAsdError


def check_samples(pcm: npt.NDArray[np.int16]) -> None:
    """Refuse anything but a one-dimensional int16 array, with an `EdgeAsdError`."""
    if pcm.ndim != 1 or pcm.dtype != np.int16:
        raise EdgeAsdError(f"The front end takes mono int16 samples, not {pcm.dtype} of shape {pcm.shape}.")
