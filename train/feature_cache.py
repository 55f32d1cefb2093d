"""Log-mel spectrograms of clips: computed once, kept in the user's cache, mapped into memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from edge_asd.frontend.spec import FRONTEND_NUMBER, FeatureSpec
from train.dataset import Clip, file_digest
from train.extraction import Task, WorkerPool, keep
from train.feature_store import ClipFeatures, FeatureStore

CACHE_VARIABLE = "EDGE_ASD_CACHE"

_CHUNK = 8
"""Clips a worker gets at once."""

_WORTH_A_PROCESS = 32
"""Clips to compute, from which on starting processes (about half a second each) pays."""

Progress = Callable[[int, int, str], None]
"""Called with (clips done, clips, name)."""


def cache_folder() -> Path | None:
    """Return the folder of the cache: $EDGE_ASD_CACHE, or edge-asd in the user's cache folder, or none."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME", "")
    # A relative path there is to be ignored, says the XDG Base Directory Specification.
    if os.path.isabs(base):
        return Path(base) / "edge-asd"
    try:
        return Path.home() / ".cache" / "edge-asd"
    except RuntimeError:
        return None


class FeatureCache:
    """Features of clips, from the cache where they are, and computed where they are not.

    Parameters
    ----------
    folder : Path, optional
        Where they are kept; `cache_folder` by default.
    workers : int > 0, optional
        Processes that compute; as many as this process may use cores by default.
    note : callable, optional
        Called once with a sentence for the user where the folder cannot be written.
    """

    def __init__(
        self, folder: Path | None = None, *, workers: int | None = None, note: Callable[[str], None] = lambda _: None
    ) -> None:
        self._folder = folder or cache_folder()
        self._workers = workers or len(os.sched_getaffinity(0))
        self._note = note
        self._noted = False

    def features(
        self,
        clips: Sequence[Clip],
        spec: FeatureSpec,
        window_frames: int,
        *,
        progress: Progress = lambda *_: None,
    ) -> list[ClipFeatures]:
        """Return the features of clips, in their order.

        Parameters
        ----------
        clips : sequence of Clip
        spec : FeatureSpec
        window_frames : int
            Shorter clips are errors.
        progress : callable, optional
            See `Progress`.

        Raises
        ------
        DataError
            If a clip cannot be used.
        """
        store = None if self._folder is None else FeatureStore(self._folder, spec, FRONTEND_NUMBER)
        results: list[ClipFeatures | None] = [None] * len(clips)
        done = 0
        missing: dict[int, Task] = {}
        if store is not None:
            store.sweep()
        with _Computation(store, spec, window_frames, self._workers) as computation:
            for i, clip in enumerate(clips):
                digest = file_digest(clip.path)
                entry = None if store is None else store.read(digest)
                if entry is not None and len(entry.frames) >= window_frames:
                    results[i] = entry
                    done += 1
                    progress(done, len(clips), clip.path.name)
                else:
                    missing[i] = (clip, digest)
                    computation.add(i, missing[i])
            trouble = ""
            for numbers, features, problem in computation.results():
                trouble = trouble or problem
                for i, computed in zip(numbers, features, strict=True):
                    results[i] = computed or _reread(store, missing[i], spec, window_frames)
                done += len(numbers)
                progress(done, len(clips), clips[numbers[-1]].path.name)
        if missing and (trouble or store is None):
            self._complain(trouble)
        return [result for result in results if result is not None]

    def _complain(self, trouble: str) -> None:
        if not self._noted:
            self._noted = True
            where = (
                f"cannot be kept in {self._folder} ({trouble})" if self._folder else "cannot be kept: there is no home"
            )
            self._note(
                f"Features {where}; they are computed every time and held in memory. "
                f"Choose a folder with --cache or {CACHE_VARIABLE}."
            )


class _Computation:
    """Computes what is missing: here, or in processes as soon as there is enough of it."""

    def __init__(self, store: FeatureStore | None, spec: FeatureSpec, window_frames: int, workers: int) -> None:
        self._arguments = (store, spec, window_frames)
        self._workers = workers
        self._pool: WorkerPool | None = None
        self._waiting: list[tuple[int, Task]] = []
        self._running: list[tuple[list[int], Callable[[], tuple[list[ClipFeatures | None], str]]]] = []

    def __enter__(self) -> _Computation:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.__exit__()

    def add(self, number: int, task: Task) -> None:
        """Take a clip; `number` comes back with its features."""
        self._waiting.append((number, task))
        if self._pool is None and self._workers > 1 and len(self._waiting) >= _WORTH_A_PROCESS:
            self._pool = WorkerPool(self._workers)
        if self._pool is not None and len(self._waiting) >= _CHUNK:
            self._submit()

    def _submit(self) -> None:
        assert self._pool is not None
        while self._waiting:
            chunk, self._waiting = self._waiting[:_CHUNK], self._waiting[_CHUNK:]
            wait = self._pool.submit([task for _, task in chunk], *self._arguments)
            self._running.append(([number for number, _ in chunk], wait))

    def results(self) -> Iterator[tuple[list[int], list[ClipFeatures | None], str]]:
        """Yield (numbers, features, trouble) in the order of the clips."""
        if self._pool is not None:
            self._submit()
        for numbers, wait in self._running:
            yield numbers, *wait()
        for number, task in self._waiting:
            yield [number], *keep([task], *self._arguments)


def _reread(store: FeatureStore | None, task: Task, spec: FeatureSpec, window_frames: int) -> ClipFeatures:
    """Map what was just kept; where it is gone already, compute it once more and hold it."""
    entry = None if store is None else store.read(task[1])
    if entry is not None:
        return entry
    (computed,), _ = keep([task], None, spec, window_frames)
    assert computed is not None
    return computed
