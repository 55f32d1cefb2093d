"""Which recordings were imported into a user's own machine, so that none is imported twice.

One JSON object per line, appended: for each clip the sound that it was cut from (a hash), the recording's name, and
where it was cut; and a line for each recording that is through. Who stopped in between goes on from there.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_asd.clips import DUE_FOLDERS, ClipName
from edge_asd.errors import DataError, OutputError
from edge_asd.files import locked, open_without_waiting
from edge_asd.own_set.mark import LEDGER
from edge_asd.strict_json import StrictReader, parse_object

_LONGEST_LINE = 65_536  # bytes
_END = 2**53


@dataclass(frozen=True, slots=True)
class ImportedClip:
    """A clip and where it came from.

    Attributes
    ----------
    path : str
        Below the machine's folder: "train/section_00_source_train_normal_0000.wav".
    start, stop : int [samples]
        Its place in the recording's sound, at the clips' rate.
    """

    path: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class SoundPlace:
    """Where a clip's sound is from.

    Attributes
    ----------
    recording : str
        A hash of the recording's beginning, which longer and shorter copies of it share; where that tells nothing, of
        all its sound.
    start, stop : int [samples]
    """

    recording: str
    start: int
    stop: int


@dataclass(slots=True)
class Imported:
    """What is known of a recording.

    Attributes
    ----------
    file : str
        Its name.
    begin : str
        A hash of its beginning; "" where that tells nothing.
    clips : list of ImportedClip
        In their order. The last ones may be missing, where a process was killed or the power went.
    done : bool
        It is through.
    """

    file: str
    begin: str
    clips: list[ImportedClip] = field(default_factory=list)
    done: bool = False


class Ledger:
    """The ledger of a machine.

    Parameters
    ----------
    folder : Path
        The machine's.

    Attributes
    ----------
    recordings : dict of str to Imported
        By the hash of their sound: those that have given clips of which some are still there.
    places : dict of str to SoundPlace
        Of every clip that was ever imported, by its path below the machine's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / LEDGER
        self.recordings: dict[str, Imported] = {}
        self.places: dict[str, SoundPlace] = {}
        self._sounds: dict[str, str] = {}  # of the clips' paths

    @contextmanager
    def held(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Read the ledger and keep other imports into this machine waiting; its folder must be there.

        Parameters
        ----------
        waiting : callable
            Called if another one has to end first.

        Raises
        ------
        DataError
            If it is damaged.
        OutputError
            If it cannot be written.
        """
        try:
            self._path.touch()
        except OSError as error:
            raise OutputError(f"Cannot write {self._path}: {error.strerror or error}.") from error
        with locked(self._path, waiting):
            self.read(mend=True)
            yield

    def read(self, *, mend: bool = False) -> None:
        """Read the ledger; where there is none, nothing was imported.

        Parameters
        ----------
        mend : bool
            Cut off a last line that a full disk or a killed process left unfinished.

        Raises
        ------
        DataError
            If it is damaged.
        """
        self.recordings.clear()
        self.places.clear()
        self._sounds.clear()
        try:
            with open(self._path, "rb", opener=open_without_waiting) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise DataError(f"{self._path} is not a file. Remove it.")
                number, end = 0, 0
                while line := file.readline(_LONGEST_LINE):
                    number += 1
                    if not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
                        if mend:
                            os.truncate(self._path, end)
                        break
                    self._take(StrictReader(self._parse(line, number), f"{self._path}, line {number}", DataError))
                    end += len(line)
        except FileNotFoundError:
            return
        except OSError as error:
            raise DataError(f"{self._path} cannot be read: {error.strerror or error}.") from error
        for sound, imported in list(self.recordings.items()):
            # What was imported and removed is no more.
            if not any((self._folder / clip.path).exists() for clip in imported.clips):
                del self.recordings[sound]

    def note_clip(self, sound: str, begin: str, file: str, clip: ImportedClip) -> None:
        """Say that a clip is about to be written.

        Raises
        ------
        OutputError
            If that cannot be written.
        """
        place = {"clip": clip.path, "start": clip.start, "stop": clip.stop}
        self._append({"sound": sound, "begin": begin, "file": file, **place})
        self._add(sound, begin, file, clip)

    def note_end(self, sound: str, *, undone: bool = False) -> None:
        """Say that a recording is through, or that its clips were taken back."""
        self._append({"sound": sound, "undone" if undone else "done": True})
        if undone:
            del self.recordings[sound]
        else:
            self.recordings[sound].done = True

    def _parse(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            return parse_object(line, "it", DataError)
        except DataError as error:
            raise DataError(
                f"{self._path} is damaged in line {number}. Move it away: recordings that were imported before are no "
                "longer recognised then."
            ) from error

    def _take(self, line: StrictReader) -> None:
        sound = line.take("sound", str)
        if "clip" in line.keys:
            begin, file, path = (line.take(key, str) for key in ("begin", "file", "clip"))
            start = line.integer("start", 0, _END)
            clip = ImportedClip(path, start, line.integer("stop", start + 1, _END))
            if not _is_clip(path):
                raise line.refusal(f"{path!r:.80} is not a clip of this machine")
            self._add(sound, begin, file, clip)
        elif "undone" in line.keys:
            line.take("undone", bool)
            self.recordings.pop(sound, None)
        else:
            line.take("done", bool)
            if sound in self.recordings:
                self.recordings[sound].done = True
        line.finish()

    def _add(self, sound: str, begin: str, file: str, clip: ImportedClip) -> None:
        """Take a clip; an earlier one at its path was noted, and never came to be there, or was removed."""
        before = self._sounds.get(clip.path)
        if before is not None and (known := self.recordings.get(before)) is not None:
            known.clips = [one for one in known.clips if one.path != clip.path]
        self._sounds[clip.path] = sound
        self.recordings.setdefault(sound, Imported(file, begin)).clips.append(clip)
        self.places[clip.path] = SoundPlace(begin or sound, clip.start, clip.stop)

    def _append(self, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode() + b"\n"
        before = None
        try:
            with open(self._path, "ab", buffering=0) as file:
                before = file.tell()
                if file.write(data) < len(data):
                    raise OSError("only a part of it was written: the disk is full")
                os.fsync(file.fileno())  # before the clip is there, so that none is without its line
        except OSError as error:
            if before is not None:
                with suppress(OSError):
                    os.truncate(self._path, before)
            raise OutputError(
                f"Cannot write {self._path}: {error.strerror or error}. Free some space, then go on."
            ) from error


def imported_places(folder: Path) -> dict[str, SoundPlace]:
    """Return where the sound of a machine's imported clips is from, by their paths below its folder.

    Raises
    ------
    DataError
        If the ledger is damaged.
    """
    ledger = Ledger(folder)
    ledger.read()
    return {path: place for path, place in ledger.places.items() if (folder / path).exists()}


def _is_clip(path: str) -> bool:
    folder, _, name = path.partition("/")
    with suppress(DataError):
        return folder in DUE_FOLDERS and bool(ClipName.parse(name))
    return False
