"""Recordings of any length, rate and name, cut into the clips of a user's own set.

A recording is read twice: once to find out whether it is whole, where it is dead, and whether it was imported before;
then to cut it. So a broken file gives no clips, and one that changes in between loses those that it gave.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_asd.audio.health import Stretch, clipping_text, dead_advice, has_line, stretch_text
from edge_asd.audio.importing.advice import notes_at_the_end, notes_on_file, notes_on_names, why_no_clip
from edge_asd.audio.importing.cutting import CHANGED, Cut, Cuts, between, cut
from edge_asd.audio.importing.report import FileReport, ImportReport
from edge_asd.audio.importing.search import check_names, find_recordings
from edge_asd.audio.recording_stream import RecordingStream
from edge_asd.audio.sound_header import LONGEST_HOURS
from edge_asd.audio.stream import Pcm
from edge_asd.audio.survey import Survey
from edge_asd.clips import ClipName
from edge_asd.errors import AudioFormatError, DataError
from edge_asd.files import printable
from edge_asd.own_set import RATE, ClipWriter, OwnSet
from edge_asd.own_set.ledger import ImportedClip, Ledger

_BEGINNING = 5 * RATE  # so much of two recordings is the same in copies alone
_MEGABYTE = 1_000_000

Progress = Callable[[str, int, int, str], None]
"""Called with (what, done, all, file)."""


class _Surveyed(NamedTuple):
    sound: str  # hash
    begin: str  # hash of the first seconds; "" where they tell nothing
    samples: int
    dead: list[Stretch]
    why_dead: str  # where there is nothing else


class Importer:
    """Imports recordings into a user's own set.

    Parameters
    ----------
    own : OwnSet
        Where the clips go, and what they are.
    cuts : Cuts
    again : bool
        Import recordings that were imported before, too.
    dry_run : bool
        Find out all, and write nothing.
    progress : callable, optional
        See `Progress`.

    Attributes
    ----------
    report : ImportReport
        What was done so far, whatever ended it.
    """

    def __init__(
        self,
        own: OwnSet,
        cuts: Cuts,
        *,
        again: bool = False,
        dry_run: bool = False,
        progress: Progress = lambda *_: None,
    ) -> None:
        self.own, self._cuts = own, cuts
        self._length, self._overlap = round(cuts.clip_seconds * RATE), round(cuts.overlap * RATE)
        self._again, self._dry_run, self._progress = again, dry_run, progress
        self._writer = ClipWriter(own, made_by="edge-asd data import", dry_run=dry_run)
        self._ledger = Ledger(own.folder)
        self._held = ExitStack()
        self._holds = False
        self._short: list[int] = []
        self._begins: dict[str, str] = {}
        self._sounds: dict[str, str] = {}  # of this run, and their files
        self._bytes, self._done, self._all = 0, 0, 0
        self.report = ImportReport(own, self._length, dry_run)

    def run(self, paths: Sequence[Path]) -> None:
        """Import files, and all recordings in and below folders.

        What is written when this ends, for whatever reason, is whole; the same call goes on from there.

        Raises
        ------
        DataError
            If there is no recording, one is anomalous by its name and the label is normal, one lies in the set
            itself, or the machine's folder is not a user's own.
        OutputError
            If the set cannot be written.
        """
        found = find_recordings(paths)
        self.report.notes += found.notes()
        for place, why in found.unreadable:
            self.report.skip(place, why)
        if not found.files and not found.unreadable:
            raise DataError(
                " ".join(["There is no sound file.", *self.report.notes, "Give recordings, or their folder."])
            )
        check_names(paths, found.files, self.own.label)
        self._refuse_own(found.files)
        for text in notes_on_names(found.files, self.own):
            self.report.note(text)
        self._all = sum(_size(file) for file in found.files)
        with self._held:
            for file in found.files:
                self._bytes = _size(file)
                try:
                    self._one(file)
                except AudioFormatError as error:
                    self.report.skip(file, _without(str(error), file))
                self._done += self._bytes
        for text in notes_at_the_end(self.report, self._short, self._cuts):
            self.report.note(text)

    def _one(self, path: Path) -> None:
        cuts, report = self._cuts, self.report
        with RecordingStream(path, sample_rate=RATE, channel=cuts.channel, longest=LONGEST_HOURS * 3600) as stream:
            found = self._survey(path, stream)
            file = FileReport(printable(str(path)), stream.header.sample_rate, stream.header.channels, found.samples)
            report.files.append(file)
            start, stop = round(cuts.skip * RATE), found.samples - round(cuts.skip_end * RATE)
            runs = between(found.dead, start, stop)
            try:
                if not any(run.size >= self._length for run in runs):
                    usable = max(0, stop - start)
                    report.skip(path, found.why_dead or why_no_clip(found.samples, usable, found.dead, cuts))
                    if not found.why_dead and usable < self._length:
                        self._short.append(usable)
                        file.account("too_short")
                    file.account("dead")
                    return
                self._hold()
                before = self._before(path, file, found)
                if before is None:
                    file.account("imported_before")
                    return
                file.account("skipped", min(found.samples, start) + max(0, found.samples - max(stop, start)))
                for stretch in found.dead:
                    part = Stretch(max(start, stretch.start), min(stop, stretch.stop))
                    if part.size > 0:
                        file.account("dead", part.size)
                        report.skip(path, stretch_text(part, RATE), part)
                self._cut(path, stream, file, found, runs, before)
            finally:
                file.account("remainder")
            for text in notes_on_file(printable(path.name), stream.header, cuts.channel):
                report.note(text)

    def _survey(self, path: Path, stream: RecordingStream) -> _Surveyed:
        survey, sound = Survey(RATE), hashlib.sha256()
        first: list[Pcm] = []
        for block in self._shown(path, stream, 0):
            if survey.size < _BEGINNING + RATE:
                first.append(block)
            survey.push(block)
            sound.update(block.astype("<i2").tobytes())
        text = ""
        if survey.silent:
            text = dead_advice(survey.dead_place(), self._cuts.channel, stream.sounding_channels())
        return _Surveyed(sound.hexdigest(), _begin(np.concatenate(first)), survey.size, survey.dead, text)

    def _shown(self, path: Path, stream: RecordingStream, turn: int) -> Iterator[Pcm]:
        """Give a pass over a recording, and show how far it is."""
        expected = (stream.header.frames or 0) * RATE / stream.header.sample_rate
        for block in stream.blocks():
            share = (min(1.0, stream.samples / expected) if expected else 0.5) / 2 + turn / 2
            done = self._done + share * self._bytes
            self._progress(
                "importing", int(done / _MEGABYTE), -(-self._all // _MEGABYTE), f"MB, {printable(path.name)}"
            )
            yield block

    def _hold(self) -> None:
        """Read the ledger, once, and keep other imports waiting until this one ends."""
        if self._holds:
            return
        self._holds = True
        if self._dry_run:
            self._ledger.read()
            return
        self._writer.prepare()
        self._held.enter_context(
            self._ledger.held(lambda: self._progress(f"waiting for another import into {self.own.folder}", 0, 0, ""))
        )

    def _before(self, path: Path, file: FileReport, found: _Surveyed) -> list[ImportedClip] | None:
        """Find the clips that this sound gave before, to go on behind them; None where there is nothing to do."""
        if twin := self._sounds.get(found.sound):
            self.report.skip(path, f"has the same sound as {twin}.")
            return None
        self._sounds[found.sound] = file.file
        known = self._ledger.recordings.get(found.sound)
        alike = self._begins_as(file, found)
        if self._again:
            if known is not None or alike:
                self.report.note(
                    f"{file.file} or a part of it was imported before, and clips of that are still there: the set has "
                    "this sound twice now. Unless that is wanted, remove the older ones."
                )
            return []
        if known is None:
            if not alike:
                return []
            self.report.skip(
                path,
                f"begins with the same sound as {alike}, which was imported before: it is a longer or a shorter copy. "
                "Give the new part alone, or --again to import all of it.",
            )
            return None
        there = list(known.clips)
        # A process was killed, or the power went, before they were on the disk.
        while there and not (self.own.folder / there[-1].path).exists():
            there.pop()
        file.clips_before = len(there)
        if not there:
            return []
        foreign = self._foreign(there[-1])
        if known.done or foreign:
            name = "" if known.file == printable(path.name) else f" as {known.file}"
            self.report.skip(
                path, f"was imported before{name} ({len(there)} clips{foreign}). Give --again to import it again."
            )
            return None
        self.report.note(
            f"Went on with {printable(path.name)} at {there[-1].stop / RATE:.2f} s, where an import was stopped."
        )
        file.account("imported_before", _covered(there))
        return there

    def _begins_as(self, file: FileReport, found: _Surveyed) -> str | None:
        """Find a recording that begins as this one does: it went on after that was imported, or was cut."""
        begins = {known.begin: known.file for known in self._ledger.recordings.values()} | self._begins
        self._begins.setdefault(found.begin, file.file)
        return begins.get(found.begin) if found.begin else None

    def _foreign(self, clip: ImportedClip) -> str:
        """Say what an earlier import took the sound for; "" where it is the same."""
        name = ClipName.parse(Path(clip.path).name)
        same = (name.section, name.domain, name.label) == (self.own.section, self.own.domain, self.own.label)
        return "" if same else f" of section {name.section}, {name.domain}, {name.label}"

    def _cut(
        self,
        path: Path,
        stream: RecordingStream,
        file: FileReport,
        found: _Surveyed,
        runs: Sequence[Stretch],
        before: Sequence[ImportedClip],
    ) -> None:
        sound = hashlib.sha256()
        ledger = self._ledger
        name = printable(path.name)
        if self._again and found.sound in ledger.recordings and not self._dry_run:
            ledger.note_end(found.sound, undone=True)

        def blocks() -> Iterator[Pcm]:
            for block in self._shown(path, stream, 1):
                sound.update(block.astype("<i2").tobytes())
                yield block

        def write(pcm: Pcm, place: Cut) -> None:
            def clip(at: Path) -> ImportedClip:
                return ImportedClip(at.relative_to(self.own.folder).as_posix(), *place.place)

            at = self._writer.write(
                pcm, split=place.split, announce=lambda at: ledger.note_clip(found.sound, found.begin, name, clip(at))
            )
            file.clips.append(clip(at))

        try:
            clipped = cut(
                blocks(),
                runs,
                self._length,
                self._overlap,
                next_split=self._writer.next_split,
                write=write,
                last=_as_cut(before[-1]) if before else None,
            )
            if sound.hexdigest() != found.sound:
                raise AudioFormatError(CHANGED)
        except AudioFormatError as error:
            self._take_back(file, found, name, before)
            raise AudioFormatError(f"{_without(str(error), path)} The clips that it gave were taken back.") from error
        finally:
            file.samples_out = _covered([*before, *file.clips]) - _covered(before)
        for place, share in clipped:
            file.account("clipped", place.size)
            self.report.skip(path, clipping_text(share), place)
        if not self._dry_run and found.sound in ledger.recordings:
            ledger.note_end(found.sound)

    def _take_back(self, file: FileReport, found: _Surveyed, name: str, before: Sequence[ImportedClip]) -> None:
        if not self._dry_run and file.clips:
            for clip in file.clips:
                (self.own.folder / clip.path).unlink(missing_ok=True)
            self._ledger.note_end(found.sound, undone=True)
            for clip in before:
                self._ledger.note_clip(found.sound, found.begin, name, clip)
        file.clips.clear()
        file.account("changed")

    def _refuse_own(self, files: Sequence[Path]) -> None:
        folder = self.own.folder.resolve()
        for file in files:
            if file.resolve().is_relative_to(folder):
                raise DataError(f"{printable(str(file))} lies in the set itself, {folder}. Give the recordings.")


def _begin(sound: Pcm) -> str:
    """Hash the beginning of a recording; "" where it is short, or starts as many do, with nothing."""
    if sound.size < _BEGINNING + RATE or has_line(sound[:_BEGINNING], RATE):  # the last samples depend on what follows
        return ""
    return hashlib.sha256(sound[:_BEGINNING].astype("<i2").tobytes()).hexdigest()[:16]


def _covered(clips: Sequence[ImportedClip]) -> int:
    """Count samples that are in clips, each once."""
    count, at = 0, 0
    for clip in clips:
        count += max(0, clip.stop - max(at, clip.start))
        at = max(at, clip.stop)
    return count


def _as_cut(clip: ImportedClip) -> Cut:
    return Cut(Stretch(clip.start, clip.stop), "train" if clip.path.startswith("train/") else "test")


def _size(path: Path) -> int:
    try:
        return max(1, path.stat().st_size)
    except OSError:  # gone meanwhile: it is told of when it is opened
        return 1


def _without(text: str, path: Path) -> str:
    """Take the path away that a message begins with: it is told beside it."""
    return text.removeprefix(f"{path} ").removeprefix(f"{str(path)!r} ")
