"""What a bundle's ``golden.npz`` holds: sound, and every value computed from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.arrays import Arrays, read_arrays

GOLDEN = "golden.npz"

_ENDS: Arrays = {
    "pcm": (np.int16, (1,)),
    "features": (np.int32, (2,)),
    "window_scores": (np.int32, (1,)),
    "score": (np.int64, (0,)),
}

ARRAYS: Arrays = {**_ENDS, "model_input": (np.int8, (2,)), "model_output": (np.int8, (2, 3, 4))}
"""Those of a network."""

DISTANCE_ARRAYS: Arrays = {**_ENDS, "span_features": (np.int16, (2,))}
"""Those of the distance detector."""

MAX_BYTES = 8 * 2**20
"""Of all arrays together; those of the longest windows take 6 MiB."""


def read_golden(content: bytes, arrays: Arrays = ARRAYS) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays.

    Raises
    ------
    BundleError
        If arrays are missing, of other types, or too large, or the file holds anything else.
    """
    return read_arrays(content, arrays, file=GOLDEN, most_bytes=MAX_BYTES)
