"""What ``edge-asd events`` writes: tables for people, CSV, JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from edge_asd.csv_writing import check_csv_replaceable, csv_bytes
from edge_asd.detectors.scores import score_value, told_apart
from edge_asd.errors import OutputError
from edge_asd.files import is_held, open_without_waiting
from edge_asd.monitor.records.clip_names import PART, find_clip

_EVENTS = (
    "id",
    "time",
    "source",
    "section",
    "event",
    "state",
    "time_s",
    "score",
    "threshold",
    "unit",
    "duration_s",
    "text",
    "clip",
    "clip_time_s",
    "clip_s",
    "clip_missing_s",
    "machine",
    "bundle",
)
_MINUTES = (
    "id",
    "time",
    "source",
    "section",
    "time_s",
    "seconds",
    "decisions",
    "over",
    "minimum",
    "mean",
    "maximum",
    "threshold",
    "unit",
    "states",
    "machine",
    "bundle",
)
_SCORES = ("score", "threshold", "minimum", "mean", "maximum")
_LONG_S = 120  # durations from here on are told in hours and minutes
_HEAD = 1 << 20  # bytes that hold the first line of any file of ours


def visible(text: str) -> str:
    """Write what a terminal would obey, or not show, as its code."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class Table:
    """Lays out rows in columns, which only grow: the next ones may come later.

    Parameters
    ----------
    clips : Path
        Folder of the clips.
    minutes : bool
        Of minutes, not events.
    """

    def __init__(self, clips: Path, *, minutes: bool) -> None:
        self._clips, self._minutes = clips, minutes
        self._header = (
            ["id", "begins", "source", "section", "scores", "mean", "threshold", "over", "states"]
            if minutes
            else ["id", "time", "source", "section", "event", "score", "threshold", "lasted", "clip", "text"]
        )
        self._widths = [0] * len(self._header)
        self._begun = False

    def lines(self, rows: Iterable[dict[str, Any]]) -> list[str]:
        """Return rows as lines; the first time below the columns' names."""
        cells = [[visible(cell) for cell in (self._minute(row) if self._minutes else self._event(row))] for row in rows]
        for line in [self._header, *cells]:
            self._widths = [max(width, len(cell)) for width, cell in zip(self._widths, line, strict=True)]
        shown = cells if self._begun else [self._header, ["-" * width for width in self._widths], *cells]
        self._begun = True
        return [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(line, self._widths, strict=True)).rstrip()
            for line in shown
        ]

    def _event(self, row: dict[str, Any]) -> list[str]:
        score, threshold, unit = row["score"], row["threshold"], row["unit"]
        ours = limit = "-"
        if score is not None and threshold is not None:
            ours, limit = told_apart(score, threshold)
            limit = f"{limit} {unit}"
        start = [str(row["id"]), _local(row["time"]), row["source"], row["section"], row["event"]]
        return [*start, ours, limit, _length(row["duration_s"]), self._clip(row["clip"]), row["text"] or ""]

    def _clip(self, name: str | None) -> str:
        if name is None:
            return "-"
        path = find_clip(self._clips, name)
        if path is None:
            return "gone"
        if not path.name.endswith(PART):
            return "kept"
        return "recording" if is_held(path) else "incomplete"

    def _minute(self, row: dict[str, Any]) -> list[str]:
        least, mean, greatest, threshold = (
            "-" if row[name] is None else f"{score_value(row[name]):.2f}"
            for name in ("minimum", "mean", "maximum", "threshold")
        )
        scores = "-" if row["minimum"] is None else f"{least} to {greatest}"
        limit = threshold if threshold == "-" else f"{threshold} {row['unit']}"
        states = ", ".join(f"{state} {_length(seconds)}" for state, seconds in row["states"].items())
        start = [str(row["id"]), _local(row["time"]), row["source"], row["section"]]
        return [*start, scores, mean, limit, f"{row['over']} of {row['decisions']}", states]


def csv_lines(rows: Sequence[dict[str, Any]], minutes: bool, *, header: bool) -> bytes:
    """Return rows as CSV: scores in their unit, texts so that neither spreadsheet nor terminal obeys them."""
    columns = _MINUTES if minutes else _EVENTS
    lines = [[_cell(name, row[name]) for name in columns] for row in rows]
    return csv_bytes([columns, *lines] if header else lines)


def json_lines(rows: Iterable[dict[str, Any]]) -> bytes:
    """Return rows as JSON, one a line, as ``--json`` shows them."""
    return "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode()


def check_replaceable(path: Path, minutes: bool) -> None:
    """Refuse to replace a file that is not an earlier export.

    Raises
    ------
    OutputError
    """
    if path.suffix == ".csv":
        columns = _MINUTES if minutes else _EVENTS
        check_csv_replaceable(path, [columns], 0, what="an earlier export of the same kind", option="--export")
        return
    if not path.exists():
        return
    advice = "Give --export another name."
    if not path.is_file():
        raise OutputError(f"Cannot write {path}: it exists and is not a file. {advice}")
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            line = file.readline(_HEAD)
    except OSError as error:
        raise OutputError(f"Cannot read {path}, to see what would be replaced: {error.strerror}. {advice}") from error
    try:
        first = json.loads(line) if line else {}
    except (ValueError, RecursionError):
        first = None
    if type(first) is not dict or (line and not {"id", "time", "source"} <= set(first)):
        raise OutputError(f"{path} is not an earlier export, and is not replaced. {advice}")


def _cell(name: str, value: object) -> object:
    if name in _SCORES and isinstance(value, int):
        return round(score_value(value), 5)
    if isinstance(value, dict):
        value = "; ".join(f"{key} {seconds:g} s" for key, seconds in value.items())
    return visible(value) if isinstance(value, str) else value


def _local(time: str) -> str:
    """Write a time in the zone of whoever reads it."""
    try:
        return datetime.fromisoformat(time).astimezone().isoformat(sep=" ", timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return time


def _length(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if abs(seconds) < _LONG_S:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"
