"""What data it was: counts, hashes, and whether it can be MIMII DUE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_asd.clips import UNKNOWN_DOMAIN
from edge_asd.files import printable
from edge_asd.train.data.counting import COMPANIONS, count_faults, not_mimii_due
from edge_asd.train.data.dataset import Clip
from edge_asd.train.data.findings import Found, Report
from edge_asd.train.data.hashes import content_hash
from edge_asd.train.data.marker import read_marker
from edge_asd.train.data.table1 import MACHINES
from edge_asd.train.report.results import ClipCount, DataDescription


def describe_data(
    root: Path, clips: Mapping[str, Sequence[Clip]], *, hashes: Mapping[str, str] | None = None
) -> DataDescription:
    """Describe the clips of all machines that a report covers, together.

    Parameters
    ----------
    root : Path
        Folder that holds one folder a machine.
    clips : dict of str to sequence of Clip
        By machine, the training and test clips that were used (`Dataset.clips`).
    hashes : dict of str to str, optional
        `content_hash` of each machine's clips where it is known already; all files are read otherwise.

    Raises
    ------
    AudioFormatError
        If a clip cannot be read for its hash.
    """
    hashes = hashes or {machine: content_hash(group) for machine, group in clips.items()}
    counts = Counter(
        (machine, clip.name.section, clip.name.domain or UNKNOWN_DOMAIN, clip.name.split, clip.name.label)
        for machine, group in clips.items()
        for clip in group
    )
    notes, why_not = [], _why_not(root, clips)
    if why_not is None and (absent := [machine for machine in MACHINES if machine not in clips]):
        notes.append(f"Machines of MIMII DUE that are not here: {', '.join(absent)}.")
    of_other_years = _of_other_years(clips)
    if companions := [machine for machine in clips if machine in COMPANIONS and machine not in of_other_years]:
        notes.append(f"{' and '.join(companions)}: part of DCASE 2021 Task 2, not of MIMII DUE.")
    ordered = sorted(counts.items(), key=lambda item: tuple(value or "" for value in item[0]))
    return DataDescription(
        printable(root.resolve().name),
        tuple(ClipCount(*key, count) for key, count in ordered),
        {machine: hashes[machine] for machine in sorted(clips)},
        why_not,
        tuple(notes),
    )


def _of_other_years(clips: Mapping[str, Sequence[Clip]]) -> list[str]:
    """Return machines whose test clips of all domains lie in one folder, as they do in all years but 2021."""
    return [name for name, group in clips.items() if any(clip.key.startswith("test/") for clip in group)]


def _why_not(root: Path, clips: Mapping[str, Sequence[Clip]]) -> str | None:
    """Say why these clips are not MIMII DUE's; None where nothing speaks against it."""
    made_up = [printable(machine) for machine in sorted(clips) if read_marker(root / machine) is not None]
    if made_up:
        verb = "is" if len(made_up) == 1 else "are"
        return f"{', '.join(made_up)} {verb} synthetic, made by edge-asd data synth."
    if others := _of_other_years(clips):
        names = ", ".join(map(printable, others))
        return f"{names}: test clips in one folder, as in other years of DCASE Task 2 than 2021."
    report = Report(root)
    found = [Found(machine, f"{machine}/{clip.key}", clip.name) for machine, group in clips.items() for clip in group]
    report.count(found)
    if strange := not_mimii_due(report):
        return printable(strange.in_words) + "."
    # Sections that were left out are no fault of those that were used.
    faults = [fault for fault in count_faults(report, found) if (fault.machine, fault.section) in report.counts]
    if not faults:
        return None
    more = f" {len(faults) - 1} more counts differ." if len(faults) > 1 else ""
    # Without the clips' numbers, which are for `edge-asd data verify`.
    return f"{faults[0].text.split(' (')[0].rstrip('.')}.{more}"
