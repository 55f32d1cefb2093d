"""Reading JSON from outside: every key expected, every type checked, nothing silently ignored."""

from __future__ import annotations

import json
import math
import os
import stat
from pathlib import Path
from typing import Any

from edge_asd.errors import EdgeAsdError
from edge_asd.files import open_without_waiting

Json = dict[str, Any]

_EXACT = 2**53  # every integer up to here is a float, too


def parse_object(text: bytes, where: str, error: type[EdgeAsdError]) -> Json:
    """Parse one JSON object; duplicate keys, NaN, floats that overflow and anything else raise `error`."""
    try:
        value = json.loads(text, object_pairs_hook=_no_duplicates, parse_float=_finite, parse_constant=_no_constant)
    except (ValueError, RecursionError) as cause:
        raise error(f"{where} is damaged ({cause}). Copy it again, or make it anew.") from cause
    if not isinstance(value, dict):
        raise error(f"{where} is not a JSON object. Copy it again, or make it anew.")
    return value


def read_object(path: Path, error: type[EdgeAsdError], largest: int) -> Json | None:
    """Read a small file that holds one JSON object; None where there is no file.

    Parameters
    ----------
    path : Path
    error : type of EdgeAsdError
        What is raised: if it is no regular file, cannot be read, has more than `largest` bytes, or is damaged.
    largest : int [bytes]
    """
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise error(f"{path} is not a file. Remove it, or choose another folder.")
            text = file.read(largest + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as cause:
        raise error(f"{path} cannot be read: {cause.strerror or cause}.") from cause
    if len(text) > largest:
        raise error(f"{path} has over {largest} bytes and is not what its name says. Copy it again, or make it anew.")
    return parse_object(text, str(path), error)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> Json:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError(f"{text:.20} is too large")
    return value


class StrictReader:
    """Takes keys out of a JSON object one by one; what is left at the end is an error.

    Parameters
    ----------
    values : dict
        The object.
    where : str
        What the messages call it.
    error : type of EdgeAsdError
        What is raised.
    """

    def __init__(self, values: Json, where: str, error: type[EdgeAsdError]) -> None:
        self._values, self.where, self._error = dict(values), where, error

    @property
    def keys(self) -> list[str]:
        """The keys that have not been taken."""
        return list(self._values)

    def take(self, key: str, kind: type) -> Any:
        """Take a value of exactly this type (an integer may stand for a float)."""
        if key not in self._values:
            raise self._error(f"{self.where}: the key {key!r} is missing.")
        value = self._values.pop(key)
        if kind is float and type(value) is int and abs(value) <= _EXACT:
            value = float(value)
        if type(value) is not kind:
            raise self._error(f"{self.where}: {key!r} should be {kind.__name__}, not {value!r:.60}.")
        return value

    def optional(self, key: str, kind: type) -> Any:
        """Take a value of exactly this type, or null; the key must be there."""
        if self._values.get(key, self) is None:
            return self._values.pop(key)
        return self.take(key, kind)

    def values(self, key: str, kind: type) -> list[Any]:
        """Take a list of values of exactly this type."""
        items = {str(i): value for i, value in enumerate(self.take(key, list))}
        reader = StrictReader(items, f"{self.where}, {key}", self._error)
        return [reader.take(i, kind) for i in items]

    def integer(self, key: str, low: int, high: int) -> int:
        """Take an integer within bounds."""
        value: int = self.take(key, int)
        if not low <= value <= high:
            raise self._error(f"{self.where}: {key!r} is {value}, outside {low} to {high}.")
        return value

    def child(self, key: str) -> StrictReader:
        """Take an object, to be read in the same way."""
        return StrictReader(self.take(key, dict), f"{self.where}, {key}", self._error)

    def refusal(self, what: str) -> EdgeAsdError:
        """Make the error that says `what` is wrong here."""
        return self._error(f"{self.where}: {what}.")

    def finish(self) -> None:
        """Refuse what was not taken."""
        if self._values:
            raise self._error(
                f"{self.where}: unknown key {next(iter(self._values))!r}. It was changed by hand, "
                "or made by another version of edge-asd."
            )
