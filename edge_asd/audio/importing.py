"""Recordings of any length, rate and name, cut into the clips of a user's own set.

A recording is read twice: once to find out whether it is whole, where it is dead, and whether it was imported before;
then to cut it. So a broken file gives no clips, and one that changes in between loses those that it gave.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge_asd.audio.cutting import CHANGED, Cut, between, cut
from edge_asd.audio.health import Stretch, clipping_text, dead_advice, stretch_text
from edge_asd.audio.import_report import FileReport, ImportReport
from edge_asd.audio.recording_search import find_recordings, refuse_anomalies
from edge_asd.audio.recording_stream import RecordingStream
from edge_asd.audio.stream import Pcm
from edge_asd.audio.survey import Survey
from edge_asd.clips import ClipName
from edge_asd.errors import AudioFormatError, DataError
from edge_asd.files import printable
from edge_asd.own_set import RATE, ClipWriter, OwnSet
from edge_asd.own_set.ledger import ImportedClip, Ledger

LONGEST_HOURS = 100
"""Longest recording: a mistaken header goes beyond, a long week-end does not."""

SHORTEST_CLIP, LONGEST_CLIP = 2.0, 60.0
"""Bounds of a clip's length [s]."""

_PUBLISHED_SHORTEST = 6.0  # clips of 2026
_ALIKE = round(0.05 * RATE)
_MEGABYTE = 1_000_000

Progress = Callable[[str, int, int, str], None]
"""Called with (what, done, all, file)."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """How recordings are cut.

    Attributes
    ----------
    clip_seconds : float, 2 to 60 [s]
    overlap : float, 0 to below `clip_seconds` [s]
        Of neighbouring clips for training; clips for testing share nothing with others.
    skip, skip_end : float >= 0 [s]
        Left out at the start and the end of each recording.
    channel : int >= 0

    Raises
    ------
    DataError
        If the overlap leaves less than half a second from clip to clip, or a number is out of range.
    """

    clip_seconds: float = 10.0
    overlap: float = 0.0
    skip: float = 0.0
    skip_end: float = 0.0
    channel: int = 0

    def __post_init__(self) -> None:
        """Check them."""
        if not SHORTEST_CLIP <= self.clip_seconds <= LONGEST_CLIP:
            raise DataError(
                f"Clips of {self.clip_seconds:g} s are not made: give {SHORTEST_CLIP:g} to {LONGEST_CLIP:g} s."
            )
        if not 0 <= self.overlap <= self.clip_seconds - 0.5:
            raise DataError(
                f"An overlap of {self.overlap:g} s cannot be used with clips of {self.clip_seconds:g} s: give 0 to "
                f"{self.clip_seconds - 0.5:g} s."
            )
        if not 0 <= min(self.skip, self.skip_end) <= max(self.skip, self.skip_end) <= LONGEST_HOURS * 3600:
            raise DataError("The seconds to skip cannot be negative, nor more than a recording may last.")


class _Surveyed(NamedTuple):
    sound: str  # hash
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
        self._ledger = Ledger(own)
        self._held = ExitStack()
        self._holds = False
        self._short: list[int] = []
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
        if self.own.label == "normal":
            refuse_anomalies(paths, found.files)
        self._refuse_own(found.files)
        self._all = sum(_size(file) for file in found.files)
        with self._held:
            for file in found.files:
                self._bytes = _size(file)
                try:
                    self._one(file)
                except AudioFormatError as error:
                    self.report.skip(file, _without(str(error), file))
                self._done += self._bytes
        self._advise()

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
                    self._say_why(path, file, found, max(0, stop - start))
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
            self._notes_of(path, stream)

    def _survey(self, path: Path, stream: RecordingStream) -> _Surveyed:
        survey, sound = Survey(RATE), hashlib.sha256()
        for block in self._shown(path, stream, 0):
            survey.push(block)
            sound.update(block.astype("<i2").tobytes())
        text = ""
        if survey.silent:
            text = dead_advice(survey.dead_place(), self._cuts.channel, stream.sounding_channels())
        return _Surveyed(sound.hexdigest(), survey.size, survey.dead, text)

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

    def _say_why(self, path: Path, file: FileReport, found: _Surveyed, usable: int) -> None:
        """Tell of a recording that has no room for a clip."""
        clip = f"a clip of {self._cuts.clip_seconds:g} s"
        if found.why_dead:
            self.report.skip(path, found.why_dead)
            file.account("dead")
        elif usable < self._length:
            what = "lasts" if usable == found.samples else "leaves"
            self.report.skip(
                path, f"{what} {usable / RATE:.2f} s: {(self._length - usable) / RATE:.2f} s are missing for {clip}."
            )
            self._short.append(usable)
            file.account("too_short")
        else:
            self.report.skip(
                path,
                f"has no room for {clip}: it {stretch_text(found.dead[0], RATE)}, and in {len(found.dead) - 1} other "
                "places.",
            )
            file.account("dead")

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
        if known is None or self._again:
            return []
        there = list(known.clips)
        if not (self.own.folder / there[-1].path).exists():  # a process was killed before it was written
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
                pcm, split=place.split, announce=lambda at: ledger.note_clip(found.sound, name, clip(at))
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
            self._take_back(file, found.sound, name, before)
            raise AudioFormatError(f"{_without(str(error), path)} The clips that it gave were taken back.") from error
        finally:
            file.samples_out = _covered([*before, *file.clips]) - _covered(before)
        for place, share in clipped:
            file.account("clipped", place.size)
            self.report.skip(path, clipping_text(share), place)
        if not self._dry_run and found.sound in ledger.recordings:
            ledger.note_end(found.sound)

    def _take_back(self, file: FileReport, sound: str, name: str, before: Sequence[ImportedClip]) -> None:
        if not self._dry_run and file.clips:
            for clip in file.clips:
                (self.own.folder / clip.path).unlink(missing_ok=True)
            self._ledger.note_end(sound, undone=True)
            for clip in before:
                self._ledger.note_clip(sound, name, clip)
        file.clips.clear()
        file.account("changed")

    def _notes_of(self, path: Path, stream: RecordingStream) -> None:
        header = stream.header
        for text in header.notes:
            self.report.note(f"{printable(path.name)} {text}")
        if header.channels > 1:
            self.report.note(
                f"Channel {self._cuts.channel} was taken of files with {header.channels} channels; choose another with "
                "--channel."
            )
        if header.sample_rate < RATE:
            self.report.note(
                f"There are files with {header.sample_rate} Hz: nothing above {header.sample_rate // 2} Hz is in their "
                "clips. Train, calibrate and monitor with sound that was recorded in the same way."
            )

    def _refuse_own(self, files: Sequence[Path]) -> None:
        folder = self.own.folder.resolve()
        for file in files:
            if file.resolve().is_relative_to(folder):
                raise DataError(f"{printable(str(file))} lies in the set itself, {folder}. Give the recordings.")

    def _advise(self) -> None:
        """Name the length that all the recordings have which are too short."""
        report, short = self.report, self._short
        if self._overlap and self.own.label == "anomaly":
            report.note("Anomalous clips are for testing, and overlap nowhere.")
        if report.clips or len(short) < 2 or max(short) - min(short) > _ALIKE:
            return
        seconds = min(short) * 100 // RATE / 100
        if len(short) == len(report.files) and seconds >= _PUBLISHED_SHORTEST:
            report.note(f"All {len(short)} recordings last {seconds:g} s: --clip-seconds {seconds:g} takes them.")


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
