"""The hidden folder of a data set: what is not yet in place, records of what is, and archives that are kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from edge_asd.errors import OutputError
from edge_asd.train.data.download.archive_names import stem_and_revision
from edge_asd.train.data.download.placed import Placed, read_placed
from edge_asd.train.data.download.plan import Item
from edge_asd.train.data.download.records import RECORDS

NAME = ".edge-asd-download"


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """Its places.

    Attributes
    ----------
    root : Path
    """

    root: Path

    @property
    def mirror(self) -> Path:
        """Archives and what has come of them, laid out as a mirror is."""
        return self.root / "mirror"

    @property
    def placed(self) -> Path:
        """Records of what is in place (`edge_asd.train.data.download.placed`)."""
        return self.root / "placed"

    @property
    def unpacked(self) -> Path:
        """Files on their way from an archive to their place."""
        return self.root / "unpacked"

    def archive(self, item: Item) -> Path:
        """Return where an archive is fetched to."""
        return self.mirror / "records" / str(item.record) / "files" / item.file.name

    def document(self, record: int) -> Path:
        """Return where the list of a record's files is kept; it is there if archives of the record are kept."""
        return self.mirror / "api" / "records" / str(record)

    def come(self, item: Item) -> int:
        """Return how many bytes of an archive earlier runs have fetched; what is of another version of it goes."""
        path, there = self.archive(item), 0
        current = f"{path.name}.{item.file.md5}.part"
        for other in path.parent.iterdir():
            if other.name in (path.name, current):
                there = max(there, other.stat().st_size)
            elif other.name.startswith(f"{path.name}.") and other.name != f"{current}.etag":
                other.unlink()
        return min(there, item.file.size)

    def older(self, item: Item) -> list[Placed]:
        """Return what earlier revisions of an archive, or an earlier archive of its name, have placed."""
        stem, found = stem_and_revision(item.file.name)[0], []
        for path in self.placed.glob(f"{item.record}-*.zip.json"):
            name = path.name[len(f"{item.record}-") : -len(".json")]
            if stem_and_revision(name)[0] == stem and (one := read_placed(self.placed, item.record, name)) is not None:
                found.append(one)
        return found

    def other_years(self, year: int) -> dict[int, list[str]]:
        """Return the machines that were placed from the known records of other years, by year."""
        found: dict[int, set[str]] = {}
        for other, parts in RECORDS.items():
            for record in parts.values() if other != year else ():
                for path in self.placed.glob(f"{record}-*.zip.json"):
                    placed = read_placed(self.placed, record, path.name[len(f"{record}-") : -len(".json")])
                    if placed is not None:
                        found.setdefault(other, set()).update(name.split("/")[0] for name in placed.files)
        return {other: sorted(machines, key=str.casefold) for other, machines in sorted(found.items())}

    def tidy(self) -> None:
        """Remove folders that are empty."""
        for top, _, _ in os.walk(self.mirror, topdown=False):
            with suppress(OSError):
                os.rmdir(top)
        for folder in (self.unpacked, self.placed):
            with suppress(OSError):
                folder.rmdir()


def parts_in_place(out: Path, year: int) -> set[str]:
    """Return the parts of a year of which any archive was placed into a data set."""
    records = {path.name.split("-")[0] for path in WorkFolder(out / NAME).placed.glob("*.zip.json")}
    return {part for part, record in RECORDS[year].items() if str(record) in records}


@contextmanager
def alone(out: Path) -> Iterator[WorkFolder]:
    """Make the work folder of a data set, and refuse a second download into it; an empty one goes again.

    A system or a file system without locks goes without.

    Raises
    ------
    OutputError
        If another download into the data set is under way.
    """
    work = WorkFolder(out / NAME)
    work.root.mkdir(exist_ok=True)
    handle = os.open(work.root, os.O_RDONLY)
    try:
        with suppress(ImportError):
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputError(
                    f"Another download into {out} is under way. Wait until it ends, or choose another --out."
                ) from None
            except OSError:
                pass
        # Whoever held it has removed it meanwhile.
        if not work.root.exists() or not os.path.samestat(os.fstat(handle), work.root.stat()):
            raise OutputError(f"Another download into {out} has just ended. Try again.")
        if work.unpacked.is_dir():
            shutil.rmtree(work.unpacked, ignore_errors=True)
        yield work
    finally:
        with suppress(OSError):
            work.root.rmdir()
        os.close(handle)
