"""Events, minutes and clips on disk: what ``edge-asd events`` reads."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from edge_asd.audio.stream import Pcm
from edge_asd.errors import OutputError
from edge_asd.files import open_without_waiting
from edge_asd.monitor.alarms import Event
from edge_asd.monitor.records.database import CLIPS, NAME
from edge_asd.monitor.records.event_log import EventLog, stamp
from edge_asd.monitor.records.minutes import Minutes
from edge_asd.monitor.records.origin import Origin
from edge_asd.monitor.records.retention import DISK_FULL, Retention
from edge_asd.monitor.records.settings import RecordsSettings
from edge_asd.monitor.reports import Clock, Report, Sink, Status, now
from edge_asd.monitor.sinks.background import Background
from edge_asd.monitor.sinks.evidence import Clip, ClipPlace, Evidence

_LOCK = ".lock"
_LAG_S = 1  # a decision may be told this long after its sound was heard
_AGE_S = 600.0  # between two looks for clips that are too old


class Records(Sink):
    """Writes the database and the clips of a folder, on the caller's thread.

    `begin` makes a source known; what is told of others is left out.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    settings : RecordsSettings
    note : callable
        Told what the user should know of the disk.
    clock, monotonic : callable
        Tell the time.

    Raises
    ------
    OutputError
        If the folder cannot be written, or another monitor writes there. A full disk is only told: the monitor of a
        factory starts nevertheless.
    """

    def __init__(
        self,
        folder: Path,
        settings: RecordsSettings,
        note: Callable[[str], None],
        *,
        clock: Clock = now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._lock = _lock(folder)
        try:
            self._log = EventLog(folder / NAME, settings, note, clock=clock, monotonic=monotonic)
            self._evidence: Evidence | None = None
            if settings.clips:
                clips = folder / CLIPS
                retention = Retention(clips, settings, clock=clock, monotonic=monotonic)
                self._evidence = Evidence(clips, settings, note, retention=retention, on_clip=self._write_clip)
        except BaseException:
            self._lock.close()
            raise
        self._sources: dict[str, tuple[Origin, Minutes]] = {}
        self._look = monotonic() + _AGE_S

    def begin(self, origin: Origin) -> None:
        """Learn of a source before its first sound, or that it starts anew."""
        self._end(origin.source)
        self._log.begin(origin)
        self._sources[origin.source] = origin, Minutes(origin.rate)
        if self._evidence is not None:
            self._evidence.begin(origin)

    def report(self, report: Report, /) -> None:
        """Count a decision; write an event at once."""
        if report.source not in self._sources:
            return
        origin, minutes = self._sources[report.source]
        what = report.what
        place = round(what.time_s * origin.rate)
        self._log.add_minutes(origin, minutes.advance(place, report.time, report.state))
        if isinstance(what, Event):
            # The clip first: its name belongs into the event's row, wherever the sound is by then.
            clip = self._evidence.alarm(report) if self._evidence is not None else None
            self._write_event(origin, report, what, place, clip)
        else:
            minutes.count(what)
        self._tick()

    def hear(self, source: str, place: int, pcm: Pcm, /) -> None:
        """Keep it for clips."""
        if self._evidence is not None:
            self._evidence.hear(source, place, pcm)

    def status(self, status: Status, /) -> None:
        """Count how long the state held."""
        if status.source in self._sources:
            origin, minutes = self._sources[status.source]
            place = round((status.time_s - _LAG_S) * origin.rate)
            if place > 0:
                self._log.add_minutes(origin, minutes.advance(place, self._clock(), status.state))
        self._tick()

    def close(self) -> None:
        """Write what waits, end clips, and let others into the folder."""
        for source in list(self._sources):
            self._end(source)
        if self._evidence is not None:
            self._evidence.close()
        self._log.close()
        self._lock.close()

    def _end(self, source: str) -> None:
        if found := self._sources.pop(source, None):
            origin, minutes = found
            self._log.add_minutes(origin, minutes.finish())

    def _tick(self) -> None:
        self._log.tick()
        if self._evidence is not None and self._monotonic() >= self._look:
            self._look = self._monotonic() + _AGE_S
            self._evidence.remove_old()

    def _write_event(self, origin: Origin, report: Report, event: Event, place: int, clip: ClipPlace | None) -> None:
        self._log.add(
            "events",
            origin,
            (
                place,
                *stamp(report.time),
                event.section,
                event.event.value,
                report.state.value,
                event.score,
                event.threshold,
                event.duration_s,
                event.text,
                clip.name if clip else None,
                clip.place if clip else None,
            ),
        )
        self._log.commit()

    def _write_clip(self, clip: Clip) -> None:
        self._log.add("clips", clip.origin, (clip.name, clip.place, clip.samples, clip.missing, int(clip.whole)))


class LiveRecords(Background):
    """`Records` on a thread of their own, for what cannot wait."""

    def __init__(self, records: Records, note: Callable[[str], None], *, close_s: float = 0.8) -> None:
        super().__init__(records, note, close_s=close_s)
        self._records = records

    def begin(self, origin: Origin) -> None:
        """Learn of a source before its first sound, or that it starts anew."""
        self.call(lambda: self._records.begin(origin))


def open_records(
    folder: Path, settings: RecordsSettings, note: Callable[[str], None], *, live: bool = True
) -> Records | LiveRecords:
    """Open the folder that ``--records`` names. Call `begin` for each source, then use it as any sink.

    Parameters
    ----------
    folder : Path
    settings : RecordsSettings
    note : callable
        Told what the user should know of the disk; where `live`, from another thread, too.
    live : bool
        The sound does not wait for the disk. Of files nothing is left out if it does.

    Raises
    ------
    OutputError
        As `Records`.
    """
    records = Records(folder, settings, note)
    return LiveRecords(records, note) if live else records


def _lock(folder: Path) -> BinaryIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / _LOCK, "ab", opener=open_without_waiting)  # noqa: SIM115 (it is held)
        try:
            _hold(file, folder)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except BaseException:
            file.close()
            raise
    except OSError as error:
        if error.errno in DISK_FULL and folder.is_dir():
            return open(os.devnull, "rb")
        raise OutputError(f"Cannot write records into {folder}: {error.strerror}. Choose another --records.") from error
    return file


def _hold(file: BinaryIO, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(
            f"Another edge-asd monitor writes its records into {folder}. Stop it, or choose another --records."
        ) from None
    except OSError:
        return  # a file system without locks
