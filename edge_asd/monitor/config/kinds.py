"""What a key of the configuration may hold: one description for the parser, the JSON Schema and the reference."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_TEXT = 4096

_VISIBLE = r"^[^\x00-\x1f\x7f]+$"  # of one line; in the common part of Python's and JavaScript's regular expressions


class Kind:
    """A kind of value."""

    @property
    def expected(self) -> str:
        """What it accepts, for people."""
        raise NotImplementedError

    def read(self, value: object) -> Any:
        """Return what `value` means.

        Raises
        ------
        ValueError
            If it is not of this kind.
        """
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """Describe it as JSON Schema."""
        raise NotImplementedError

    def write(self, value: Any) -> Any:
        """Return the value of TOML and JSON that `read` reads as `value`."""
        return value


@dataclass(frozen=True)
class Text(Kind):
    """A line of text that matches `pattern` as a whole."""

    what: str = "text"
    pattern: str = _VISIBLE

    @property
    def expected(self) -> str:
        return self.what

    def read(self, value: object) -> str:
        if not isinstance(value, str) or len(value) > MAX_TEXT or not re.fullmatch(self.pattern, value):
            raise ValueError
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": self.pattern, "maxLength": MAX_TEXT}


@dataclass(frozen=True)
class FilePath(Text):
    """The path of a file or folder; the reader makes it absolute."""

    what: str = "a path"


@dataclass(frozen=True)
class Number(Kind):
    """A finite number, `low` to `high`."""

    low: float
    high: float
    unit: str = ""

    @property
    def expected(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}{self.unit and f' {self.unit}'}"

    def read(self, value: object) -> float:
        # A truth value is an integer to Python, and an integer beyond 2**1024 no float.
        if type(value) not in (int, float) or not self.low <= value <= self.high:  # type: ignore[operator]
            raise ValueError
        return float(value)  # type: ignore[arg-type]

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number, `low` to `high`; like JSON Schema's, it may be written 1.0."""

    low: int
    high: int
    unit: str = ""

    @property
    def expected(self) -> str:
        return f"a whole number from {self.low} to {self.high}{self.unit and f' {self.unit}'}"

    def read(self, value: object) -> int:
        if type(value) is float and math.isfinite(value) and value.is_integer():
            value = int(value)
        if type(value) is not int or not self.low <= value <= self.high:
            raise ValueError
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Flag(Kind):
    """A truth value; or one of them only."""

    only: bool | None = None

    @property
    def expected(self) -> str:
        return "true or false" if self.only is None else f"{self.only}".lower()

    def read(self, value: object) -> bool:
        if not isinstance(value, bool) or self.only not in (None, value):
            raise ValueError
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"} if self.only is None else {"const": self.only}


@dataclass(frozen=True)
class Choice(Kind):
    """One of some words."""

    words: tuple[str, ...]

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(f'"{word}"' for word in self.words)

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ValueError
        return str(value)

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Several(Kind):
    """An array of values of one kind, none of them twice."""

    each: Kind
    most: int

    @property
    def expected(self) -> str:
        return f"an array of up to {self.most} different values, each {self.each.expected}"

    def read(self, value: object) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > self.most:
            raise ValueError
        values = tuple(map(self.each.read, value))
        if len(set(values)) < len(values):
            raise ValueError
        return values

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.each.schema(), "maxItems": self.most, "uniqueItems": True}

    def write(self, value: Any) -> Any:
        return [self.each.write(one) for one in value]


@dataclass(frozen=True)
class Share(Kind):
    """Two whole numbers such as "45/60", the first at least 1 and at most the second; read as a pair."""

    most: int
    pattern: str = r"^[1-9][0-9]{0,5}/[1-9][0-9]{0,5}$"

    @property
    def expected(self) -> str:
        return 'text such as "45/60", the first number from 1 to the second'

    def read(self, value: object) -> tuple[int, int]:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise ValueError
        first, second = map(int, value.split("/"))
        if not first <= second <= self.most:
            raise ValueError
        return first, second

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": self.pattern}

    def write(self, value: Any) -> Any:
        return "{}/{}".format(*value)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the configuration.

    Attributes
    ----------
    kind : Kind
    text : str
        What it means, for the reference: a sentence without its full stop.
    shared : bool
        A source's key that may also stand above all tables, for all sources.
    variable : str or None
        The environment variable that goes before it.
    secret : bool
        Its value is no part of any message.
    """

    kind: Kind
    text: str
    shared: bool = False
    variable: str | None = None
    secret: bool = False


def key(
    kind: Kind,
    text: str,
    default: Any = dataclasses.MISSING,
    *,
    shared: bool = False,
    variable: str | None = None,
    secret: bool = False,
) -> Any:
    """Make a dataclass's field a key of the configuration (see `Key`); one without a default has to be given."""
    about = {"key": Key(kind, text, shared, variable, secret)}
    if default is dataclasses.MISSING:
        return field(metadata=about)
    return field(default=default, metadata=about, repr=not secret)


def keys_of(table: type) -> Mapping[str, tuple[Key, Any]]:
    """Return the keys of a dataclass, in their order, each with its default (`dataclasses.MISSING` for none)."""
    return {one.name: (one.metadata["key"], one.default) for one in dataclasses.fields(table) if "key" in one.metadata}
