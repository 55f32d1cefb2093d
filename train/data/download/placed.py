"""What was placed from which archive: a small record, so that nothing is fetched twice when the archives have gone."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

from edge_asd.errors import DataError
from edge_asd.files import write_atomically
from edge_asd.strict_json import StrictReader, read_object

SCHEMA = 1

_LARGEST = 64 << 20  # bytes
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Placed:
    """An archive whose files are in the data set.

    Attributes
    ----------
    record : int
    archive : str
    md5 : str
    files : dict of str to (int, int)
        Size in bytes and CRC-32 of each file, by its path relative to the data set.
    """

    record: int
    archive: str
    md5: str
    files: dict[str, tuple[int, int]]

    def missing(self, data: Path) -> list[str]:
        """Return what is not there any more."""
        return [name for name in self.files if not (data / name).is_file()]

    def changed(self, data: Path) -> list[str]:
        """Return what is there with another size."""
        return [name for name, (size, _) in self.files.items() if _size(data / name) not in (None, size)]


def write_placed(folder: Path, placed: Placed) -> None:
    """Keep a record of what was placed."""
    document = {
        "schema": SCHEMA,
        "record": placed.record,
        "archive": placed.archive,
        "md5": placed.md5,
        "files": [[name, size, crc] for name, (size, crc) in sorted(placed.files.items())],
    }
    write_atomically(_path(folder, placed.record, placed.archive), json.dumps(document).encode())


def read_placed(folder: Path, record: int, archive: str) -> Placed | None:
    """Read the record of an archive; None where there is none, or none that can be read."""
    path = _path(folder, record, archive)
    try:
        if (document := read_object(path, DataError, _LARGEST)) is None:
            return None
        reader = StrictReader(document, str(path), DataError)
        reader.integer("schema", SCHEMA, SCHEMA)
        files = {}
        for row in reader.values("files", list):
            name, size, crc = row
            if not isinstance(name, str) or type(size) is not int or type(crc) is not int:
                return None
            if name.startswith("/") or ".." in name.split("/") or "\0" in name:
                return None
            files[name] = (size, crc)
        return Placed(reader.integer("record", 0, 2**53), reader.take("archive", str), reader.take("md5", str), files)
    except (DataError, ValueError):
        return None


def forget_placed(folder: Path, record: int, archive: str) -> None:
    """Remove the record of an archive."""
    _path(folder, record, archive).unlink(missing_ok=True)


def stamp(path: Path) -> tuple[int, int] | None:
    """Return size and CRC-32 of a file; None where there is no such regular file."""
    if not path.is_file():
        return None
    size = crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
    return size, crc


def _path(folder: Path, record: int, archive: str) -> Path:
    return folder / f"{record}-{archive}.json"


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
