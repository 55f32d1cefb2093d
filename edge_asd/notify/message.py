"""A message to a person: what `wording` writes, the queue keeps, and commands and notifications carry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from edge_asd.errors import DataError
from edge_asd.files import printable
from edge_asd.strict_json import StrictReader, parse_object

MAX_BYTES = 32 << 10
"""Of a message as it is kept."""

_MAX_WORDS = 500


class Severity(StrEnum):
    """How much a message matters, by names that Apprise knows, too; from the least on."""

    info = "info"
    warning = "warning"
    failure = "failure"


@dataclass(frozen=True, slots=True)
class Message:
    """What happened, in words for a person, with the facts for programs.

    Attributes
    ----------
    title : str
        One line.
    body : str
    severity : Severity
    source : str
        Whose sound it is about; messages are limited by it.
    time : datetime, with a zone
        When it happened.
    event : str
        The event's name, such as ``alarm``.
    details : mapping
        Whatever a program may want to know; JSON can hold it.
    """

    title: str
    body: str
    severity: Severity
    source: str
    time: datetime
    event: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write it as one line.

        Raises
        ------
        ValueError
            If the details are nothing for JSON, the time has no zone, the source has more than 500 characters, or all
            is larger than `MAX_BYTES`.
        """
        if len(self.source) > _MAX_WORDS:
            raise ValueError(f"its source has more than {_MAX_WORDS} characters")
        if self.time.tzinfo is None:
            raise ValueError("its time has no zone")
        values = {
            "title": " ".join(printable(self.title).split())[:_MAX_WORDS],
            "body": printable(self.body),
            "severity": str(self.severity),
            "source": printable(self.source),
            "time": self.time.isoformat(timespec="milliseconds"),
            "event": printable(self.event),
            "details": dict(self.details),
        }
        try:
            text = json.dumps(values, allow_nan=False)
        except (TypeError, RecursionError) as error:
            raise ValueError(f"its details are nothing for JSON ({error})") from error
        if len(text) > MAX_BYTES:
            raise ValueError(f"it takes {len(text)} bytes, more than {MAX_BYTES}")
        return text

    @classmethod
    def from_json(cls, text: str, where: str = "The message") -> Message:
        """Read what `to_json` wrote.

        Raises
        ------
        DataError
            If it is anything else.
        """
        reader = StrictReader(parse_object(text.encode("utf-8", "replace"), where, DataError), where, DataError)
        words = {key: reader.take(key, str) for key in ("title", "body", "severity", "source", "time", "event")}
        details = reader.take("details", dict)
        reader.finish()
        try:
            severity, time = Severity(words.pop("severity")), datetime.fromisoformat(words.pop("time"))
        except ValueError as error:
            raise DataError(f"{where} is damaged: {error}.") from error
        if time.tzinfo is None:
            raise DataError(f"{where} is damaged: its time has no zone.")
        return cls(**words, severity=severity, time=time, details=details)
