"""Silencing what C++ libraries write to the standard error, past Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send file descriptor 2 to nowhere for a while; Python's own errors are raised, not printed."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # closed already: as quiet as can be
        yield
        return
    try:
        with open(os.devnull, "wb") as null:
            os.dup2(null.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
