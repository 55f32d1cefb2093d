"""A bounded queue of bytes between the audio callback and the program."""

from __future__ import annotations


class ByteRing:
    """First in, first out; one thread writes, one reads, nobody waits and nothing is allocated by a write.

    Each counter is changed by one side only, and after the bytes it speaks of were copied: no lock is needed.

    Parameters
    ----------
    capacity : int > 0 [bytes]

    Attributes
    ----------
    written : int >= 0 [bytes]
        All that was ever written.
    """

    def __init__(self, capacity: int) -> None:
        self._bytes = bytearray(capacity)
        self.written = 0
        self._taken = 0

    @property
    def room(self) -> int:
        """Bytes that can be written now."""
        return len(self._bytes) - (self.written - self._taken)

    def write(self, data: memoryview) -> None:
        """Append `data`, of at most `room` bytes."""
        capacity = len(self._bytes)
        length = len(data)
        if length > self.room:
            raise ValueError(f"{length} bytes do not fit into the {self.room} that are free")
        start = self.written % capacity
        first = min(length, capacity - start)
        self._bytes[start : start + first] = data[:first]
        self._bytes[: length - first] = data[first:]
        self.written += length

    def read(self, until: int) -> bytes:
        """Take all up to the place `until` of what was ever written, possibly nothing."""
        capacity = len(self._bytes)
        length = until - self._taken
        start = self._taken % capacity
        first = min(length, capacity - start)
        data = bytes(self._bytes[start : start + first]) + bytes(self._bytes[: length - first])
        self._taken += length
        return data
