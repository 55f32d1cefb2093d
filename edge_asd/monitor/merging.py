"""Several sources at once, each read by a thread of its own, given one item at a time in turn."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Protocol

from edge_asd.audio.stream import Break, Pcm, Waiting
from edge_asd.errors import EdgeAsdError

Item = Pcm | Break | Waiting

_IN_FLIGHT = 8  # items of one source that may wait to be scored: none keeps the others from their turn
_RETRY_S = 10.0
_WAITING_S = 0.25


class Sound(Protocol):
    """What is read: a source, open."""

    name: str
    live: bool

    def sound(self) -> Iterator[Item]:
        """Give the sound as it comes, and the places where it broke."""


class Ended:
    """A source that has no more; with what ended it too early, if anything did."""

    __slots__ = ("error",)

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error


def alone(source: Sound) -> Iterator[tuple[str, Item | Ended]]:
    """Give the items of one source with its name, without a thread; an interrupt passes through."""
    try:
        for item in source.sound():
            yield source.name, item
    except EdgeAsdError as error:
        yield source.name, Ended(error)
        return
    yield source.name, Ended()


class Merged:
    """The items of several sources with the sources' names, until all have ended.

    What a live source raises is a lost signal: it is read again after ten seconds, and the others go on. What a file
    raises is given with `Ended`.
    """

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[tuple[_Reader, Item | Ended]] = queue.SimpleQueue()
        self._readers: dict[str, _Reader] = {}

    def add(self, source: Sound, rate: int) -> None:
        """Begin to read a source, whose name no other has.

        Parameters
        ----------
        source : Sound
        rate : int > 0 [Hz]
            Of its samples.
        """
        reader = self._readers[source.name] = _Reader(source, rate, self._items)
        reader.start()

    def remove(self, name: str) -> None:
        """Give nothing more of a source; close it afterwards, so that its thread ends."""
        reader = self._readers.pop(name, None)
        if reader is not None:
            reader.ending.set()

    def items(self) -> Iterator[tuple[str, Item | Ended]]:
        """Give what comes."""
        try:
            while self._readers:
                reader, item = self._items.get()
                name = reader.source.name
                if self._readers.get(name) is reader:  # neither removed nor replaced
                    if isinstance(item, Ended):
                        del self._readers[name]
                    yield name, item
                reader.room.release()
        finally:
            for name in list(self._readers):
                self.remove(name)


class _Reader(threading.Thread):
    """Reads one source."""

    def __init__(self, source: Sound, rate: int, items: queue.SimpleQueue[tuple[_Reader, Item | Ended]]) -> None:
        super().__init__(name=f"source {source.name}", daemon=True)
        self.source, self.ending = source, threading.Event()
        self.room = threading.Semaphore(_IN_FLIGHT)
        self._rate, self._items = rate, items
        self._lost: float | None = None

    def run(self) -> None:
        """Read until the end, or until nobody wants more."""
        while True:
            try:
                for item in self.source.sound():
                    self._pass_on(item)
                    if self.ending.is_set():
                        return
            except Exception as error:  # of whatever kind: the others shall go on
                if not self.source.live:
                    self._give(Ended(error))
                    return
                self._failed(error)
            else:
                self._give(Ended())
                return
            until = time.monotonic() + _RETRY_S
            while time.monotonic() < until:
                if self.ending.wait(_WAITING_S):
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
            if self.ending.is_set():
                return
        self._items.put((self, item))
