"""Waiting for pipes, so that another thread can end it."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Iterable


class Waiter:
    """Waits for descriptors that can be read, until it is woken for good.

    All but `wake` is for one thread at a time.
    """

    def __init__(self) -> None:
        self._inner, self._outer = os.pipe()
        self._open = True
        self._lock = threading.Lock()

    def wait(self, descriptors: Iterable[int], seconds: float) -> set[int]:
        """Return those that can be read, or have ended; none after `seconds`, and at once when woken or closed."""
        if not self._open:
            return set()
        poll = select.poll()  # unlike select, at home with descriptors over 1023
        for descriptor in (self._inner, *descriptors):
            poll.register(descriptor, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(max(0.0, seconds) * 1000)}
        return set() if self._inner in ready else ready

    def wake(self) -> None:
        """End this wait and all that follow, from any thread."""
        with self._lock:
            if self._open:
                os.write(self._outer, b"x")

    def close(self) -> None:
        """Give its own descriptors back."""
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._inner)
                os.close(self._outer)

    def __del__(self) -> None:
        """Give them back where nobody did."""
        self.close()


def until(moment: float) -> float:
    """Seconds that are left until a moment of `time.monotonic`, at least 0."""
    return max(0.0, moment - time.monotonic())
