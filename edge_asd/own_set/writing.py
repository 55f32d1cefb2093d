"""Writing clips into a user's own set, by several processes at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.clips import DUE_FOLDERS, SUFFIXES, ClipName, Split, find_sounds
from edge_asd.errors import DataError, OutputError
from edge_asd.files import UNFINISHED, creating, locked
from edge_asd.own_set.mark import MARK, MadeBy, is_own, mark_own
from edge_asd.own_set.naming import RATE, OwnSet
from edge_asd.wav_writing import write_wav_to

TEST_EVERY = 5
"""Of so many healthy clips of a section and domain, one is for testing."""

_TRIES = 100


class ClipWriter:
    """Adds clips to a user's own set: whole or not at all, and never in the place of another.

    Several writers, of several processes, may add to one machine at once.

    Parameters
    ----------
    own : OwnSet
        What the clips are, and where they go.
    made_by : str
        The command, for the mark of a new machine.
    dry_run : bool
        Number clips, but write nothing.

    Raises
    ------
    DataError
        If the machine's folder holds clips that are not marked as the user's own.
    """

    def __init__(self, own: OwnSet, *, made_by: MadeBy, dry_run: bool = False) -> None:
        self.own = own
        self._made_by, self._dry_run = made_by, dry_run
        self._seen: set[str] = set()
        self._last = -1
        self._healthy = {"train": 0, "test": 0}
        self._ready = False
        self._check()

    def prepare(self) -> None:
        """Make and mark the folders, which the first `write` does otherwise.

        Raises
        ------
        DataError
            If others have put clips there meanwhile that are not marked as the user's own.
        OutputError
            If they cannot be made.
        """
        if self._ready or self._dry_run:
            return
        folder = self.own.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not self._check():
                mark_own(folder, self._made_by)
            for name in DUE_FOLDERS:
                (folder / name).mkdir(exist_ok=True)
            with self.locked():
                # Nobody else writes clips now: these are of processes that were killed.
                for path in [path for name in DUE_FOLDERS for path in (folder / name).glob(f"{UNFINISHED}*")]:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"Cannot write into {folder}: {error.strerror or error}. Choose another --out."
            ) from error
        self._ready = True

    def next_split(self) -> Split:
        """Say where the next clip goes: every fifth healthy one, and every anomalous one, is for testing."""
        if self.own.label == "anomaly":
            return "test"
        self._look()
        due = (sum(self._healthy.values()) + 1) // TEST_EVERY
        return "test" if self._healthy["test"] < due else "train"

    def write(
        self,
        pcm: npt.NDArray[np.int16],
        *,
        split: Split | None = None,
        announce: Callable[[Path], None] = lambda path: None,
    ) -> Path:
        """Write the next clip.

        Parameters
        ----------
        pcm : int16 [shape=(n,), n >= 1]
            At `RATE`.
        split : {"train", "test"}, optional
            Where it goes, for who has asked `next_split` before; anomalous clips are for testing.
        announce : callable, optional
            Called with the clip's path just before it is there, while no other writer goes on. What it raises keeps
            the clip from being written.

        Returns
        -------
        path : Path
            Of the clip. A number is used once in a section and domain.

        Raises
        ------
        DataError, OutputError
            As `prepare`. No clip was written then.
        """
        if self.own.label == "anomaly" and split == "train":
            raise ValueError("an anomalous clip is never for training")
        if self._dry_run:
            path = self._next_path(split)
            self._take(path.name)
            return path
        self.prepare()
        with self.locked():
            for _ in range(_TRIES):  # once, but where the file system has no locks
                path = self._next_path(split)
                with suppress(FileExistsError):
                    with creating(path) as file:
                        write_wav_to(file, pcm, RATE)
                        announce(path)
                    self._take(path.name)
                    return path
        raise OutputError(f"Cannot write {path}: another program keeps writing there. Wait for it, and try again.")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers of this machine waiting; its folder must be there (`prepare`)."""
        with locked(self.own.folder / MARK):
            yield

    def _check(self) -> bool:
        """Tell whether the folder is marked; refuse it where it holds what is not the user's own."""
        root, folder = self.own.root, self.own.folder
        if any((root / name).is_dir() for name in DUE_FOLDERS):
            raise DataError(f"{root} is itself a machine's folder. Give the folder above it, {root.absolute().parent}.")
        if is_own(folder):
            return True
        try:
            below = [entry for entry in folder.iterdir() if entry.is_dir()] if folder.is_dir() else []
            sounds = find_sounds(folder, *below).paths
        except OSError as error:
            raise DataError(f"{folder} cannot be read: {error.strerror or error}.") from error
        if sounds and not is_own(folder):  # another writer may have marked it meanwhile
            raise DataError(
                f"{folder} holds sound files, such as {sounds[0].relative_to(folder)}, and is not marked as a set of "
                "your own: nothing is added to a data set such as MIMII DUE. Choose another --machine or --out."
            )
        return False

    def _next_path(self, split: Split | None) -> Path:
        self._look()
        return self.own.path(self._last + 1, split or self.next_split())

    def _look(self) -> None:
        """Take notice of the clips that are there."""
        for name in DUE_FOLDERS:
            with suppress(FileNotFoundError, NotADirectoryError):
                for file in set(os.listdir(self.own.folder / name)) - self._seen:
                    self._take(file)

    def _take(self, file: str) -> None:
        self._seen.add(file)
        if not file.lower().endswith(SUFFIXES):
            return
        with suppress(DataError):
            name = ClipName.parse(file)
            if (name.section, name.domain) == (self.own.section, self.own.domain):
                self._last = max(self._last, int(name.index))
                if name.label != "anomaly" and name.split:
                    self._healthy[name.split] += 1
