"""Representative data for int8 conversion: every section and domain, with room for other levels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_asd.detectors.windowed import gather_windows
from edge_asd.frontend.spec import FLOOR_POWER, FeatureSpec
from train.dataset import Clip
from train.feature_cache import FeatureCache
from train.windows import frames_db

WINDOWS_PER_CELL = 120
"""Windows taken from each section and domain, spread evenly over its clips."""

HEADROOM_DB = (0.0, 6.0, -6.0)
"""Level shifts of each window: anomalies are often louder than anything in training."""

_FLOOR_DB = float(10 * np.log10(FLOOR_POWER))


def representative_windows(
    clips: Sequence[Clip], spec: FeatureSpec, window_frames: int, cache: FeatureCache | None = None
) -> npt.NDArray[np.float32]:
    """Choose windows of training clips, balanced over sections and domains.

    Returns
    -------
    windows : ndarray, float32 [shape=(n, window_frames * n_mels), dB]
        `WINDOWS_PER_CELL` a section and domain, once for each shift in `HEADROOM_DB`.
    """
    cells: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        cells.setdefault((clip.name.section, clip.name.domain), []).append(clip)
    chosen = []
    for cell in cells.values():
        # At most one clip for each window wanted; evenly spaced, so that no stretch of recording dominates.
        used = [cell[i] for i in np.unique(np.linspace(0, len(cell) - 1, WINDOWS_PER_CELL).round().astype(int))]
        share = -(-WINDOWS_PER_CELL // len(used))
        windows = []
        for clip in (cache or FeatureCache()).features(used, spec, window_frames):
            frames = clip.frames
            starts = np.unique(np.linspace(0, len(frames) - window_frames, share).round().astype(int))
            windows.append(
                np.concatenate([gather_windows(frames[s : s + window_frames], window_frames, 1) for s in starts])
            )
        chosen.append(np.concatenate(windows))
    db = frames_db(np.concatenate(chosen))
    return np.concatenate([np.maximum(db + np.float32(shift), np.float32(_FLOOR_DB)) for shift in HEADROOM_DB])
