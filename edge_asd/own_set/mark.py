"""The mark in the folder of a user's own machine."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Literal

from edge_asd.errors import DataError
from edge_asd.files import creating
from edge_asd.strict_json import StrictReader, read_object

MARK = "own.json"
"""Name of the mark in the machine's folder."""

LEDGER = "imported.jsonl"
"""Name of the file beside it that says which recordings were imported."""

OWN_FILES = (MARK, LEDGER)
"""What lies in the folder of a user's own machine beside the folders of its clips."""

MadeBy = Literal["edge-asd data record", "edge-asd data import"]

_NOTE = "A user's own recordings; not MIMII DUE."
_SCHEMA = 1
_LARGEST = 65_536  # bytes


def mark_own(folder: Path, made_by: MadeBy) -> None:
    """Mark a machine's folder as a user's own, if it is not marked yet.

    Raises
    ------
    OutputError
        If the mark cannot be written.
    """
    document = {"schema": _SCHEMA, "made_by": made_by, "note": _NOTE}
    with suppress(FileExistsError), creating(folder / MARK) as file:
        file.write(json.dumps(document, indent=2).encode() + b"\n")


def is_own(folder: Path) -> bool:
    """Tell whether a machine's folder is marked as a user's own.

    Raises
    ------
    DataError
        If it is marked and the mark is damaged, or of a newer version of edge-asd.
    """
    document = read_object(folder / MARK, DataError, _LARGEST)
    if document is None:
        return False
    reader = StrictReader(document, str(folder / MARK), DataError)
    schema = reader.integer("schema", 1, 2**31)
    if schema > _SCHEMA:
        raise reader.refusal(f"it has schema {schema}, of a newer edge-asd; this one reads up to {_SCHEMA}")
    for key in ("made_by", "note"):
        reader.take(key, str)
    reader.finish()
    return True
