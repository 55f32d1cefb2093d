"""The one grammar of clips' file names, read and written, and the one finder of clips.

MIMII DUE and DCASE Task 2 of 2021:
``section_<NN>_<source|target>_<train|test>_[<normal|anomaly>_]<NNNN>[_<attributes>].wav``;
the label is missing from the names of evaluation clips, attributes from those of test clips.

2022 and later: the same, with attributes or at least an underscore at the end of labelled names; evaluation clips
tell no more than ``section_<NN>_[test_]<NNNN>.wav``.

2020: ``[<normal|anomaly>_]id_<NN>_<NNNNNNNN>.wav``, where the folder tells training from test clips.

Sources: the READMEs of y-kawagu/dcase2020_task2_baseline, y-kawagu/dcase2021_task2_baseline_ae and
nttcslab/dcase2023_task2_baseline_ae (2020 to 2026). Clips lie in the folders `FOLDERS` of a machine.
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
Form = Literal["section", "id"]

DOMAINS: tuple[Domain, ...] = ("source", "target")
SPLITS: tuple[Split, ...] = ("train", "test")

UNNAMED_DOMAIN: Domain = "source"
"""What healthy sound counts as where its domain is not told: the usual condition."""

UNKNOWN_DOMAIN = "unknown"
"""What tables call the domain of test clips whose names do not tell it."""

DUE_FOLDERS = ("train", *(f"{domain}_test" for domain in DOMAINS))
"""Folders of a machine that hold its clips in MIMII DUE, and in synthetic and users' own sets."""

FOLDERS = (*DUE_FOLDERS, "test")
"""Folders of a machine that hold its clips in any year: the last in 2020 and from 2022 on."""

SUFFIXES = (".wav", ".flac", ".ogg", ".aif", ".aiff", ".w64")
"""How names of sound files end, in any case; what they hold is told by their contents."""

_SUFFIX = r"\.(?i:wav|flac|ogg|aiff?|w64)"
_SECTION_NAME = re.compile(
    r"section_(?P<section>[0-9]{2})"
    r"(?:_(?P<domain>source|target)_(?P<split>train|test)(?:_(?P<label>normal|anomaly))?|_test)?_(?P<index>[0-9]{4,})"
    # No control characters, nor the surrogates that stand for bytes that are not UTF-8: names end up in text files.
    r"(?(domain)(?:_(?P<attributes>[^/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]*))?|_?)" + _SUFFIX
)
_ID_NAME = re.compile(r"(?:(?P<label>normal|anomaly)_)?id_(?P<section>[0-9]{2})_(?P<index>[0-9]{4,})" + _SUFFIX)

NO_ATTRIBUTES = "noAttribute"
"""What names say in place of attributes that are not told, from 2024 on."""

# Words, not parts of words: "paranormal" is none. A capital after a small letter begins a word.
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ANOMALOUS = re.compile(r"(?<![a-z])(anomal(y|ies|ous)|abnormal(ity|ities|ly)?)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ClipName:
    """What a clip's file name says.

    Attributes
    ----------
    section : str
        Two digits, such as "00"; in 2020 the machine's id.
    domain : {"source", "target"} or None
        None where the name does not tell: in 2020, when there were none, and in evaluation clips from 2022 on.
    split : {"train", "test"}
    label : {"normal", "anomaly"} or None
        None where the name does not tell (evaluation clips).
    index : str
        The clip's number, as written.
    attributes : str
        The rest of the name, "" where there is none.
    form : {"section", "id"}
        How the name is written: "id" in 2020.
    """

    section: str
    domain: Domain | None
    split: Split
    label: Label | None
    index: str
    attributes: str
    form: Form = "section"

    @classmethod
    def parse(cls, name: str, folder: str | None = None) -> ClipName:
        """Read a file name.

        Parameters
        ----------
        name : str
            The file's, without its folder.
        folder : str, optional
            Name of its folder: of a labelled clip of 2020, "train" makes a training clip, all else a test clip.

        Raises
        ------
        DataError
            If the name is not of this form.
        """
        if match := _SECTION_NAME.fullmatch(name):
            found = {**match.groupdict(), "split": match["split"] or "test", "attributes": match["attributes"] or ""}
            return cls(**found)  # type: ignore[arg-type]
        if match := _ID_NAME.fullmatch(name):
            split: Split = "train" if folder == "train" and match["label"] else "test"
            return cls(match["section"], None, split, match["label"], match["index"], "", "id")  # type: ignore[arg-type]
        raise DataError(
            f"{name!r} is not a MIMII DUE file name, nor one of DCASE Task 2 in another year. Expected, for example, "
            "section_00_source_train_normal_0000_<attributes>.wav."
        )

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders, of `FOLDERS`, that the clip may lie in."""
        if self.split == "train":
            return ("train",)
        return ("test",) if self.domain is None else (f"{self.domain}_test", "test")

    @property
    def folder(self) -> str:
        """The first of `folders`: where a clip of MIMII DUE belongs."""
        return self.folders[0]

    @property
    def place(self) -> str:
        """Domain, where it is told, and split, in words."""
        return f"{self.domain} {self.split}" if self.domain else self.split

    @property
    def attribute_pairs(self) -> tuple[tuple[str, str], ...]:
        """The attributes as names and values, () where they do not come in pairs.

        >>> ClipName.parse("section_00_source_train_normal_0000_car_A2_spd_28V.wav").attribute_pairs
        (('car', 'A2'), ('spd', '28V'))
        """
        words = self.attributes.strip("_").split("_")
        return () if len(words) % 2 else tuple(zip(words[::2], words[1::2], strict=True))

    def file_name(self) -> str:
        """Write the name of the clip's WAV file; `parse` reads it back."""
        if self.form == "id":
            return "_".join(filter(None, (self.label, "id", self.section, self.index))) + ".wav"
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
