"""Features of one clip, and worker processes that compute many; TensorFlow is not loaded in them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np

from edge_asd.errors import DataError
from edge_asd.frontend import log_mel
from edge_asd.frontend.spec import FeatureSpec
from train.dataset import Clip, file_digest, level_db
from train.feature_store import ClipFeatures, FeatureStore

Task = tuple[Clip, bytes]
"""A clip and the SHA-256 of its file."""


def extract(clip: Clip, digest: bytes, spec: FeatureSpec, window_frames: int) -> ClipFeatures:
    """Compute a clip's features.

    Raises
    ------
    DataError
        If the clip cannot be used (see `Clip.read`), or its file is no longer the one with this SHA-256.
    """
    pcm = clip.read(spec, window_frames).pcm
    features = ClipFeatures(log_mel(pcm, spec), level_db(pcm))
    # Features kept under the hash of another sound would be wrong for ever.
    if file_digest(clip.path) != digest:
        raise DataError(f"{clip.path} changed while it was read. Wait until it is complete, and start again.")
    return features


def keep(
    tasks: Sequence[Task], store: FeatureStore | None, spec: FeatureSpec, window_frames: int
) -> tuple[list[ClipFeatures | None], str]:
    """Compute the features of clips and keep them in a store.

    Returns
    -------
    features : list of ClipFeatures or None
        None where the store has them now.
    trouble : str
        Why the store could not be written; "" where it could.
    """
    features: list[ClipFeatures | None] = []
    trouble = ""
    for clip, digest in tasks:
        computed = extract(clip, digest, spec, window_frames)
        if store is None:
            features.append(computed)
            continue
        try:
            store.write(digest, computed)
            features.append(None)
        except OSError as error:
            trouble = error.strerror or str(error)
            features.append(computed)
    return features, trouble


class WorkerPool:
    """Processes that run `keep`; started with the first task, ended with the ``with`` block."""

    def __init__(self, workers: int) -> None:
        # Spawned, not forked: the parent may hold TensorFlow's threads.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)

    def submit(self, *arguments: Any) -> Callable[[], tuple[list[ClipFeatures | None], str]]:
        """Start `keep`; the function that comes back waits for its result."""
        # Ctrl-C is the parent's business: its children would each print a traceback.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            future = self._pool.submit(keep, *arguments)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return lambda: _result(future)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _result(future: Future[tuple[list[ClipFeatures | None], str]]) -> tuple[list[ClipFeatures | None], str]:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise DataError(
            "A process that computed features was ended from outside, perhaps for lack of memory. Start again."
        ) from error


def _begin() -> None:
    """Prepare a worker process."""
    # Freeing one large block teaches glibc to keep the megabytes that every clip takes and gives back;
    # a fresh process spends a third of its time on asking the system for them again and again.
    np.empty(1 << 24, np.int8)
    # End with the parent, even where it is killed: nobody else would end this process then.
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
