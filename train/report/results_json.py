"""``results.json``: a `Reproduction` on the disk, exactly as it was, and nothing else accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_asd.errors import DataError
from edge_asd.files import write_atomically
from edge_asd.strict_json import StrictReader, parse_object
from edge_asd.train.report.results import Arguments, Cell, ClipCount, DataDescription, ModelArguments, Reproduction

_FORMAT, _SCHEMA = "edge-asd reproduction", 2
_TIMED = 1
"""The schema before, in which results told how long they had taken."""


def write_results(path: Path, reproduction: Reproduction) -> None:
    """Write results atomically, as strict JSON: floats come back to the last digit.

    Raises
    ------
    OutputError
        If `path` cannot be written.
    """
    document = {"format": _FORMAT, "schema": _SCHEMA, **asdict(reproduction)}
    write_atomically(path, (json.dumps(document, allow_nan=False) + "\n").encode())


def read_results(path: Path) -> Reproduction:
    """Read what `write_results` has written.

    Raises
    ------
    DataError
        If the file is missing, damaged, of another version, or its results contradict each other.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}. Run edge-asd reproduce first.") from error
    reader = StrictReader(parse_object(text, str(path), DataError), str(path), DataError)
    schema = reader.take("schema", int)
    if reader.take("format", str) != _FORMAT or schema not in (_TIMED, _SCHEMA):
        raise DataError(f"{path} is not the results of this version of edge-asd. Run edge-asd reproduce again.")
    if schema == _TIMED:
        reader.take("durations_s", dict), reader.take("finished", str)
    data, arguments = reader.child("data"), reader.child("arguments")
    result = Reproduction(
        data=DataDescription(
            name=data.take("name", str),
            counts=_each(data, "counts", _count),
            sha256=_mapping(data, "sha256", str),
            not_mimii_due=data.optional("not_mimii_due", str),
            notes=tuple(data.values("notes", str)),
        ),
        arguments=Arguments(
            command=arguments.take("command", str),
            faithful=arguments.take("faithful", bool),
            seeds=tuple(arguments.values("seeds", int)),
            int8=arguments.take("int8", bool),
            models=_models(arguments.child("models")),
            # Results of before the measures of other years are those of 2021.
            year=arguments.take("year", int) if "year" in arguments.keys else 2021,
        ),
        cells=_each(reader, "cells", _cell),
        versions=_mapping(reader, "versions", str),
        notes=tuple(reader.values("notes", str)),
    )
    for part in (data, arguments, reader):
        part.finish()
    return result


def _cell(reader: StrictReader) -> Cell:
    scores = reader.child("scores")
    return Cell(
        machine=reader.take("machine", str),
        model=reader.take("model", str),
        seed=reader.take("seed", int),
        section=reader.take("section", str),
        domain=reader.optional("domain", str),
        clips=tuple(reader.values("clips", str)),
        labels=_labels(reader),
        scores={column: tuple(scores.values(column, float)) for column in scores.keys},
        level_db=tuple(reader.values("level_db", float)),
        thresholds=_mapping(reader, "thresholds", float),
    )


def _labels(reader: StrictReader) -> tuple[Any, ...]:
    items = _items(reader, "labels")
    return tuple(items.optional(i, str) for i in items.keys)


def _count(reader: StrictReader) -> ClipCount:
    return ClipCount(
        machine=reader.take("machine", str),
        section=reader.take("section", str),
        domain=reader.take("domain", str),
        split=reader.take("split", str),
        label=reader.optional("label", str),
        clips=reader.integer("clips", 0, 2**53),
    )


def _models(reader: StrictReader) -> dict[str, ModelArguments]:
    models = {}
    for name in reader.keys:
        child = reader.child(name)
        models[name] = ModelArguments(
            epochs=child.take("epochs", int),
            learning_rate=child.take("learning_rate", float),
            batch_size=child.take("batch_size", int),
            window_hop=child.take("window_hop", int),
        )
        child.finish()
    return models


def _each(reader: StrictReader, key: str, read: Callable[[StrictReader], Any]) -> tuple[Any, ...]:
    result = []
    items = _items(reader, key)
    for i in items.keys:
        child = items.child(i)
        result.append(read(child))
        child.finish()
    return tuple(result)


def _items(reader: StrictReader, key: str) -> StrictReader:
    """Take a list, to be read by number."""
    values = {str(i): value for i, value in enumerate(reader.take(key, list))}
    return StrictReader(values, f"{reader.where}, {key}", DataError)


def _mapping(reader: StrictReader, key: str, kind: type) -> dict[str, Any]:
    child = reader.child(key)
    return {name: child.take(name, kind) for name in child.keys}
