"""Windows of many clips, gathered from their frames batch by batch and never copied out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_asd.frontend.spec import DB_FRACTION_BITS
from edge_asd.train.features.store import ClipFeatures


def frames_db(fixed: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """Turn fixed-point log-mel values (Q15.16) into float dB for training: exact, since 24 bits hold them."""
    db = fixed.astype(np.float32)
    db *= np.float32(1 / (1 << DB_FRACTION_BITS))
    return db


class Windows:
    """All windows of clips, numbered clip after clip.

    Parameters
    ----------
    clips : sequence of ClipFeatures
        Each at least `window_frames` long.
    window_frames : int > 0
    window_hop : int > 0
        Frames between the starts of two windows.
    """

    def __init__(self, clips: Sequence[ClipFeatures], window_frames: int, window_hop: int = 1) -> None:
        self._frames = [clip.frames for clip in clips]
        self._window_frames, self._window_hop = window_frames, window_hop
        counts = [1 + (len(frames) - window_frames) // window_hop for frames in self._frames]
        self._first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])

    @property
    def width(self) -> int:
        """Values of a window."""
        return int(self._window_frames * self._frames[0].shape[1])

    def __len__(self) -> int:
        return int(self._first[-1])

    def clips_of(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Tell which clip each window is of [shape=(k,)]."""
        return np.searchsorted(self._first, numbers, side="right") - 1

    def gather(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Copy some windows.

        Parameters
        ----------
        numbers : ndarray, int64 [shape=(k,)], 0 to len - 1

        Returns
        -------
        windows : ndarray, float32 [shape=(k, window_frames * n_mels), dB]
        """
        clips = self.clips_of(numbers)
        starts = (numbers - self._first[clips]) * self._window_hop
        span = self._window_frames
        windows = np.empty((len(numbers), span, self._frames[0].shape[1]), np.int32)
        for i, (clip, start) in enumerate(zip(clips.tolist(), starts.tolist(), strict=True)):
            windows[i] = self._frames[clip][start : start + span]
        return frames_db(windows).reshape(len(numbers), -1)
