"""A bounded queue of bytes between the audio callback and the program."""

from __future__ import annotations


class ByteRing:
    """First in, first out; one thread writes, one reads, nobody waits and nothing is allocated by a write.

    Each counter is changed by one side only, and after the bytes it speaks of were copied: no lock is needed.

    Parameters
    ----------
    capacity : int > 0 [bytes]
    """

    def __init__(self, capacity: int) -> None:
        self._bytes = bytearray(capacity)
        self._written = 0
        self._taken = 0

    def write(self, data: memoryview) -> bool:
        """Append `data` whole, or refuse it whole and return False where it does not fit."""
        capacity = len(self._bytes)
        length = len(data)
        if length > capacity - (self._written - self._taken):
            return False
        start = self._written % capacity
        first = min(length, capacity - start)
        self._bytes[start : start + first] = data[:first]
        self._bytes[: length - first] = data[first:]
        self._written += length
        return True

    def read(self) -> bytes:
        """Take all that is there, possibly nothing."""
        capacity = len(self._bytes)
        length = self._written - self._taken
        start = self._taken % capacity
        first = min(length, capacity - start)
        data = bytes(self._bytes[start : start + first]) + bytes(self._bytes[: length - first])
        self._taken += length
        return data
