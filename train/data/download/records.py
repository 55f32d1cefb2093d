"""Where the public sets lie: Zenodo records by year and part, and the files that a record's JSON lists.

Record numbers of 2021 and of MIMII DUE are those of the challenge's and the paper's pages; those of 2020 and of 2022 to
2026 are in the downloads of the challenge's baseline (nttcslab/dcase2023_task2_baseline_ae), but for the last, which is
the record's own page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from edge_asd.errors import DownloadError
from edge_asd.strict_json import Json

PARTS = ("dev", "eval-train", "eval-test")
"""Parts of each year's set, in the order in which they were published."""

MIMII_DUE = "mimii-due"
"""The part of 2021 that is the record of MIMII DUE itself: five of the seven machines."""

RECORDS: dict[int, dict[str, int]] = {
    2020: {"dev": 3678171, "eval-train": 3727685, "eval-test": 3841772},
    2021: {"dev": 4562016, "eval-train": 4660992, "eval-test": 4884786, MIMII_DUE: 4740355},
    2022: {"dev": 6355122, "eval-train": 6462969, "eval-test": 6586456},
    2023: {"dev": 7882613, "eval-train": 7830345, "eval-test": 7860847},
    2024: {"dev": 10902294, "eval-train": 11259435, "eval-test": 11363076},
    2025: {"dev": 15097779, "eval-train": 15392814, "eval-test": 15519362},
    2026: {"dev": 19336329, "eval-train": 20151556, "eval-test": 20437238},
}
"""Zenodo record of each year and part."""

LARGEST_DOCUMENT = 4 << 20
"""Bytes of a record's JSON; Zenodo's have some ten thousand."""

_MOST_FILES = 1000
_LARGEST_FILE = 1 << 40  # bytes
_LONGEST_NAME = 200
_UNSAFE = re.compile(r"[/\\:]|^[.\s-]|[.\s]$")


@dataclass(frozen=True, slots=True)
class RecordFile:
    """An archive of a record.

    Attributes
    ----------
    name : str
        A plain file name that ends in .zip.
    size : int > 0 [bytes]
    md5 : str
        32 hexadecimal digits.
    """

    name: str
    size: int
    md5: str


def parse_record(document: Json, record: int, where: str) -> list[RecordFile]:
    """Read which archives a record holds.

    Zenodo's present form is read (``files[].key, size, checksum``), that of its older interface (``files[].filename,
    filesize, checksum``) and InvenioRDM's own (``files.entries``). Links in it are not followed: where a file lies
    follows from record and name, so that no document can send the download elsewhere.

    Parameters
    ----------
    document : dict
        Zenodo's JSON.
    record : int
        The record that it should be of.
    where : str
        What messages call the document.

    Raises
    ------
    DownloadError
        If the document is of another record, or lists what cannot be right.
    """
    number = document.get("id")
    if number is not None and str(number) != str(record):
        raise DownloadError(f"{where} is of the record {number!r:.40}, not of {record}. Check --base-url.")
    files = document.get("files")
    if isinstance(files, dict) and isinstance(files.get("entries"), dict):
        files = list(files["entries"].values())
    if not isinstance(files, list) or not files:
        raise DownloadError(f"{where} lists no files. The record may be restricted, or this is no Zenodo: --base-url.")
    if len(files) > _MOST_FILES:
        raise DownloadError(
            f"{where} lists {len(files):,} files, more than any of these records has. Check --base-url."
        )
    archives = [_archive(entry, where) for entry in files if _is_archive(entry, where)]
    if not archives:
        raise DownloadError(f"{where} lists no .zip archive. Check --base-url.")
    names = [archive.name.casefold() for archive in archives]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DownloadError(f"{where} lists {twice!r} twice. Check --base-url.")
    return archives


def _is_archive(entry: Any, where: str) -> bool:
    if not isinstance(entry, dict):
        raise DownloadError(f"{where} lists a file that is no object: {entry!r:.60}. Check --base-url.")
    name = _first(entry, "key", "filename")
    if not isinstance(name, str):
        raise DownloadError(f"{where} lists a file without a name. Check --base-url.")
    return name.lower().endswith(".zip")


def _archive(entry: Json, where: str) -> RecordFile:
    name, size, checksum = _first(entry, "key", "filename"), _first(entry, "size", "filesize"), entry.get("checksum")
    if len(name.encode(errors="replace")) > _LONGEST_NAME or not name.isprintable() or _UNSAFE.search(name):
        raise DownloadError(f"{where} lists an archive of the unsafe name {name!r:.80}. It was refused.")
    if type(size) is not int or not 0 < size <= _LARGEST_FILE:
        raise DownloadError(f"{where} gives {name} the size {size!r:.40}. It was refused.")
    match = re.fullmatch("(?:md5:)?([0-9a-fA-F]{32})", checksum) if isinstance(checksum, str) else None
    if match is None:
        raise DownloadError(f"{where} gives {name} no MD5 checksum, so it cannot be checked. It was refused.")
    return RecordFile(name, size, match[1].lower())


def _first(entry: Json, *keys: str) -> Any:
    return next((entry[key] for key in keys if key in entry), None)
