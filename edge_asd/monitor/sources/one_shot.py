"""The sources of the command that listens to one: to be replaced by the `Source` classes themselves."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from edge_asd.audio.stream import Break, Pcm, Waiting
from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.sources.narrow import narrow_text
from edge_asd.monitor.sources.source import Delivery

Note = Callable[[str], None]


def delivery_for(bundle: Bundle, channel: int, note: Note) -> Delivery:
    """Say how a bundle wants its sound."""
    narrow = partial(narrow_text, bundle=bundle)
    return Delivery(sample_rate=bundle.features.sample_rate, channel=channel, note=note, narrow=narrow)


def from_file(path: Path, bundle: Bundle, channel: int, note: Note) -> Iterator[Pcm]:
    """Read a file's channel."""
    from edge_asd.monitor.sources.files import FileSource

    return FileSource(str(path), delivery_for(bundle, channel, note), path).sound()


def from_standard_input(
    file: BinaryIO, bundle: Bundle, *, rate: int, channels: int, channel: int, note: Note
) -> Iterator[Pcm]:
    """Read raw little-endian int16 at `rate` [Hz], as it comes."""
    from edge_asd.monitor.sources.raw import RawSource

    with RawSource("stdin", delivery_for(bundle, channel, note), file, rate=rate, channels=channels) as source:
        yield from (item for item in source.sound() if not isinstance(item, Waiting))


def from_microphone(
    device: str | None, bundle: Bundle, section: str, channel: int, note: Note
) -> Generator[Pcm | Break]:
    """Listen to a microphone for good."""
    from edge_asd.monitor.sources.microphone import MicrophoneSource

    wanted = int(device) if device is not None and device.isdecimal() else device
    with MicrophoneSource("microphone", delivery_for(bundle, channel, note), wanted) as source:
        told = False
        for item in source.sound():
            if isinstance(item, Waiting):
                continue
            if not isinstance(item, Break) and not told:
                told = True
                note(
                    f"Listening to {source.description} for {bundle.machine}, section {section}. "
                    f"First decision after {bundle.score_seconds:.1f} s; Ctrl-C stops."
                )
            yield item
