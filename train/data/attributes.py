"""Attributes of clips, from the CSV files of DCASE Task 2 from 2022 on.

One file ``attributes_<NN>.csv`` for each section in the machine's folder: a header ``file_name,d1p,d1v,...``, and lines
``fan/train/section_00_source_train_normal_0000_m-n_W.wav,m-n,W``: names of attributes alternate with their
values. Machines whose attributes are not told have the column ``file_name`` alone, or `NO_ATTRIBUTES` in the others.

Sources: the task descriptions of DCASE 2022 and later; the files' lines as other readers of them print them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edge_asd.clips import NO_ATTRIBUTES, SPLITS, ClipName, as_wav
from edge_asd.errors import DataError
from edge_asd.train.data.clip_tables import csv_lines

_FILE = re.compile(r"attributes_(?P<section>[0-9]{2})\.csv")
_KIND = "a file of attributes"
_NAME_COLUMNS = ("file_name", "filename")


@dataclass(frozen=True, slots=True)
class Attributes:
    """What one file tells.

    Attributes
    ----------
    path : Path
    section : str
    rows : dict of str to tuple of (str, str)
        Names and values of attributes, by file name of the clip as a .wav (`edge_asd.clips.as_wav`).
    """

    path: Path
    section: str
    rows: dict[str, tuple[tuple[str, str], ...]]

    def misfits(self, files: Iterable[tuple[str, ClipName]]) -> tuple[list[str], list[str]]:
        """Compare the file with the clips that are there.

        Parameters
        ----------
        files : iterable of (str, ClipName)
            Names of a machine's clips that can be read, and what they say.

        Returns
        -------
        faults, notes : list of str
            They go on where the file's path ends. A note is what comes of archives that are not all here, or of
            evaluation clips that were given their labels; the clips that tell no domain are listed in no file.
        """
        here = {as_wav(file): name for file, name in files if name.section == self.section and name.domain}
        faults: list[str] = []
        notes: list[str] = []
        for split in SPLITS:
            listed = {name for name in self.rows if ClipName.parse(name).split == split}
            clips = {file for file, name in here.items() if name.split == split}
            told = faults if listed and clips else notes
            if absent := listed - clips:
                told.append(f"lists {_count(absent, split)} not here, such as {min(absent)}.")
            if unlisted := clips - listed:
                told.append(f"does not list {_count(unlisted, split)} here, such as {min(unlisted)}.")
        return faults, notes


def is_attributes_file(name: str) -> bool:
    """Tell whether a file is named as such a file."""
    return _FILE.fullmatch(name) is not None


def read_attributes(path: Path) -> Attributes:
    """Read one file.

    Raises
    ------
    DataError
        If it is not named as such a file, cannot be read as one, or lists a clip twice or one of another section.
    """
    match = _FILE.fullmatch(path.name)
    if match is None:
        raise DataError(f"{path} is not named as {_KIND}. Expected attributes_00.csv or such.")
    rows: dict[str, tuple[tuple[str, str], ...]] = {}
    columns = 0
    for number, line in csv_lines(path, _KIND):
        cells, where = [cell.strip() for cell in line], f"{path}, line {number}"
        if not any(cells):
            continue
        if not columns:
            columns = _check_header(cells, where)
            continue
        if len(cells) != columns:
            raise DataError(f"{where}: {len(cells)} cells where the header has {columns}. Copy the file again.")
        name = _clip_name(cells[0], match["section"], where)
        if name in rows:
            raise DataError(f"{where}: {name} is listed twice. Keep one line for each clip.")
        pairs = zip(cells[1::2], cells[2::2], strict=True)
        rows[name] = tuple(pair for pair in pairs if all(pair) and NO_ATTRIBUTES not in pair)
    if not columns:
        raise DataError(f"{path} is empty. Copy it again.")
    return Attributes(path, match["section"], rows)


def _count(names: set[str], split: str) -> str:
    return f"{len(names)} {split} {'clips that are' if len(names) > 1 else 'clip that is'}"


def _check_header(cells: list[str], where: str) -> int:
    if cells[0] not in _NAME_COLUMNS or len(cells) % 2 == 0:
        raise DataError(f"{where}: expected a header such as file_name,d1p,d1v, not {','.join(cells)!r:.80}.")
    return len(cells)


def _clip_name(cell: str, section: str, where: str) -> str:
    name = PurePosixPath(cell).name
    try:
        clip = ClipName.parse(name)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    if clip.section != section:
        raise DataError(f"{where}: {name} is not of section {section}, as the file's name says.")
    return as_wav(name)
