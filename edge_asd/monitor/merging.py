"""Several sources at once, each read by a thread of its own, given one item at a time in turn."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from edge_asd.audio.stream import Break, Pcm, Waiting
from edge_asd.errors import EdgeAsdError

Item = Pcm | Break | Waiting

_IN_FLIGHT = 8  # items of one source that may wait to be scored: none keeps the others from their turn
_RETRY_S = 10.0
_WAITING_S = 0.5


class Sound(Protocol):
    """What is read: a source, open."""

    live: bool

    def sound(self) -> Iterator[Item]:
        """Give the sound as it comes, and the places where it broke."""


class Ended:
    """A source that has no more; with what ended it too early, if anything did."""

    __slots__ = ("error",)

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error


def merged(sources: Sequence[Sound], rates: Sequence[int]) -> Iterator[tuple[int, Item | Ended]]:
    """Give the items of all sources with the sources' numbers, until all have ended.

    Close the sources to end their threads. What a live source raises is a lost signal when there are several: it is
    read again after ten seconds, and the others go on. Of a single source, and of a file, it is given with `Ended`.

    Parameters
    ----------
    sources : sequence of Sound
    rates : sequence of int > 0 [Hz]
        Of their samples.

    Yields
    ------
    number, item
    """
    if len(sources) == 1:  # no thread: an interrupt passes through
        yield from _only(sources[0])
        return
    items: queue.SimpleQueue[tuple[int, Item | Ended]] = queue.SimpleQueue()
    stop = threading.Event()
    readers = [
        _Reader(number, source, rate, items, stop)
        for number, (source, rate) in enumerate(zip(sources, rates, strict=True))
    ]
    for reader in readers:
        reader.start()
    left = len(sources)
    try:
        while left:
            number, item = items.get()
            left -= isinstance(item, Ended)
            yield number, item
            readers[number].room.release()
    finally:
        stop.set()


def _only(source: Sound) -> Iterator[tuple[int, Item | Ended]]:
    try:
        for item in source.sound():
            yield 0, item
    except EdgeAsdError as error:
        yield 0, Ended(error)
        return
    yield 0, Ended()


class _Reader(threading.Thread):
    """Reads one source."""

    def __init__(
        self,
        number: int,
        source: Sound,
        rate: int,
        items: queue.SimpleQueue[tuple[int, Item | Ended]],
        stop: threading.Event,
    ) -> None:
        super().__init__(name=f"source {number}", daemon=True)
        self.room = threading.Semaphore(_IN_FLIGHT)
        self._number, self._source, self._rate, self._items, self._ending = number, source, rate, items, stop
        self._lost: float | None = None

    def run(self) -> None:
        """Read until the end, or until the others end, too."""
        while True:
            try:
                for item in self._source.sound():
                    self._pass_on(item)
                    if self._ending.is_set():
                        return
            except Exception as error:  # of whatever kind: the others shall go on
                if not self._source.live:
                    self._give(Ended(error))
                    return
                self._failed(error)
            else:
                self._give(Ended())
                return
            until = time.monotonic() + _RETRY_S
            while time.monotonic() < until:
                if self._ending.wait(_WAITING_S):
                    return
                self._give(Waiting())

    def _failed(self, error: Exception) -> None:
        if self._lost is None:
            self._lost = time.time()
            text = str(error) if isinstance(error, EdgeAsdError) else f"This source failed: {error!r}."
            self._give(Break("signal-lost", 0, 0.0, self._lost, text))

    def _pass_on(self, item: Item) -> None:
        if self._lost is not None and not isinstance(item, Waiting):
            if isinstance(item, Break) and item.event == "signal-lost":
                return  # as it is already
            seconds = max(0.0, time.time() - self._lost)
            self._lost = None
            self._give(Break("signal-back", round(seconds * self._rate), seconds, time.time(), ""))
            if isinstance(item, Break) and item.event == "signal-back":
                return
        self._give(item)

    def _give(self, item: Item | Ended) -> None:
        while not self.room.acquire(timeout=_WAITING_S):
            if self._ending.is_set():
                return
        self._items.put((self._number, item))
