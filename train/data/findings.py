"""What `edge_asd.train.data.verify` finds: clips, faults, and the report on a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_asd.clips import ClipName, Split
from edge_asd.files import printable
from edge_asd.train.data.table1 import PRINTED_TOTALS, totals

KINDS = {
    "missing": "clips that Table 1 has",
    "extra": "clips that Table 1 does not have",
    "name": "names that cannot be read",
    "folder": "clips in the wrong folder",
    "layout": "machines that mix the layouts of two years",
    "attributes": "files of attributes that cannot be read, or do not fit the clips",
    "label": "training clips that are not normal",
    "unreadable": "files that are broken or cannot be read",
    "header": "files whose header does not fit what they hold",
    "format": "clips that are not 16 kHz, 16-bit, mono (2026: two channels)",
    "length": "clips that are not 10 s long (other years than 2021: 6 to 18 s; your own: as most of the machine)",
    "silent": "clips that are silent, or dead somewhere",
    "scale": "float clips of another scale than -1 to 1",
    "duplicate": "clips of the same sound",
    "leak": "test clips with the sound of a training clip",
}
"""Kinds of faults."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    machine : str
    section : str or None
        None where the file's name does not tell.
    path : str or None
        Relative to the data set; None where no single file is at fault.
    text : str
        What is wrong, for a person; it goes on where the path ends.
    """

    kind: str
    machine: str
    section: str | None
    path: str | None
    text: str

    def as_dict(self) -> dict[str, str | None]:
        """Return the fault as JSON takes it."""
        return {
            "kind": self.kind,
            "machine": self.machine,
            "section": self.section,
            "path": None if self.path is None else printable(self.path),
            "text": printable(self.text),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """A WAV file of the data set; `name` is None where it cannot be read."""

    machine: str
    path: str
    name: ClipName | None

    @property
    def split(self) -> Split:
        """Whether it is used for training or testing: where it lies decides."""
        return "train" if self.path.split("/")[1] == "train" else "test"


Cell = tuple[str | None, str, str | None]
"""Domain, split and label of clips."""


@dataclass
class Report:
    """What was found in the data set `root`.

    Attributes
    ----------
    counts : dict of (machine, section) to Counter of Cell
        Clips whose names can be read.
    expected : dict of (machine, section) to dict of Cell to int
        What Table 1 has instead, for the sections that were compared; the label is None where any will do.
    years : dict of str to int
        By machine, as far as it can be told (`edge_asd.train.data.layout.told_year`).
    clips : int
        All WAV files.
    supplemental : int
        Sound files that are neither for training nor for testing.
    checks : list of str
        What was checked.
    faults : list of Fault
    notes : list of str
        What is no fault, and good to know.
    """

    root: Path
    counts: dict[tuple[str, str], Counter[Cell]] = field(default_factory=dict)
    expected: dict[tuple[str, str], dict[Cell, int]] = field(default_factory=dict)
    years: dict[str, int] = field(default_factory=dict)
    clips: int = 0
    supplemental: int = 0
    checks: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, clips: Iterable[Found]) -> None:
        """Count clips by what their names say."""
        for clip in clips:
            self.clips += 1
            if clip.name is not None:
                cell = (clip.name.domain, clip.name.split, clip.name.label)
                self.counts.setdefault((clip.machine, clip.name.section), Counter())[cell] += 1
        self.counts = dict(sorted(self.counts.items()))

    @property
    def clean(self) -> bool:
        """True where nothing is wrong."""
        return not self.faults

    def of_section(self, machine: str, section: str | None) -> list[Fault]:
        """Return the faults of a section."""
        return [fault for fault in self.faults if (fault.machine, fault.section) == (machine, section)]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON takes it."""
        sections = sorted({*self.counts, *((f.machine, f.section) for f in self.faults if f.section is not None)})
        return {
            "data": printable(str(self.root)),
            "clean": self.clean,
            "clips": self.clips,
            "supplemental": self.supplemental,
            "years": {printable(machine): year for machine, year in self.years.items()},
            "checks": self.checks,
            "sections": [
                {
                    "machine": printable(machine),
                    "section": section,
                    "counts": _by_name(self.counts.get((machine, section), {})),
                    "expected": _by_name(self.expected[key]) if (key := (machine, section)) in self.expected else None,
                    "faults": len(self.of_section(machine, section)),
                }
                for machine, section in sections
            ],
            "faults": [fault.as_dict() for fault in self.faults],
            "notes": [printable(note) for note in self.notes],
            "table1": {"clips": sum(totals().values()), "printed_total": sum(PRINTED_TOTALS.values())},
        }


def _by_name(cells: Mapping[Cell, int]) -> dict[str, int]:
    """Name cells source_train, source_test_normal and so on."""
    named: dict[str, int] = {}
    for (domain, split, label), count in cells.items():
        name = (f"{domain}_{split}" if domain else split) + (f"_{label}" if split == "test" and label else "")
        named[name] = named.get(name, 0) + count
    return dict(sorted(named.items()))
