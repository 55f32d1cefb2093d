"""Sound files as sources: one, or a folder of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from edge_asd.audio.health import clipping_text, dead_advice, other_channels
from edge_asd.audio.recording_stream import RecordingStream
from edge_asd.audio.sound_header import LONGEST_HOURS
from edge_asd.audio.stream import Break, Pcm, from_recording
from edge_asd.audio.survey import Survey
from edge_asd.clips import find_sounds
from edge_asd.errors import DataError
from edge_asd.monitor.sources.source import Delivery, Source

_BLOCK_SECONDS = 1  # large enough to be fast, small enough for others to have their turn
_KEPT_SAMPLES = 8 << 20  # 16 MB: nine minutes at 16 kHz


class FileSource(Source):
    """A sound file of any kind and rate, in little memory however long it is.

    It is looked through before its first sound is given, so that what is wrong with it is known before the first
    decision, and nothing is decided on a file that turns out to be silent or cut off. A long one is then read again.

    Parameters
    ----------
    name : str
    delivery : Delivery
    path : Path
    """

    def __init__(self, name: str, delivery: Delivery, path: Path) -> None:
        super().__init__(name, delivery)
        self.description = str(path)
        self._path = path

    def sound(self) -> Iterator[Pcm]:
        """Give the file's sound; see `Source.sound`."""
        return _heard(self._path, self._delivery, self._stopped, set())


class FolderSource(Source):
    """All sound files that lie in a folder, one after another by their names.

    Before the sound of each, the first too, stands a break that names it. One that cannot be used is passed over. What
    many files have in common is told of the first of them.

    Parameters
    ----------
    name : str
    delivery : Delivery
    path : Path

    Attributes
    ----------
    heard, passed_over : int >= 0
        Files so far.
    """

    def __init__(self, name: str, delivery: Delivery, path: Path) -> None:
        super().__init__(name, delivery)
        self.description = str(path)
        self.heard = self.passed_over = 0
        self._path = path
        self._told: set[str] = set()

    def sound(self) -> Iterator[Pcm | Break]:
        """Give the sound of all files; see `Source.sound`."""
        note = self._delivery.note
        if not self._path.is_dir():
            raise DataError(f"{self._path} is not a folder, or cannot be opened. Check the path.")
        try:
            found = find_sounds(self._path)
        except OSError as error:
            raise DataError(f"{self._path} cannot be read: {error.strerror or error}.") from error
        left_out = found.left_out()
        if not found.paths:
            raise DataError(f"{self._path} holds no sound files{f' ({left_out})' if left_out else ''}.")
        if left_out:
            note(f"In {self._path}, {left_out}.")
        for path in found.paths:
            try:
                yield from self._one(path)
            except DataError as error:
                self.passed_over += 1
                note(f"{error} It is passed over.")
            if self._stopped.is_set():
                return
        if not self.heard:
            raise DataError(f"None of the {len(found.paths)} sound files in {self._path} can be used.")
        if self.passed_over:
            note(f"{self.passed_over} of the {len(found.paths)} sound files in {self._path} were passed over.")

    def _one(self, path: Path) -> Iterator[Pcm | Break]:
        for number, block in enumerate(_heard(path, self._delivery, self._stopped, self._told)):
            if not number:
                yield Break("next-file", 0, 0.0, time.time(), str(path))
            yield block
        if not self._stopped.is_set():
            self.heard += 1


def _heard(path: Path, delivery: Delivery, stopped: Event, told: set[str]) -> Iterator[Pcm]:
    """Give a file's sound; tell of it what is not in `told`."""
    rate = delivery.sample_rate
    longest = LONGEST_HOURS * 3600
    with RecordingStream(path, sample_rate=rate, channel=delivery.channel, longest=longest) as stream:
        survey = Survey(rate)
        kept: list[Pcm] | None = []
        for block in stream.blocks():
            if stopped.is_set():
                return
            survey.push(block)
            if kept is not None:
                kept.append(block)
                kept = kept if survey.size <= _KEPT_SAMPLES else None
        for text in _notes(path, delivery, stream, survey):
            if text not in told:
                told.add(text)
                delivery.note(f"{path} {text}")
        for block in stream.blocks() if kept is None else kept:
            for piece in from_recording(block, _BLOCK_SECONDS * rate):
                if stopped.is_set():
                    return
                yield delivery.give(piece)


def _notes(path: Path, delivery: Delivery, stream: RecordingStream, survey: Survey) -> Iterator[str]:
    """Say what the user should know of a file, starting with a verb; refuse a silent one."""
    header = stream.header
    yield from header.notes
    if header.channels > 1:
        yield f"has {header.channels} channels; listening to channel {delivery.channel}."
    if header.sample_rate != delivery.sample_rate:
        narrow = delivery.narrow(header.sample_rate)
        yield f"has {header.sample_rate} Hz; resampled to {delivery.sample_rate} Hz." + (f" {narrow}" if narrow else "")
    dead, beyond = survey.dead_place(), stream.beyond
    others = stream.sounding_channels() if dead and header.channels > 1 else ()
    if survey.silent:
        raise DataError(f"{path} {dead_advice(dead, delivery.channel, others)}")
    if dead:
        yield f"{dead}: no decisions there." + (f" In it, {other_channels(others)}" if others else "")
    if clipped := clipping_text(survey.clipped_share(beyond)):
        yield f"{clipped} Scores of such sound mean little."
