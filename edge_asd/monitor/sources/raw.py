"""Raw sound on standard input as a source."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from edge_asd.audio.raw import READ_BYTES, RawDecoder
from edge_asd.audio.stream import Pcm, Waiting
from edge_asd.errors import AudioFormatError
from edge_asd.monitor.sources.source import WAITING_SECONDS, Delivery, Source
from edge_asd.monitor.sources.waiting import Waiter


class RawSource(Source):
    """Little-endian int16 from a pipe or an open file, as it comes, until its end.

    Who cannot keep up makes the program that writes wait: nothing is lost.

    Parameters
    ----------
    name : str
    delivery : Delivery
    file : binary file
        With a descriptor, such as `sys.stdin.buffer`. It is not closed.
    rate : int, 1000 to 384000 [Hz]
        Rate of the bytes.
    channels : int, 1 to 256
        Interleaved channels in the bytes.

    Raises
    ------
    AudioFormatError
        At once if a number is out of range, and while it is read: `edge_asd.audio.raw.RawDecoder`.
    """

    def __init__(self, name: str, delivery: Delivery, file: BinaryIO, *, rate: int, channels: int = 1) -> None:
        super().__init__(name, delivery)
        self._decoder = RawDecoder(
            source_rate=rate, sample_rate=delivery.sample_rate, channels=channels, channel=delivery.channel
        )
        self._file, self._rate = file, rate
        self._waiter = Waiter()
        self._lock = threading.Lock()  # of the waiter, while it is used or closed

    def __exit__(self, *_: object) -> None:
        """End it; a reader that waits stops to."""
        self._stopped.set()
        self._waiter.wake()
        with self._lock:
            self._waiter.close()

    def sound(self) -> Iterator[Pcm | Waiting]:
        """Give the sound; see `Source.sound`."""
        if narrow := self._delivery.narrow(self._rate):
            self._delivery.note(narrow)
        while data := self._read():
            if isinstance(data, Waiting):
                yield data
            elif (pcm := self._decoder.push(data)).size:
                yield self._delivery.give(pcm)
        if self._stopped.is_set():
            return
        if (pcm := self._decoder.finish()).size:
            yield self._delivery.give(pcm)
        self._decoder.check()

    def _read(self) -> bytes | Waiting:
        """Read what is there, or b"" at the end."""
        with self._lock:
            try:
                descriptor = self._file.fileno()
                if self._waiter.wait([descriptor], WAITING_SECONDS):
                    with suppress(BlockingIOError):  # another program took it
                        return os.read(descriptor, READ_BYTES)
            except (OSError, ValueError) as error:  # a terminal that was hung up, a closed file
                raise AudioFormatError(f"The raw sound of {self.name} cannot be read: {error}.") from error
            return b"" if self._stopped.is_set() else Waiting()
