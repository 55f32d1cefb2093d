"""What clips of a user's own set are called, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_asd.clips import DOMAINS, FOLDERS, ClipName, Domain, Label, Split, parse_section, says_anomaly
from edge_asd.errors import DataError

RATE = 16000
"""Sample rate of the clips [Hz]: they have one channel of 16 bits."""

_LONGEST = 150  # bytes of a machine's name or attributes: with the rest, a file name stays below 255
_FORBIDDEN = frozenset('/\\:*?"<>|')  # not on every file system


@dataclass(frozen=True, slots=True)
class OwnSet:
    """Where clips of one kind go, and what they are.

    Attributes
    ----------
    root : Path
        The data set: a folder that holds one folder a machine. It need not exist.
    machine : str
        The machine's name, and its folder's.
    section : str
        Two digits; "0" is read as "00".
    domain : {"source", "target"}
    label : {"normal", "anomaly"}
    attributes : str
        What else the names of the files say, such as "speed_2"; "" for nothing.

    Raises
    ------
    DataError
        If one of them cannot be used: their names would not be read back, or not be written everywhere.
    """

    root: Path
    machine: str
    section: str
    domain: Domain
    label: Label = "normal"
    attributes: str = ""

    def __post_init__(self) -> None:
        """Check all but the folders."""
        object.__setattr__(self, "section", parse_section(self.section))
        if self.domain not in DOMAINS:
            raise DataError(f"{self.domain!r} is not a domain. Domains are {' and '.join(DOMAINS)}.")
        if self.label not in ("normal", "anomaly"):
            raise DataError(f"{self.label!r} is not a label. Labels are normal and anomaly.")
        _check_name(self.machine, "name of a machine", "compressor_2")
        # A comma separates machines, and "all" means all of them, where commands take their names.
        if "," in self.machine or self.machine in (*FOLDERS, "all") or self.machine[0] in ".-":
            raise DataError(
                f"{self.machine!r} cannot be the name of a machine: other commands would read it as something else. "
                "Choose another, such as compressor_2."
            )
        if not self.attributes:
            return
        _check_name(self.attributes, "text of attributes", "speed_2")
        if self.label == "normal" and says_anomaly(self.attributes):
            raise DataError(
                f"The attributes {self.attributes!r} say that the clips are anomalous, and their label is normal. "
                "Change the one or the other."
            )
        name = self._name(0, "test")
        try:
            good = ClipName.parse(name.file_name()) == name
        except DataError:
            good = False
        if not good:
            raise DataError(
                f"The attributes {self.attributes!r} would be read back otherwise from a file name. Use letters, "
                "digits and single underscores between them, such as speed_2."
            )

    @property
    def folder(self) -> Path:
        """The machine's folder."""
        return self.root / self.machine

    def path(self, number: int, split: Split) -> Path:
        """Return where the clip of a number goes."""
        name = self._name(number, split)
        return self.folder / name.folder / name.file_name()

    def _name(self, number: int, split: Split) -> ClipName:
        return ClipName(
            section=self.section,
            domain=self.domain,
            split=split,
            label=self.label,
            index=f"{number:04d}",
            attributes=self.attributes,
        )


def _check_name(text: str, what: str, example: str) -> None:
    trouble = ""
    if not text.isprintable() or set(text) & _FORBIDDEN:
        trouble = "it has characters that names of files cannot have everywhere"
    elif text != text.strip() or not text.strip(". "):
        trouble = "it is empty, or starts or ends with a space"
    elif len(text.encode()) > _LONGEST:
        trouble = f"it has over {_LONGEST} bytes"
    if trouble:
        raise DataError(f"{text!r:.80} cannot be the {what}: {trouble}. Choose another, such as {example}.")
