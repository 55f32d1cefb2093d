"""Every CSV file that is written here: cells that stay text in a spreadsheet, and files that may be replaced."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from edge_asd.errors import OutputError
from edge_asd.files import open_without_waiting

_FORMULA = tuple(
    "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
_QUOTED = frozenset(',;"\t\r\n')  # a spreadsheet may take other separators than ours for such
_HEAD = 1 << 16  # bytes that hold the first lines of any file of ours


def csv_bytes(lines: Iterable[Sequence[object]]) -> bytes:
    """Return lines of cells as CSV.

    Names come from folders and files that anybody may have named, and a spreadsheet computes what
    begins like a formula: such a text gets an apostrophe before it, which spreadsheets take for "this
    is text". Numbers stay numbers. Names of clips begin with "section", and are read back as they were.
    """
    return "".join(",".join(map(_cell, line)) + "\n" for line in lines).encode()


def check_csv_replaceable(path: Path, headers: Sequence[Sequence[str]], line: int, *, what: str, option: str) -> None:
    """Refuse to replace a file that is not of the layout that would be written there; an empty one may go.

    Parameters
    ----------
    path : Path
        Nothing is wrong where it does not exist.
    headers : sequence of sequence of str
        Cells that tell the layout, one way or another.
    line : int >= 0
        The line that holds them.
    what, option : str
        What the file should be, and the option that names it, for the message.

    Raises
    ------
    OutputError
    """
    if not path.exists():
        return
    advice = f"Give {option} another name."
    if not path.is_file():
        raise OutputError(f"Cannot write {path}: it exists and is not a file. {advice}")
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise OutputError(f"Cannot read {path}, to see what would be replaced: {error.strerror}. {advice}") from error
    try:
        lines = list(csv.reader(head.decode("utf-8-sig", errors="replace").splitlines()[: line + 1]))
    except csv.Error:
        lines = []
    if head and lines[line:] not in [[list(header)] for header in headers]:
        raise OutputError(f"{path} is not {what}, and is not replaced. {advice}")


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if isinstance(value, str) and text.lstrip().startswith(_FORMULA):
        text = f"'{text}"
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if _QUOTED & set(text) else text
