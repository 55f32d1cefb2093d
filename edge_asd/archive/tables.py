"""The two tables of scores, as Parquet: what their columns are, and how they are written and read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, NamedTuple

from edge_asd.errors import DataError, DependencyError
from edge_asd.monitor.decisions import Verdict

SCORES, FILES = "scores", "files"
"""Folders of the tables: a row per decision, and a row per recording. A partition is a file of each."""

_ROW_GROUP = 1 << 16  # rows that are written at once
_BATCH = 1 << 12  # rows that become columns at once: as Python's numbers they take ten times the memory

_SCORE_TYPES = {
    "file": "string",
    "time_s": "float64",
    "score": "int64",
    "threshold": "int64",
    "anomaly": "bool_",
    "level_db": "float64",
    "dead": "bool_",
    "off": "bool_",
    "clipped": "bool_",
}
_FILE_TYPES = {
    "file": "string",
    "bytes": "int64",
    "modified": "timestamp",
    "seconds": "float64",
    "decisions": "int64",
    "anomalies": "int64",
    "notes": "string",
    "passed_over": "string",
}


class FileRow(NamedTuple):
    """What came of one recording.

    Attributes
    ----------
    file : str
        Its path below the folder, or as the list names it.
    bytes, modified : int or None
        Its size, and the time of its last change [ns since 1970], by which it is known again. None where that cannot
        be told, or where it is to be tried again in any case.
    seconds : float or None [s]
        Its length; None where it was passed over.
    decisions, anomalies : int >= 0
    notes : str or None
        What should be known of it, such as that it clips.
    passed_over : str or None
        Why it has no rows; starts with a verb, or names the recording.
    """

    file: str
    bytes: int | None
    modified: int | None
    seconds: float | None = None
    decisions: int = 0
    anomalies: int = 0
    notes: str | None = None
    passed_over: str | None = None


def load_arrow() -> tuple[ModuleType, Any]:
    """Import pyarrow and its Parquet, kept to this thread.

    Raises
    ------
    DependencyError
        If it is missing.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DependencyError(
            f"Scores of archives need the package pyarrow ({error}). Install it with: pip install 'edge-asd[archive]'"
        ) from error
    pyarrow.set_cpu_count(1)
    return pyarrow, parquet


def part_name(number: int) -> str:
    """Name a partition's file in both tables."""
    return f"part-{number:06}.parquet"


def part_number(path: Path) -> int:
    """Read the number of a partition from its file's name.

    Raises
    ------
    DataError
        If it is no such name.
    """
    digits = path.stem.removeprefix("part-")
    if not (digits.isascii() and digits.isdigit()) or part_name(int(digits)) != path.name:
        raise DataError(f"{path} is no part of these scores. Move it away.")
    return int(digits)


class Verdicts:
    """Gathers the rows of one recording, in little memory."""

    def __init__(self, file: str) -> None:
        self.rows = self.decisions = self.anomalies = 0
        self._arrow, _ = load_arrow()
        self._schema = _schema(self._arrow, _SCORE_TYPES)
        self._file = file
        self._batches: list[Any] = []
        self._waiting: list[tuple[Any, ...]] = []

    def push(self, verdict: Verdict) -> None:
        """Take the next decision; the score of one that is not made is null."""
        decision, made = verdict.decision, verdict.made
        self.rows += 1
        self.decisions += made
        self.anomalies += made and decision.anomaly
        self._waiting.append(
            (
                self._file,
                decision.time_s,
                decision.score if made else None,
                decision.threshold,
                decision.anomaly if made else None,
                round(verdict.level_db, 2) if math.isfinite(verdict.level_db) else None,
                verdict.dead,
                verdict.off,
                verdict.clipped,
            )
        )
        if len(self._waiting) == _BATCH:
            self._convert()

    def batches(self) -> list[Any]:
        """Return all rows as record batches."""
        if self._waiting:
            self._convert()
        return self._batches

    def _convert(self) -> None:
        columns = [list(column) for column in zip(*self._waiting, strict=True)]
        self._batches.append(self._arrow.record_batch(columns, schema=self._schema))
        self._waiting.clear()


class ScoresWriter:
    """Writes record batches of `Verdicts` to a file, many to a row group, inside a ``with`` statement.

    Parameters
    ----------
    file : binary file
    about : dict of str to str
        Kept in the file's metadata.
    """

    def __init__(self, file: BinaryIO, about: dict[str, str]) -> None:
        self._arrow, parquet = load_arrow()
        schema = _schema(self._arrow, _SCORE_TYPES).with_metadata(about)
        # Scores of spans that overlap differ by little.
        others = [name for name in _SCORE_TYPES if name != "score"]
        self._writer = parquet.ParquetWriter(
            file,
            schema,
            compression="zstd",
            use_dictionary=others,
            column_encoding={"score": "DELTA_BINARY_PACKED"},
        )
        self._waiting: list[Any] = []

    def add(self, batches: list[Any]) -> None:
        """Take the next rows."""
        self._waiting += batches
        if sum(batch.num_rows for batch in self._waiting) >= _ROW_GROUP:
            self._write()

    def __enter__(self) -> ScoresWriter:
        """Begin."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Write what waits, and the end of the file; nothing more where anything was raised."""
        try:
            if kind is None:
                self._write()
                self._writer.close()
        finally:
            self._writer.is_open = False  # or it would try once more when it is deleted, and print that it cannot

    def _write(self) -> None:
        if self._waiting:
            table = self._arrow.Table.from_batches(self._waiting, schema=_schema(self._arrow, _SCORE_TYPES))
            self._writer.write_table(table.combine_chunks(), row_group_size=_ROW_GROUP)
            self._waiting = []


def write_files(file: BinaryIO, rows: list[FileRow]) -> None:
    """Write a partition's table of recordings."""
    arrow, parquet = load_arrow()
    columns = [list(column) for column in zip(*rows, strict=True)]
    parquet.write_table(arrow.table(columns, schema=_schema(arrow, _FILE_TYPES)), file, compression="zstd")


def read_files(path: Path) -> list[FileRow]:
    """Read a partition's table of recordings.

    Raises
    ------
    DataError
        If it is damaged.
    """
    arrow, _ = load_arrow()
    with _reading(path, _FILE_TYPES) as file:
        table = file.read(use_threads=False)
    place = table.schema.get_field_index("modified")
    table = table.set_column(place, "modified", table.column(place).cast(arrow.int64()))
    return [FileRow(*values) for values in zip(*(column.to_pylist() for column in table.columns), strict=True)]


def read_scores(path: Path, without: frozenset[str]) -> Iterator[list[Any]]:
    """Give the rows of a partition but those of some recordings, in record batches.

    Raises
    ------
    DataError
        If it is damaged.
    """
    arrow, _ = load_arrow()
    with _reading(path, _SCORE_TYPES) as file:
        for batch in file.iter_batches(_ROW_GROUP, use_threads=False):
            kept = [name not in without for name in batch.column("file").to_pylist()]
            chosen = batch.filter(arrow.array(kept, arrow.bool_()))
            yield [chosen.replace_schema_metadata(None)] if chosen.num_rows else []


@contextmanager
def _reading(path: Path, types: dict[str, str]) -> Iterator[Any]:
    """Open a partition's table, and say where it is damaged."""
    arrow, parquet = load_arrow()
    try:
        with parquet.ParquetFile(path) as file:
            if file.schema_arrow != _schema(arrow, types):
                raise _damaged(path, "its columns are others")
            yield file
    except (arrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _schema(arrow: Any, types: dict[str, str]) -> Any:
    made = {"timestamp": lambda: arrow.timestamp("ns", tz="UTC")}
    return arrow.schema([(name, made.get(kind, getattr(arrow, kind))()) for name, kind in types.items()])


def _damaged(path: Path, why: object) -> DataError:
    why = (str(why).splitlines() or [type(why).__name__])[0]
    return DataError(
        f"{path} cannot be read ({why}). Remove the files of that name from {SCORES}/ and {FILES}/: their recordings "
        "are scored again."
    )
