"""Clips of a data set counted against the paper's Table 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge_asd.clips import DOMAINS
from edge_asd.train.data.findings import Cell, Fault, Found, Report
from edge_asd.train.data.table1 import MACHINES, Section, table1

COMPANIONS = ("ToyCar", "ToyTrain")
"""Machines that DCASE 2021 Task 2 distributes along with MIMII DUE's; they are not in Table 1."""

_LEAST_SHARE = 0.2
"""Of a section's clips: each part of MIMII DUE that is distributed alone has more."""

_GROUPS = {"development": ("00", "01", "02"), "evaluation": ("03", "04", "05")}


@dataclass(frozen=True, slots=True)
class Strange:
    """Why a data set cannot be MIMII DUE.

    Attributes
    ----------
    place : (str, str) or None
        The first machine and section that MIMII DUE does not have; None where it has none of those here.
    clips, of : int
        How many clips there are, and how many MIMII DUE has in the same sections; 0 where that is not the reason.
    """

    place: tuple[str, str] | None
    clips: int = 0
    of: int = 0

    @property
    def in_words(self) -> str:
        """The reason as a sentence, without its full stop."""
        if self.of:
            return f"it has {self.clips} clips where MIMII DUE has {self.of:,} in the same sections"
        if self.place is None:
            return "No machine of MIMII DUE is here"
        machine, section = self.place
        return f"MIMII DUE has no section {section} of a machine {machine}"


def not_mimii_due(report: Report) -> Strange | None:
    """Say why a data set is not MIMII DUE, by its machines and sections; None where it is."""
    strange = [key for key in report.counts if key[0] not in COMPANIONS and key not in table1()]
    if strange:
        return Strange(strange[0])
    clips = {key: counts.total() for key, counts in report.counts.items() if key in table1()}
    if not clips:
        return Strange(None)
    # One's own fan, section 00, is not MIMII DUE for its name alone.
    if all(count < _LEAST_SHARE * table1()[key].clips for key, count in clips.items()):
        return Strange(None, sum(clips.values()), sum(table1()[key].clips for key in clips))
    return None


def count_faults(report: Report, clips: Iterable[Found]) -> list[Fault]:
    """Compare the counts of every section with Table 1, and note what is absent as a whole."""
    numbers = _numbers(clips)
    faults: list[Fault] = []
    present = {key for key in report.counts if key in table1()}
    for machine in MACHINES:
        sections = {section for m, section in present if m == machine}
        if not sections:
            report.notes.append(f"{machine}: not here at all; MIMII DUE has it.")
            continue
        for name, group in _GROUPS.items():
            if not sections & set(group):
                report.notes.append(f"{machine}: the {name} data, sections {group[0]} to {group[-1]}, are not here.")
                continue
            for section in group:
                row = table1()[machine, section]
                report.expected[machine, section] = expected_cells(row)
                if section not in sections:
                    text = f"no clip of {machine}, section {section}, is here; Table 1 has {row.clips}."
                    faults.append(Fault("missing", machine, section, None, text))
                else:
                    faults += _section_faults(row, report, numbers)
    for machine in sorted({m for m, _ in report.counts} & set(COMPANIONS)):
        report.notes.append(f"{machine} is not part of MIMII DUE: its clips were not counted against Table 1.")
    return faults


def expected_cells(row: Section) -> dict[Cell, int]:
    """Return the number of clips of each domain, split and label; the label is None where any will do."""
    cells: dict[Cell, int] = {}
    for domain in DOMAINS:
        counts = row.domain(domain)
        cells[domain, "train", None] = counts.train
        if counts.normal is None or counts.anomaly is None:
            cells[domain, "test", None] = counts.test
        else:
            cells[domain, "test", "normal"] = counts.normal
            cells[domain, "test", "anomaly"] = counts.anomaly
    return cells


Numbers = dict[tuple[str, str, str | None, str, str | None], Counter[int]]


def _numbers(clips: Iterable[Found]) -> Numbers:
    numbers: Numbers = {}
    for clip in clips:
        if clip.name is not None:
            key = (clip.machine, clip.name.section, clip.name.domain, clip.name.split, clip.name.label)
            numbers.setdefault(key, Counter())[int(clip.name.index)] += 1
    return numbers


def _section_faults(row: Section, report: Report, numbers: Numbers) -> Iterator[Fault]:
    found = report.counts[row.machine, row.section]
    cells = report.expected[row.machine, row.section]
    for (domain, split, label), expected in cells.items():
        labels = [label] if label else [None, "normal", "anomaly"]
        count = sum(found[domain, split, each] for each in labels)
        if count == expected:
            continue
        what = " ".join(word for word in (domain, split, label) if word)
        text = f"{row.machine}, section {row.section}: {count} {what} clips where Table 1 has {expected}"
        used: Counter[int] = Counter()
        for each in labels:
            used += numbers.get((row.machine, row.section, domain, split, each), Counter())
        kind = "missing" if count < expected else "extra"
        yield Fault(kind, row.machine, row.section, None, f"{text}{_hint(used, expected, kind)}.")
    if ("source", "test", "normal") in cells:
        for domain in DOMAINS:
            if count := found[domain, "test", None]:
                text = f"{row.machine}, section {row.section}: {count} {domain} test clips do not name their label"
                yield Fault("extra", row.machine, row.section, None, f"{text}, as every one of this section does.")


def _hint(used: Counter[int], expected: int, kind: str) -> str:
    """Name the likely culprits: clips are numbered from 0 on."""
    if kind == "missing":
        numbers = [number for number in range(expected) if number not in used]
        word = "not there"
    else:
        numbers = sorted(number for number, count in used.items() if number >= expected or count > 1)
        word = "too many"
    if not numbers:
        return ""
    some = ", ".join(f"{number:04d}" for number in numbers[:5]) + (", ..." if len(numbers) > 5 else "")
    return f" ({word}: {some})"
