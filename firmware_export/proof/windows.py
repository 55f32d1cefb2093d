"""Inputs that a model is tried on: sound-like ones, noise, and the ends of int8."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.firmware_export.network import Network

SEED = 20211

_ENDS = 3


def trial_windows(network: Network, count: int, golden: npt.NDArray[np.int8] | None = None) -> npt.NDArray[Any]:
    """Make `count` windows, the same each time.

    A third is noise over the whole range, a third keeps to a part of it, as sound does, and a third is what the
    bundle's golden sound gives, moved up and down; three hold nothing but the least, the greatest or the zero value.

    Parameters
    ----------
    network : Network
    count : int > 0
    golden : ndarray, int8 [shape=(n, values)], optional
        Windows of the golden sound.

    Returns
    -------
    windows : ndarray [shape=(count, values)], int8 or float32 as the model takes it
    """
    rng = np.random.default_rng(SEED)
    size = math.prod(network.input.shape)
    windows = rng.integers(-128, 128, (count, size))
    centres = rng.integers(-100, 101, (count, 1))
    windows[1::3] = np.clip(np.rint(rng.normal(centres[1::3], 20, windows[1::3].shape)), -128, 127)
    if golden is not None and len(golden):
        places = rng.integers(len(golden), size=len(windows[2::3]))
        moved = golden[places].astype(np.int64) + rng.integers(-30, 31, (len(places), 1))
        windows[2::3] = np.clip(moved, -128, 127)
    zero = int(network.input.zero_points[0]) if len(network.input.zero_points) else 0
    if count > 2 * _ENDS:
        windows[:_ENDS] = np.array([[-128], [127], [zero]])
    if network.input.dtype == np.float32:
        return (windows / 32).astype(np.float32)
    return windows.astype(np.int8)
