"""A few named files in one zip file, or in one folder: what a bundle is kept in.

Hostile until checked: names, number, sizes and compression of the entries are looked at before
anything is read, and nothing is ever extracted to the disk.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import IO

from edge_asd.errors import BundleError
from edge_asd.files import open_without_waiting, write_atomically

_MAX_DIRECTORY = 4096
"""Longest table of contents of a zip file [bytes]; a bundle's takes less than 300."""

_MAX_ENTRIES = 64

_END = struct.Struct("<4s4H2IH")  # of a zip file: signature, disks, entries, size and place of the directory, comment


def write_container(path: Path, files: Mapping[str, bytes]) -> None:
    """Write files as one zip, atomically; the same files give the same bytes.

    Raises
    ------
    OutputError
        If `path` cannot be written.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            archive.writestr(info, data, compress_type=zipfile.ZIP_DEFLATED)
    write_atomically(path, buffer.getvalue())


def read_container(path: Path, expected: Mapping[str, int]) -> dict[str, bytes]:
    """Read files of the names in `expected`; which of them a bundle must have, `check_names` tells later.

    Parameters
    ----------
    path : Path
    expected : mapping of name to int [bytes]
        The files that there may be, and how long each may be.

    Raises
    ------
    BundleError
        If `path` is neither a zip file nor a folder, or holds anything else, or too much.
    """
    try:
        if path.is_dir():
            return _read_folder(path, expected)
        if path.exists() and not path.is_file():
            raise BundleError("it is neither a file nor a folder.")
        return _read_zip(path, expected)
    except OSError as error:
        raise BundleError(
            f"it cannot be read ({error.strerror or error}). Check its path and permissions, or copy it again."
        ) from error


def _read_folder(path: Path, expected: Mapping[str, int]) -> dict[str, bytes]:
    with os.scandir(path) as entries:
        names = {entry.name for entry in islice(entries, _MAX_ENTRIES)}
    _check_known(names, expected)
    files = {}
    for name in names:
        entry = path / name
        if not entry.is_file() or entry.stat().st_size > expected[name]:
            raise BundleError(f"{name} is not a file of at most {expected[name] >> 20} MiB; this is not a bundle.")
        with open(entry, "rb", opener=open_without_waiting) as file:
            files[name] = file.read(expected[name])
    return files


def _read_zip(path: Path, expected: Mapping[str, int]) -> dict[str, bytes]:
    try:
        with open(path, "rb", opener=open_without_waiting) as file, _opened(file) as archive:
            entries = archive.infolist()
            if len({entry.filename for entry in entries}) != len(entries):
                raise BundleError("the zip file names an entry twice; it is not a bundle that edge-asd wrote.")
            _check_known({entry.filename for entry in entries}, expected)
            for entry in entries:
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise BundleError(f"{entry.filename} is compressed in another way than edge-asd does.")
                if entry.file_size > expected[entry.filename]:
                    raise BundleError(f"{entry.filename} claims {entry.file_size} bytes; this is not a bundle.")
            return {entry.filename: archive.read(entry) for entry in entries}
    except FileNotFoundError:
        raise BundleError(
            "there is no such bundle. Make one with: edge-asd quantize RUN --data DATA --out ..."
        ) from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BundleError(f"the file is damaged or no bundle ({error}). Copy it again, or quantise anew.") from error
    except OSError as error:
        raise BundleError(
            f"the file cannot be read ({error.strerror or error}). Check its permissions, or copy it again."
        ) from error
    except Exception as error:
        if type(error).__module__ == "zlib":  # zlib.error derives from Exception alone
            raise BundleError("the file is damaged (bad compressed data). Copy it again, or quantise anew.") from error
        raise


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    check_directory(file)
    return zipfile.ZipFile(file)


def check_directory(file: IO[bytes]) -> None:
    """Refuse a zip file whose table of contents is long, before `zipfile` reads all of it.

    Raises
    ------
    BundleError
        If it is longer than that of a few files, or in the form for large ones.
    """
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(max(0, size - _END.size - 2**16 - 20))
    tail = file.read()
    # Where zipfile looks: at the very end, or before a comment.
    place = len(tail) - _END.size
    if place < 0 or tail[place : place + 4] != b"PK\5\6" or tail[-2:] != b"\0\0":
        place = tail.rfind(b"PK\5\6")
    if place >= 0 and place + _END.size <= len(tail):
        *_, length, _start, _comment = _END.unpack_from(tail, place)
        if length > _MAX_DIRECTORY or tail[max(0, place - 20) :].startswith(b"PK\6\7"):
            raise BundleError("the zip file lists more than a bundle holds; it is not one that edge-asd wrote.")
    file.seek(0)


def check_names(names: Iterable[str], expected: Iterable[str]) -> None:
    """Refuse other files than exactly the expected ones.

    Raises
    ------
    BundleError
        If any is missing, or there is another.
    """
    if missing := sorted(set(expected) - set(names)):
        raise BundleError(f"{', '.join(missing)} missing; the bundle is incomplete. Copy it again, or quantise anew.")
    _check_known(names, expected)


def _check_known(names: Iterable[str], expected: Iterable[str]) -> None:
    if "run.json" in names:
        raise BundleError("this is a training run, not a bundle. Quantise it first: edge-asd quantize RUN ...")
    if extra := sorted(set(names) - set(expected)):
        raise BundleError(f"unexpected entry {extra[0]!r}; a bundle holds only {', '.join(sorted(expected))}.")
