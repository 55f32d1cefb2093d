"""How many threads a step may use in this process: all cores that it may use, or its share of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_share: int | None = None


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available() -> int:
    """Return how many threads our own steps may use here at once."""
    return cores() if _share is None else min(cores(), _share)


@contextmanager
def bounded(share: int | None) -> Iterator[None]:
    """Bound our own threads to a share of the cores, and those of the linear algebra to one.

    Sums over several threads come out otherwise in their last bits: linear algebra may have one thread alone, and an
    operation of TensorFlow, too (see ``train/__init__.py``). How many operations run at once changes no bit; that is
    bounded for the process, before TensorFlow starts in it.

    Parameters
    ----------
    share : int > 0, optional
        Threads; as many as this process may use cores by default.
    """
    from threadpoolctl import threadpool_limits

    global _share
    before, _share = _share, share
    if share is not None:
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(share))
    try:
        with threadpool_limits(1):
            yield
    finally:
        _share = before
