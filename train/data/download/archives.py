"""Reading an archive that may be hostile: every name and size is checked before anything is written, and counted again
while it is."""

from __future__ import annotations

import io
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edge_asd.errors import DataError
from edge_asd.train.data.download.retrying import Stopped

MOST_MEMBERS = 50_000
"""Entries of an archive; the largest of these sets have some ten thousand."""

_LARGEST_DIRECTORY = 8 << 20  # bytes
_MOST_RATIO, _FREE = 30, 1 << 26
"""Sound shrinks to a half or so; beyond the first 64 MiB, more than 30 bytes for one are no sound."""

_CHUNK = 1 << 18
_LONGEST_NAME = 255  # bytes, of each part: what file systems take
_LONGEST_PATH, _MOST_PARTS = 1024, 16  # clips lie three folders deep or so
_DRIVE = re.compile(r"[A-Za-z]:")


class RefusedArchiveError(DataError):
    """An archive that is damaged, was made to do harm, or is none of these sets."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive.

    Attributes
    ----------
    info : zipfile.ZipInfo
    parts : tuple of str
        Its name, taken apart at the slashes: none is empty, "." or "..".
    """

    info: zipfile.ZipInfo
    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name as one."""
        return "/".join(self.parts)


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, list[Member]]]:
    """Open an archive and give its files, once all of its entries have been found harmless.

    Raises
    ------
    RefusedArchiveError
        If it is no archive, is damaged, or any of its entries is refused.
    """
    with _Archive(path) as file:
        with _told(path.name):
            archive = zipfile.ZipFile(file)
            members = _checked(archive, path)
        with archive:
            yield archive, members


def unpack(archive: zipfile.ZipFile, member: Member, file: BinaryIO, where: str, go_on: Callable[[], bool]) -> None:
    """Write a member into a file, and check that it is as long as its entry says, with the checksum it says.

    Raises
    ------
    RefusedArchiveError
        If it is not.
    Stopped
        If `go_on` says no.
    """
    left = member.info.file_size
    with _told(where), archive.open(member.info) as source:
        while chunk := source.read(_CHUNK):
            if not go_on():
                raise Stopped
            left -= len(chunk)
            if left < 0:
                break
            file.write(chunk)
    if left:
        raise RefusedArchiveError(
            f"{where}: {member.name} has another length than its entry says. The archive was refused."
        )


class _Archive(io.FileIO):
    """A file that is not read in huge pieces, nor before its start: zipfile believes what a damaged directory says."""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except OSError as error:
            raise RefusedArchiveError(
                f"{Path(str(self.name)).name} is damaged: its directory leads out of it. It was refused."
            ) from error

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > _LARGEST_DIRECTORY:
            raise RefusedArchiveError(f"{Path(str(self.name)).name} has a directory of {size:,} bytes. It was refused.")
        return super().read(size) or b""


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Turn what zipfile raises on damaged archives into errors of ours."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise RefusedArchiveError(f"{where} is damaged: {error}. It was refused.") from error
    except (NotImplementedError, RuntimeError) as error:
        raise RefusedArchiveError(f"{where} cannot be unpacked: {error}. It was refused.") from error
    except (ValueError, OverflowError) as error:
        raise RefusedArchiveError(f"{where} is damaged or was made to do harm: {error}. It was refused.") from error


def _checked(archive: zipfile.ZipFile, path: Path) -> list[Member]:
    where, entries = path.name, archive.infolist()
    if len(entries) > MOST_MEMBERS:
        raise RefusedArchiveError(f"{where} has {len(entries):,} entries. It was refused.")
    members: list[Member] = []
    seen: set[str] = set()
    folders: set[str] = set()
    for info in entries:
        parts = _parts(info, where)
        if info.is_dir():
            continue
        _check_kind(info, where)
        key = alike("/".join(parts))
        if key in seen:
            raise RefusedArchiveError(
                f"{where} holds {info.filename!r:.120} twice, or two names that some computers take for one. Refused."
            )
        seen.add(key)
        above = key.split("/")[:-1]
        folders.update("/".join(above[: i + 1]) for i in range(len(above)))
        members.append(Member(info, parts))
    if both := seen & folders:
        raise RefusedArchiveError(f"{where} holds {min(both)!r:.120} as a file and as a folder. It was refused.")
    total, size = sum(member.info.file_size for member in members), os.path.getsize(path)
    if total > _FREE + _MOST_RATIO * size:
        raise RefusedArchiveError(
            f"{where} would unpack to {total:,} bytes, {total / size:.0f} times its size. No sound does; refused."
        )
    return members


def alike(name: str) -> str:
    """Return what two names share that some file system takes for one: other case, or another form of Unicode."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _parts(info: zipfile.ZipInfo, where: str) -> tuple[str, ...]:
    """Take an entry's name apart; refuse any that could lead out of the folder."""
    name: str = info.orig_filename  # as written: zipfile mends names
    parts = tuple(name.removesuffix("/").split("/"))
    what = None
    if "\\" in name:
        what = "with a backslash"
    elif name.startswith("/"):
        what = "from the root of the disk"
    elif _DRIVE.match(name):
        what = "with a drive's letter"
    elif not name.isprintable():
        what = "with characters that cannot be shown"
    elif any(part in ("", ".", "..") for part in parts):
        what = "that leads elsewhere"
    elif len(name.encode()) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in parts):
        what = "that is too long"
    elif len(parts) > _MOST_PARTS:
        what = f"in {len(parts) - 1:,} folders"
    if what is not None:
        raise RefusedArchiveError(
            f"{where} holds a name {what}: {name!r:.120}. It was refused, and nothing of it was kept."
        )
    return parts


def _check_kind(info: zipfile.ZipInfo, where: str) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    what = None
    if kind == stat.S_IFLNK:
        what = "a symbolic link"
    elif kind not in (0, stat.S_IFREG):
        what = "no regular file"
    elif info.flag_bits & 0x41:
        what = "encrypted"
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        what = f"compressed by method {info.compress_type}, which these sets do not use"
    elif info.compress_size > info.file_size + info.file_size // 8 + 1024:
        what = "larger packed than unpacked, so one of its lengths is wrong"
    if what is not None:
        raise RefusedArchiveError(
            f"{where}: {info.filename!r:.120} is {what}. It was refused, and nothing of it was kept."
        )
