"""Log-mel spectrograms of clips: computed once, kept in the user's cache, mapped into memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from edge_asd.frontend.spec import FRONTEND_NUMBER, FeatureSpec
from edge_asd.threads import available
from edge_asd.train.data.dataset import Clip
from edge_asd.train.features.extraction import Kind, fetch
from edge_asd.train.features.store import ClipFeatures, FeatureStore

CACHE_VARIABLE = "EDGE_ASD_CACHE"

_PART = 16
"""Clips that a thread takes at once: for each turn the caller's thread wakes up and takes Python's lock."""

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
        Threads that compute; `edge_asd.threads.available` by default.
    note : callable, optional
        Called once with a sentence for the user where the folder cannot be written.
    """

    def __init__(
        self, folder: Path | None = None, *, workers: int | None = None, note: Callable[[str], None] = lambda _: None
    ) -> None:
        self._folder = folder or cache_folder()
        self._workers = workers or available()
        self._note = note
        self._noted = False

    def features(
        self,
        clips: Sequence[Clip],
        spec: FeatureSpec,
        window_frames: int,
        *,
        kind: Kind = "fixed",
        progress: Progress = lambda *_: None,
    ) -> list[ClipFeatures]:
        """Return the features of clips, in their order.

        Parameters
        ----------
        clips : sequence of Clip
        spec : FeatureSpec
        window_frames : int
            Shorter clips are errors.
        kind : {"fixed", "float", "float-padded"}
            What computes them (see `edge_asd.train.features.extraction`).
        progress : callable, optional
            See `Progress`.

        Raises
        ------
        DataError
            If a clip cannot be used.
        """
        stores = self._stores({clip.channel for clip in clips}, spec, kind)
        parts = [clips[first : first + _PART] for first in range(0, len(clips), _PART)]

        def fetch_part(part: Sequence[Clip]) -> list[tuple[ClipFeatures, str]]:
            return [fetch(clip, stores.get(clip.channel), spec, window_frames, kind) for clip in part]

        results: list[ClipFeatures] = []
        trouble = ""
        # Threads: hashing, reading and the C front end leave Python's lock, and processes take longer
        # to start than a thousand clips take to compute.
        with _quick_turns(), ThreadPoolExecutor(self._workers) as pool:
            futures = [pool.submit(fetch_part, part) for part in parts]
            try:
                for part, future in zip(parts, futures, strict=True):
                    for clip, (features, problem) in zip(part, future.result(), strict=True):
                        trouble = trouble or problem
                        results.append(features)
                        progress(len(results), len(clips), clip.path.name)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        if clips and (trouble or not stores):
            self._complain(trouble)
        return results

    def _stores(self, channels: set[int], spec: FeatureSpec, kind: Kind) -> dict[int, FeatureStore]:
        """Open the store of each channel; none where there is no folder."""
        if self._folder is None:
            return {}
        stores = {channel: FeatureStore(self._folder, spec, FRONTEND_NUMBER, kind, channel) for channel in channels}
        for store in stores.values():
            store.sweep()
        return stores

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


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Let threads hand Python's lock on after 20 us.

    By default one that comes back from C waits up to 5 ms for it, five times as long as C takes for a clip.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(2e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
