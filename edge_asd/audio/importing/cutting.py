"""Cutting a stream into clips: where they may lie, and that none for testing shares a sample with another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge_asd.audio.health import MAX_CLIPPED_SHARE, Stretch, clipped_share
from edge_asd.audio.sound_header import LONGEST_HOURS
from edge_asd.audio.stream import Pcm
from edge_asd.clips import Split
from edge_asd.errors import AudioFormatError, DataError

SHORTEST_CLIP, LONGEST_CLIP = 1.0, 60.0
"""Bounds of a clip's length [s]."""

CHANGED = "was changed while it was read. Try again when it is complete."


@dataclass(frozen=True, slots=True)
class Cuts:
    """How recordings are cut.

    Attributes
    ----------
    clip_seconds : float, 1 to 60 [s]
    overlap : float, 0 to below `clip_seconds` [s]
        Of neighbouring clips for training; clips for testing share nothing with others.
    skip, skip_end : float >= 0 [s]
        Left out at the start and the end of each recording.
    channel : int >= 0

    Raises
    ------
    DataError
        If the overlap leaves less than half a second from clip to clip, or a number is out of range.
    """

    clip_seconds: float = 10.0
    overlap: float = 0.0
    skip: float = 0.0
    skip_end: float = 0.0
    channel: int = 0

    def __post_init__(self) -> None:
        """Check them."""
        if not SHORTEST_CLIP <= self.clip_seconds <= LONGEST_CLIP:
            raise DataError(
                f"Clips of {self.clip_seconds:g} s are not made: give {SHORTEST_CLIP:g} to {LONGEST_CLIP:g} s."
            )
        if not 0 <= self.overlap <= self.clip_seconds - 0.5:
            raise DataError(
                f"An overlap of {self.overlap:g} s cannot be used with clips of {self.clip_seconds:g} s: give 0 to "
                f"{self.clip_seconds - 0.5:g} s."
            )
        if not all(0 <= seconds <= LONGEST_HOURS * 3600 for seconds in (self.skip, self.skip_end)):
            raise DataError("The seconds to skip cannot be negative, nor more than a recording may last.")


@dataclass(frozen=True, slots=True)
class Cut:
    """A clip and its place in the stream."""

    place: Stretch
    split: Split


def between(stretches: Sequence[Stretch], start: int, stop: int) -> list[Stretch]:
    """Return what is left of the samples from `start` to `stop` without some stretches, in their order."""
    runs = []
    for stretch in stretches:
        if stretch.start >= stop:
            break
        if stretch.start > start:
            runs.append(Stretch(start, stretch.start))
        start = max(start, stretch.stop)
    return [*runs, Stretch(start, stop)] if start < stop else runs


def cut(
    blocks: Iterable[Pcm],
    runs: Sequence[Stretch],
    length: int,
    overlap: int,
    *,
    next_split: Callable[[], Split],
    write: Callable[[Pcm, Cut], None],
    last: Cut | None = None,
) -> list[tuple[Stretch, float]]:
    """Cut clips out of a stream, and read it to its end.

    Clips for training that follow one another overlap; one for testing starts where the one before it ended, and
    ends where the next one starts.

    Parameters
    ----------
    blocks : iterable of int16 [shape=(n,)]
    runs : sequence of Stretch
        Where clips may lie, in their order: none goes beyond one.
    length : int > 0 [samples]
    overlap : int, 0 to length - 1 [samples]
    next_split : callable
        Says what the next clip is for.
    write : callable
        Takes each clip [shape=(length,)], and where it was.
    last : Cut, optional
        The last clip that was cut earlier: this goes on behind it.

    Returns
    -------
    clipped : list of (Stretch, float)
        Where clips would lie that are clipped, and what share of their samples is; neighbours are told together, and
        what lies in the clip before is left out.

    Raises
    ------
    AudioFormatError
        If the stream ends before the last of the runs does. The message starts with a verb.
    """
    clipped: list[tuple[Stretch, float]] = []
    buffer = _Buffer(blocks)
    at = last.place.stop if last else 0
    for run in runs:
        if last is not None and last.place.stop <= run.start:
            last = None
        at = max(at, run.start)
        while True:
            split = next_split()
            start = at
            if overlap and split == "train" and last is not None and last.split == "train" and at == last.place.stop:
                start = max(at - overlap, run.start)
            place = Stretch(start, start + length)
            if place.stop > run.stop:
                break
            pcm = buffer.take(place)
            if (share := clipped_share(pcm)) > MAX_CLIPPED_SHARE:
                _add(clipped, Stretch(at, place.stop), share)
                last = None
            else:
                last = Cut(place, split)
                write(pcm, last)
            at = place.stop
    buffer.drain()
    return clipped


def _add(clipped: list[tuple[Stretch, float]], place: Stretch, share: float) -> None:
    if clipped and clipped[-1][0].stop == place.start:
        before, most = clipped.pop()
        place, share = Stretch(before.start, place.stop), max(most, share)
    clipped.append((place, share))


class _Buffer:
    """As much of a stream as the next clip needs."""

    def __init__(self, blocks: Iterable[Pcm]) -> None:
        self._blocks: Iterator[Pcm] = iter(blocks)
        self._start, self._count = 0, 0
        self._kept: list[Pcm] = []

    def take(self, place: Stretch) -> Pcm:
        """Return samples; what lies before them is let go."""
        while self._start + self._count < place.stop:
            block = next(self._blocks, None)
            if block is None:
                raise AudioFormatError(CHANGED)
            self._kept.append(block)
            self._count += block.size
            while self._start + self._kept[0].size <= place.start:
                gone = self._kept.pop(0).size
                self._start += gone
                self._count -= gone
                if not self._kept:
                    break
        sound = np.concatenate(self._kept)
        return sound[place.start - self._start : place.stop - self._start].copy()

    def drain(self) -> None:
        """Read the rest."""
        self._kept = []
        for _ in self._blocks:
            pass
