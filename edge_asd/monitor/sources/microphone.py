"""A microphone as a source."""

from __future__ import annotations

from collections.abc import Iterator

from edge_asd.audio.capture import Capture
from edge_asd.audio.stream import Break, Pcm, Waiting
from edge_asd.monitor.sources.source import Delivery, Source


class MicrophoneSource(Source):
    """A microphone for good: it may come later, be unplugged and come back.

    Parameters
    ----------
    name : str
    delivery : Delivery
    device : str or int, optional
        Its name, a part of it, or its index; the default one without.
    """

    live = True

    def __init__(self, name: str, delivery: Delivery, device: str | int | None = None) -> None:
        super().__init__(name, delivery)
        self._capture = Capture(device, sample_rate=delivery.sample_rate, channel=delivery.channel)

    def __enter__(self) -> MicrophoneSource:
        """Begin to look for it, and to record."""
        self._capture.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop recording, within a second even where the sound server hangs."""
        super().__exit__()
        self._capture.__exit__()

    def sound(self) -> Iterator[Pcm | Break | Waiting]:
        """Give the sound; see `Source.sound`. The description is the device's once its first sound has come."""
        for item in self._capture.sound():
            self.description, self.lost_s = self._capture.description or self.name, self._capture.lost_seconds
            yield item if isinstance(item, Break | Waiting) else self._delivery.give(item)
