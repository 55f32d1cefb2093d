"""Files of "clip's file name,value" lines without a header: labels, scores and decisions.

They come from other people's programs: a byte order mark, other line ends, spaces around values
and blank lines are taken; anything that would make a figure wrong is an error with its line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import TypeVar

from edge_asd.clips import ClipName, Domain
from edge_asd.errors import DataError

T = TypeVar("T")

_LONGEST_NAME = 255  # bytes in a file's name
_LARGEST = 2**26  # bytes of a file: a whole year's clips are a tenth of it


def read_clip_table(
    path: Path,
    section: str,
    domain: Domain | None,
    *,
    kind: str,
    value: str,
    parse: Callable[[str], T | None],
    known: Container[str] = (),
) -> dict[str, T]:
    """Read the values of a section's and domain's test clips.

    Parameters
    ----------
    path : Path
    section : str
    domain : {"source", "target"} or None
        What every clip must belong to; None for both domains.
    kind : str
        What the file is, for messages: "ground truth".
    value : str
        What the second column is, for messages: "0 or 1".
    parse : callable
        Returns the value of the second column's text, or None where it is none.
    known : container of str
        Names that are of this section and domain for certain: those of a table that was read before.

    Returns
    -------
    values : dict of str to T
        By the clip's file name, in the order of the file.

    Raises
    ------
    DataError
        If the file cannot be read, lists no clip, a clip twice or one of another section, domain
        or split, or holds anything else than names and values.
    """
    values: dict[str, T] = {}
    for number, line in csv_lines(path, kind):
        if len(line) < 2 and not "".join(line).strip():
            continue
        name, text = (line[0].strip(), line[1].strip()) if len(line) == 2 else ("", "")
        parsed = parse(text)
        if parsed is None or len(name.encode(errors="replace")) > _LONGEST_NAME:
            raise DataError(
                f"{path}, line {number}: expected a clip's file name and {value}, not {','.join(line)!r:.80}."
            )
        if name not in known:
            _check_place(name, section, domain, f"{path}, line {number}")
        if name in values:
            raise DataError(f"{path}, line {number}: {name} is listed twice. Keep one line a clip.")
        values[name] = parsed
    if not values:
        raise DataError(f"{path} lists no clip. Copy it again.")
    return values


def _check_place(name: str, section: str, domain: Domain | None, where: str) -> None:
    try:
        clip = ClipName.parse(name)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    if (clip.section, domain or clip.domain, clip.split) != (section, clip.domain, "test"):
        what = f"{domain} test clip" if domain else "test clip"
        raise DataError(f"{where}: {name} is not a {what} of section {section}, as the file's name says.")


def csv_lines(path: Path, kind: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of every line, and the line's number.

    Parameters
    ----------
    path : Path
    kind : str
        What the file is, for messages.

    Raises
    ------
    DataError
        If it cannot be read, is far larger than such files are, or is no CSV file in UTF-8.
    """

    def refuse(error: object, line: int | None = None) -> DataError:
        where = f"{path}, line {line}," if line else f"{path}"
        return DataError(f"{where} cannot be read as {kind}: {error}. Copy it again.")

    try:
        if path.exists() and not path.is_file():
            raise refuse("it is not a regular file")  # a named pipe would be waited for
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise refuse(error.strerror or error) from error
    if len(data) > _LARGEST:
        raise refuse(f"it has over {_LARGEST >> 20} MB")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise refuse("it is not UTF-8 text", data.count(b"\n", 0, error.start) + 1) from None
    # Line by line: cells as Python holds them are many times as large. Spreadsheets put a byte order mark before UTF-8.
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True, skipinitialspace=True)
    try:
        for line in reader:
            yield reader.line_num, line
    except csv.Error as error:
        raise refuse(error, reader.line_num) from None
