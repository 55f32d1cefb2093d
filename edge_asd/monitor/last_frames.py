"""The last frames of a stream, kept for whoever asks about a stretch that has just gone by."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.int32]


class LastFrames:
    """Keeps the last frames, as they came: nothing is copied until it is asked for.

    Parameters
    ----------
    most : int >= 0 [frames]
        That are kept at least, once there are so many; 0 keeps none at all.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: deque[Frames] = deque()
        self._held = self._count = 0

    def push(self, frames: Frames) -> None:
        """Take the next frames [shape=(n, n_mels)], which must not change afterwards."""
        self._count += len(frames)
        if not self._most or not len(frames):
            return
        self._parts.append(frames)
        self._held += len(frames)
        while self._held - len(self._parts[0]) >= self._most:
            self._held -= len(self._parts.popleft())

    def before(self, end: int, count: int) -> Frames | None:
        """Return `count` frames up to the `end`-th [shape=(count, n_mels)]; None if they are not all there.

        Parameters
        ----------
        end : int
            Counted from the first frame that was ever taken.
        count : int > 0
        """
        oldest = self._count - self._held
        if not oldest + count <= end <= self._count:
            return None
        return np.concatenate(self._parts)[end - count - oldest : end - oldest]
