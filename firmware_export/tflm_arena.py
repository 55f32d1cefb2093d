"""A program that finds the smallest arena of TensorFlow Lite Micro for a model on its standard input.

It prints the size [bytes], or 0 where none up to its argument is enough. Every try is a process of its own, because
TensorFlow Lite Micro crashes with some of the sizes that are too small.
"""

from __future__ import annotations

import os
import sys

_STEP = 16
"""Arenas are aligned to so many bytes, and so is their size here."""


def _runs(content: bytes, size: int) -> bool:
    from tflite_micro import runtime

    process = os.fork()
    if process == 0:
        enough = False
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            runtime.Interpreter.from_bytes(content, arena_size=size).invoke()
            enough = True
        finally:
            os._exit(0 if enough else 1)
    return os.waitpid(process, 0)[1] == 0


def smallest(content: bytes, most: int) -> int:
    """Bisect for the smallest size that is enough; 0 if `most` is not."""
    if not _runs(content, most):
        return 0
    low, high = 0, -(-most // _STEP)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _runs(content, middle * _STEP) else (middle, high)
    return high * _STEP


if __name__ == "__main__":
    print(smallest(sys.stdin.buffer.read(), int(sys.argv[1])))
