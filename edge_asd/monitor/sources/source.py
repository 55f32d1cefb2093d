"""What all sources of sound are to the monitor."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from edge_asd.audio.stream import Break, Pcm, Waiting

WAITING_SECONDS = 0.25
"""About so often a live source tells that it waits for sound."""


def _quiet(_: str) -> None:
    """Tell nobody."""


def _wide(_: int) -> None:
    """Find nothing missing."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a source's sound is wanted.

    Attributes
    ----------
    sample_rate : int, 1000 to 384000 [Hz]
        Sound of another rate is resampled.
    channel : int >= 0
        The one to listen to.
    gain : callable, optional
        Applied to each block, last of all.
    note : callable
        Called with what the user should know, from the thread that reads.
    narrow : callable
        Says what sound of a rate [Hz] lacks; None for nothing.
    """

    sample_rate: int = 16000
    channel: int = 0
    gain: Callable[[Pcm], Pcm] | None = None
    note: Callable[[str], None] = _quiet
    narrow: Callable[[int], str | None] = _wide

    def give(self, pcm: Pcm) -> Pcm:
        """Apply the gain."""
        return pcm if self.gain is None else self.gain(pcm)


class Source(ABC):
    """Sound from somewhere, inside a ``with`` statement.

    One thread reads; leaving the statement in any thread makes that reader's iteration end soon, and gives back all
    that the source holds.

    Parameters
    ----------
    name : str
        For reports.
    delivery : Delivery

    Attributes
    ----------
    name : str
    live : bool
        It goes on for good, at the clock's pace: what ends it is a fault, and is told as a `Break`.
    description : str
        What it is, for people; may become more precise once sound has come.
    lost_s : float >= 0 [s]
        Sound that came and was lost so far, because this computer was too busy.
    """

    live = False

    def __init__(self, name: str, delivery: Delivery) -> None:
        self.name, self.description, self.lost_s = name, name, 0.0
        self._delivery = delivery
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, within a second and from any thread."""
        self._stopped.set()

    @abstractmethod
    def sound(self) -> Iterator[Pcm | Break | Waiting]:
        """Give the sound once, until it ends or the source is left.

        Yields
        ------
        int16 [shape=(n,), n >= 1] or Break or Waiting
            Breaks where what is before does not belong to what comes after. `Waiting` about every quarter of a second
            in which a source of the world outside gave nothing.

        Raises
        ------
        DataError
            If there is nothing in it to be listened to; an AudioFormatError if it cannot be read.
        AudioDeviceError
            If a microphone cannot ever be used.
        DependencyError
            If a library is missing.
        """
