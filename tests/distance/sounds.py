"""Log-mel frames for tests of the distance detector, and the features that floating point makes of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.distance.blocks import LOUDEST_DB, Blocks
from edge_asd.frontend.tables import FLOOR_DB

LEAST, MOST = FLOOR_DB, (LOUDEST_DB << 16) - 1


def frames(seed: int, count: int, n_mels: int = 128, *, spread: float = 5.0) -> npt.NDArray[np.int32]:
    """Frames like a machine's: a spectrum of its own, and noise."""
    rng = np.random.default_rng(seed)
    db = rng.normal(-45, 12, n_mels) + rng.normal(0, spread, (count, n_mels))
    return np.clip(np.rint(db * 65536), LEAST, MOST).astype(np.int32)


def float_features(of: npt.NDArray[np.int32], blocks: Blocks) -> npt.NDArray[np.float64]:
    """Features of the first span, by the definition [shape=(2 * n_mels,), dB]."""
    db = of[: blocks.span] / 65536
    level = 10 * np.log10((10 ** (db / 10)).mean(axis=0))
    unsteadiness = 5 * np.log10(db.var(axis=0) + 1 / 65536)
    return np.concatenate([np.maximum(level, FLOOR_DB / 65536), unsteadiness])
