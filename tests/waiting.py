"""Waiting for what will come, however busy the machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 60.0
"""After so long, it will not come any more."""

Found = TypeVar("Found")


def until(true: Callable[[], Found], what: str = "", seconds: float = SECONDS) -> Found:
    """Wait until something is so, and return it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.005)
    return found
