"""The one parser of MIMII DUE file names.

``section_<NN>_<source|target>_<train|test>_[<normal|anomaly>_]<NNNN>[_<attributes>].wav``;
the label is missing from the names of evaluation clips, attributes from those of test clips.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from edge_asd.errors import DataError

Domain = Literal["source", "target"]
Split = Literal["train", "test"]
Label = Literal["normal", "anomaly"]

DOMAINS: tuple[Domain, ...] = ("source", "target")

_NAME = re.compile(
    r"section_(?P<section>[0-9]{2})_(?P<domain>source|target)_(?P<split>train|test)"
    r"(?:_(?P<label>normal|anomaly))?_(?P<index>[0-9]{4,})"
    # No control characters, nor the surrogates that stand for bytes that are not UTF-8: names end up in text files.
    r"(?:_(?P<attributes>[^/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]+))?\.wav"
)


@dataclass(frozen=True, slots=True)
class ClipName:
    """What a MIMII DUE file name says.

    Attributes
    ----------
    section : str
        Two digits, such as "00".
    domain : {"source", "target"}
    split : {"train", "test"}
    label : {"normal", "anomaly"} or None
        None where the name does not tell (evaluation clips).
    index : str
        The clip's number, as written.
    attributes : str
        The rest of the name, "" where there is none.
    """

    section: str
    domain: Domain
    split: Split
    label: Label | None
    index: str
    attributes: str

    @classmethod
    def parse(cls, name: str) -> ClipName:
        """Read a file name (no folder).

        Raises
        ------
        DataError
            If the name is not of this form.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise DataError(
                f"{name!r} is not a MIMII DUE file name. Expected, for example, "
                "section_00_source_train_normal_0000_<attributes>.wav."
            )
        return cls(**{**match.groupdict(), "attributes": match["attributes"] or ""})  # type: ignore[arg-type]


def parse_section(text: str) -> str:
    """Return a section as its two digits; "0" and "00" are the same section.

    Raises
    ------
    DataError
        If `text` is not a number from 0 to 99.
    """
    section = text.zfill(2)
    if not text or not is_section(section):
        raise DataError(f"{text!r} is not a section. Sections are numbers such as 00.")
    return section


def is_section(text: str) -> bool:
    """Tell whether a text is a section as it is written: two digits."""
    return re.fullmatch("[0-9]{2}", text) is not None
