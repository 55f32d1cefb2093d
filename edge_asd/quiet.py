"""Silencing what C and C++ libraries write to the standard error, past Python."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any


@contextmanager
def quiet_stderr(into: IO[Any] | None = None) -> Iterator[None]:
    """Send file descriptor 2 to nowhere, or into a file, for a while; Python's own errors are raised, not printed."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # closed already: as quiet as can be
        yield
        return
    try:
        with open(os.devnull, "wb") as null:
            os.dup2((into or null).fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


_turn = threading.Lock()
_inside = 0
_undo = ExitStack()


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Send file descriptor 2 to nowhere for long, while what Python prints to `sys.stderr` goes on to where it went.

    Several may be entered and left in any order and from any thread: the last that is left puts back what was.
    """
    global _inside
    with _turn:
        if not _inside:
            _undo.enter_context(_quiet_libraries())
        _inside += 1
    try:
        yield
    finally:
        with _turn:
            _inside -= 1
            if not _inside:
                _undo.close()


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    ours = sys.stderr
    try:
        own = ours.fileno() == 2
        kept = os.dup(2) if own else -1
    except (OSError, ValueError, AttributeError):  # closed, or no file
        own = False
    if not own:
        with quiet_stderr():
            yield
        return
    ours.flush()
    with open(kept, "w", encoding=ours.encoding, errors="replace", buffering=1) as stderr:
        sys.stderr = stderr
        try:
            with quiet_stderr():
                yield
        finally:
            sys.stderr = ours
