"""The last seconds of a source's sound, found by the sample counter."""

from __future__ import annotations

from collections import deque

import numpy as np

from edge_asd.audio.stream import Pcm


class PreRoll:
    """Keeps the last `capacity` samples of a source; missing ones are zeros, and counted.

    Places count samples since the source's start, the missing ones included.

    Parameters
    ----------
    capacity : int > 0 [samples]

    Attributes
    ----------
    end : int >= 0
        Place behind the last sample heard.
    begin : int, 0 to `end`
        Place of the oldest sample that is held.
    """

    def __init__(self, capacity: int) -> None:
        self._ring = np.zeros(capacity, np.int16)
        self._gaps: deque[tuple[int, int]] = deque()
        self.begin = self.end = 0

    @property
    def capacity(self) -> int:
        """Samples that it can hold."""
        return len(self._ring)

    def hear(self, place: int, pcm: Pcm) -> None:
        """Take the next sound; what begins before the last ended is a source that started anew.

        Parameters
        ----------
        place : int >= 0
        pcm : int16 [shape=(n,), n <= `capacity`]
        """
        if pcm.size > self.capacity:
            raise ValueError(f"{pcm.size} samples do not fit into {self.capacity}")
        gap = place - self.end
        if gap < 0 or gap >= self.capacity or self.begin == self.end:
            self._gaps.clear()
            self.begin = self.end = place
        elif gap:
            self._gaps.append((self.end, place))
            self._put(np.zeros(gap, np.int16))
        self._put(pcm)
        while self._gaps and self._gaps[0][1] <= self.begin:
            self._gaps.popleft()

    def read(self, start: int, stop: int) -> Pcm:
        """Return the samples from `start` to `stop`, where both lie within what is held."""
        if not self.begin <= start <= stop <= self.end:
            raise ValueError(f"places {start} to {stop} are not within {self.begin} to {self.end}")
        first, length = start % self.capacity, stop - start
        head = self._ring[first : first + length]
        return np.concatenate([head, self._ring[: length - head.size]])

    def missing(self, start: int, stop: int) -> int:
        """Count the samples from `start` to `stop` that were never heard."""
        return sum(max(0, min(stop, last) - max(start, first)) for first, last in self._gaps)

    def _put(self, pcm: Pcm) -> None:
        first = self.end % self.capacity
        head = min(pcm.size, self.capacity - first)
        self._ring[first : first + head] = pcm[:head]
        self._ring[: pcm.size - head] = pcm[head:]
        self.end += pcm.size
        self.begin = max(self.begin, self.end - self.capacity)
