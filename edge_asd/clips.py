"""The one grammar of MIMII DUE file names, read and written, and the one finder of clips.

``section_<NN>_<source|target>_<train|test>_[<normal|anomaly>_]<NNNN>[_<attributes>].wav``;
the label is missing from the names of evaluation clips, attributes from those of test clips.
Clips lie in the folders `FOLDERS` of a machine.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from edge_asd.errors import DataError

Domain = Literal["source", "target"]
Split = Literal["train", "test"]
Label = Literal["normal", "anomaly"]

DOMAINS: tuple[Domain, ...] = ("source", "target")

UNNAMED_DOMAIN: Domain = "source"
"""What healthy sound counts as where its domain is not told: the usual condition."""

UNKNOWN_DOMAIN = "unknown"
"""What tables call the domain of test clips whose names do not tell it."""

FOLDERS = ("train", "source_test", "target_test")
"""Folders of a machine that hold its clips."""

SUFFIXES = (".wav", ".flac", ".ogg", ".aif", ".aiff", ".w64")
"""How names of sound files end, in any case; what they hold is told by their contents."""

_NAME = re.compile(
    r"section_(?P<section>[0-9]{2})_(?P<domain>source|target)_(?P<split>train|test)"
    r"(?:_(?P<label>normal|anomaly))?_(?P<index>[0-9]{4,})"
    # No control characters, nor the surrogates that stand for bytes that are not UTF-8: names end up in text files.
    r"(?:_(?P<attributes>[^/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]+))?"
    r"\.(?i:wav|flac|ogg|aiff?|w64)"
)

# Words, not parts of words: "paranormal" is none. A capital after a small letter begins a word.
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ANOMALOUS = re.compile(r"(?<![a-z])(anomal(y|ies|ous)|abnormal(ity|ities|ly)?)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ClipName:
    """What a MIMII DUE file name says.

    Attributes
    ----------
    section : str
        Two digits, such as "00".
    domain : {"source", "target"} or None
        None where the name does not tell.
    split : {"train", "test"}
    label : {"normal", "anomaly"} or None
        None where the name does not tell (evaluation clips).
    index : str
        The clip's number, as written.
    attributes : str
        The rest of the name, "" where there is none.
    """

    section: str
    domain: Domain | None
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

    @property
    def folder(self) -> str:
        """The folder, one of `FOLDERS`, that the clip belongs into."""
        return "train" if self.split == "train" else f"{self.domain}_test"

    def file_name(self) -> str:
        """Write the name of the clip's WAV file; `parse` reads it back."""
        parts = (self.section, self.domain, self.split, self.label, self.index, self.attributes)
        return "_".join(["section", *(part for part in parts if part)]) + ".wav"


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


def says_anomaly(name: str) -> bool:
    """Tell whether a name holds a word for an anomaly, in any data set's spelling and any case.

    >>> says_anomaly("anomaly_id_00_00000000.wav"), says_anomaly("fanAbnormal3.WAV"), says_anomaly("normal_1.wav")
    (True, True, False)
    """
    return _ANOMALOUS.search(_CAPITAL.sub(" ", name)) is not None


def as_wav(name: str) -> str:
    """Return the name that a sound file has as a .wav: a copy saved as FLAC is the same clip."""
    return f"{name.rpartition('.')[0]}.wav" if name.lower().endswith(SUFFIXES) else name


@dataclass(frozen=True, slots=True)
class SoundFiles:
    """What lies in a folder, or in several.

    Attributes
    ----------
    paths : list of Path
        Sound files by their names, sorted within each folder.
    hidden : list of str
        Names of sound files that start with a dot: a Mac or an exFAT card leaves one beside each file.
    others : list of str
        Names of other files and folders, hidden ones left out.
    """

    paths: list[Path] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def left_out(self) -> str | None:
        """Say what was passed over, with counts; None where nothing was."""
        parts = [
            f"{len(names)} {one if len(names) == 1 else many}, such as {min(names)!r}"
            for names, one, many in (
                (self.hidden, "hidden sound file", "hidden sound files"),
                (self.others, "other file or folder", "other files or folders"),
            )
            if names
        ]
        return f"passed over {' and '.join(parts)}" if parts else None


def find_sounds(*folders: Path) -> SoundFiles:
    """Find the sound files that lie in folders, not below them; a folder that is not there holds none."""
    found = SoundFiles()
    for folder in folders:
        for name in sorted(_names(folder)):
            if not name.lower().endswith(SUFFIXES):
                found.others.extend([] if name.startswith(".") else [name])
            elif name.startswith("."):
                found.hidden.append(name)
            else:
                found.paths.append(folder / name)
    return found


def _names(folder: Path) -> Iterable[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
