"""The sound around each alarm, as a clip that is exact to the sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_asd.audio.stream import Pcm
from edge_asd.errors import OutputError
from edge_asd.files import printable
from edge_asd.monitor.alarms import Event, EventName
from edge_asd.monitor.records.clip_names import PART, clip_name
from edge_asd.monitor.records.clip_writer import ClipWriter, finish_leftovers
from edge_asd.monitor.records.origin import Origin
from edge_asd.monitor.records.pre_roll import PreRoll
from edge_asd.monitor.records.retention import DISK_FULL, Retention
from edge_asd.monitor.records.settings import RecordsSettings
from edge_asd.monitor.reports import Report, Sink

_LATE_S = 2  # an alarm may be told this long after its place was heard: a complete clip waits for it
_SPARE_S = 10  # of sound that is kept beside what lies before an alarm
_ENCODING_SPARE = 1 << 14  # bytes that FLAC of noise may take more than WAV, beside a hundredth


@dataclass(frozen=True, slots=True)
class ClipPlace:
    """Where an alarm is heard: sample `place` of the clip `name` is the first after the decision that raised it."""

    name: str
    place: int


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that has its end.

    Attributes
    ----------
    name : str
        Without the ending.
    origin : Origin
    place : int >= 0
        Of its first sample, in samples since the source's start.
    samples : int > 0
    missing : int >= 0
        Of them, those that were never heard; they are zeros.
    whole : bool
        It reaches as far as it should.
    """

    name: str
    origin: Origin
    place: int
    samples: int
    missing: int
    whole: bool


class Evidence(Sink):
    """Records a clip around each alarm, from the settings' `pre_s` before its place to `post_s` after it.

    Samples that were lost are zeros, so that time within a clip is true; they are counted. A source that falls silent
    for good ends its clip. An alarm within the clip of another draws that clip out, up to `longest_s`; behind that,
    the next alarm gets a clip of its own, and the first ends there. What is being recorded is written once a second,
    and opens whenever the monitor is killed; the next start gives it its name.

    Where there is no room, a clip ends where it is, which is told once; the next alarm tries again.

    Parameters
    ----------
    folder : Path
        Of the clips.
    settings : RecordsSettings
    note : callable
    retention : Retention, optional
    on_clip : callable, optional
        Called with each `Clip` that has its end.

    Raises
    ------
    OutputError
        If the folder cannot be made or read.
    """

    def __init__(
        self,
        folder: Path,
        settings: RecordsSettings,
        note: Callable[[str], None],
        *,
        retention: Retention | None = None,
        on_clip: Callable[[Clip], None] | None = None,
    ) -> None:
        self._folder, self._settings, self._note = folder, settings, note
        self._retention = retention or Retention(folder, settings)
        self._on_clip = on_clip
        self._ears: dict[str, _Ear] = {}
        self._cut = 0  # clips that lack sound since the disk had no room
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._retention.look()
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise OutputError(f"Cannot use {folder} for clips: {error.strerror}. Choose another folder.") from error
            self._tell_cut(error)
            return
        self._finish_leftovers()
        self._retention.remove_old()

    def begin(self, origin: Origin) -> None:
        """Learn of a source before its first sound, or that it starts anew."""
        if ear := self._ears.pop(origin.source, None):
            self._end(ear)
        self._ears[origin.source] = _Ear(origin, self._settings)

    def report(self, report: Report, /) -> None:
        """Begin a clip where this is an alarm."""
        self.alarm(report)

    def alarm(self, report: Report) -> ClipPlace | None:
        """Do what `report` does; return where the alarm is heard, if this is one and there is a clip."""
        what, ear = report.what, self._ears.get(report.source)
        if not isinstance(what, Event) or ear is None:
            return None
        if what.event is EventName.signal_lost:
            self._end(ear)
        if what.event is not EventName.alarm:
            return None
        place = round(what.time_s * ear.origin.rate)
        stop = place + round(self._settings.post_s * ear.origin.rate)
        clip = ear.clip
        if clip is not None and place <= clip.stop and stop <= clip.start + ear.longest:
            clip.stop = max(clip.stop, stop)
        else:
            self._end(ear)
            start = max(ear.memory.begin, place - ear.before)
            clip = self._open(ear, report, start, max(stop, start))
        if clip is None:
            return None
        self._feed(ear)
        if ear.clip is None and clip.writer.samples == 0:
            return None  # there was no room for its beginning
        return ClipPlace(clip.writer.stem, place - clip.start)

    def hear(self, source: str, place: int, pcm: Pcm, /) -> None:
        """Keep it, and write what a clip waits for."""
        ear = self._ears.get(source)
        if ear is None:
            return
        if place < ear.memory.end:
            self._end(ear)  # the source has started anew
        self._fill(ear, place)
        piece = ear.memory.capacity // 2
        for start in range(0, pcm.size, piece):
            ear.memory.hear(place + start, pcm[start : start + piece])
            self._feed(ear)

    def remove_old(self) -> None:
        """Remove clips that are older than they may be."""
        self._retention.remove_old()

    def close(self) -> None:
        """End the clips that are being recorded."""
        for ear in self._ears.values():
            self._end(ear)

    def _open(self, ear: _Ear, report: Report, start: int, stop: int) -> _Recording | None:
        stem = clip_name(report)
        self._retention.writing.add(stem)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)  # somebody may have cleaned up
            self._retention.look()
            self._retention.remove_old()
            if not self._retention.make_room(4096):  # an empty file's share
                raise _NoRoom
            writer = ClipWriter(self._folder, stem, ear.origin.rate)
        except OSError as error:
            self._retention.writing.discard(stem)
            self._tell_cut(error)
            return None
        self._retention.wrote(f"{stem}{PART}", writer.size)
        ear.clip = _Recording(writer, start, start, stop)
        return ear.clip

    def _feed(self, ear: _Ear, *, all_of_it: bool = False) -> None:
        """Write what was heard of the clip, a second at a time; end it where it is complete."""
        clip, memory = ear.clip, ear.memory
        if clip is None:
            return
        stop = min(clip.stop, memory.end)
        enough = stop == clip.stop or all_of_it or stop - clip.next >= ear.origin.rate
        if stop > clip.next and enough:
            missing = memory.missing(clip.next, stop)
            if not self._write(ear, memory.read(clip.next, stop), missing):
                return
        if memory.end >= clip.stop + _LATE_S * ear.origin.rate:
            self._finish(ear)

    def _fill(self, ear: _Ear, place: int) -> None:
        """Write zeros for what is missing before a place, however long that is."""
        if ear.clip is None or place <= ear.memory.end:
            return
        self._feed(ear, all_of_it=True)
        while (clip := ear.clip) is not None and clip.next < min(place, clip.stop):
            length = min(place, clip.stop, clip.next + ear.memory.capacity) - clip.next
            if not self._write(ear, np.zeros(length, np.int16), length):
                return

    def _write(self, ear: _Ear, pcm: Pcm, missing: int) -> bool:
        clip = ear.clip
        assert clip is not None
        try:
            if not self._retention.make_room(2 * pcm.size):
                raise _NoRoom
            clip.writer.write(pcm)
        except OSError as error:
            self._tell_cut(error)
            self._finish(ear)
            return False
        clip.next += pcm.size
        clip.missing += missing
        self._retention.wrote(f"{clip.writer.stem}{PART}", clip.writer.size)
        return True

    def _end(self, ear: _Ear) -> None:
        """End the clip where it is."""
        self._feed(ear, all_of_it=True)
        self._finish(ear)

    def _finish(self, ear: _Ear) -> None:
        clip, ear.clip = ear.clip, None
        if clip is None:
            return
        whole = clip.next == clip.stop
        writer, origin = clip.writer, ear.origin
        try:
            if writer.samples == 0:
                writer.drop()
                self._retention.wrote(f"{writer.stem}{PART}", None)
                return
            # Both forms are there for a moment.
            encodes = whole or not self._cut
            form = self._settings.format
            if form == "flac" and not (
                encodes and self._retention.make_room(writer.size + writer.size // 100 + _ENCODING_SPARE)
            ):
                form = "wav"
            path = writer.finish(form, _comment(origin, clip))
            self._retention.wrote(f"{writer.stem}{PART}", None)
            self._retention.wrote(path.name, path.stat().st_size)
        except OSError as error:
            self._tell_cut(error)
            return
        finally:
            self._retention.writing.discard(writer.stem)
        if whole and self._cut:
            self._note(f"Clips are recorded again; {self._cut} lack(s) sound.")
            self._cut = 0
        if self._on_clip is not None:
            self._on_clip(Clip(writer.stem, origin, clip.start, writer.samples, clip.missing, whole))

    def _tell_cut(self, error: OSError) -> None:
        self._cut += 1
        if self._cut == 1:
            why = error.strerror or "the bounds of bytes and of free space allow no more"
            self._note(
                f"Clips of alarms cannot be recorded in {self._folder} now: {why}. Monitoring goes on, and the next "
                "alarm tries again. Free some space, or allow clips more."
            )

    def _finish_leftovers(self) -> None:
        try:
            paths = finish_leftovers(self._folder, self._settings.format)
            self._retention.look()
        except OSError as error:
            self._note(f"Clips that an earlier run left unfinished in {self._folder} stay so: {error.strerror}.")
            return
        if paths:
            self._note(f"{len(paths)} clip(s) of an earlier run that was killed lack their end.")


class _NoRoom(OSError):
    pass


@dataclass(slots=True)
class _Recording:
    writer: ClipWriter
    start: int  # all of them places
    next: int
    stop: int
    missing: int = 0


class _Ear:
    """What is kept of a source."""

    def __init__(self, origin: Origin, settings: RecordsSettings) -> None:
        self.origin = origin
        self.before = round(settings.pre_s * origin.rate)
        self.longest = round(settings.longest_s * origin.rate)
        self.memory = PreRoll(self.before + _SPARE_S * origin.rate)
        self.clip: _Recording | None = None


def _comment(origin: Origin, clip: _Recording) -> str:
    values: Iterable[tuple[str, object]] = (
        ("source", origin.source),
        ("section", origin.section),
        ("first sample", clip.start),
        ("samples missing, here zeros", clip.missing),
    )
    return printable("edge-asd: " + ", ".join(f"{name} {value}" for name, value in values)).replace("\0", "")
