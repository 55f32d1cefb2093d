"""Labels of evaluation clips, in the layout of the DCASE 2021 Task 2 evaluator.

One file a machine, section and domain, ``ground_truth_<machine>_section_<NN>_<domain>_test.csv``,
with lines ``section_03_source_test_0000.wav,1`` (1: anomaly) and no header.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from edge_asd.clips import ClipName, Label
from edge_asd.errors import DataError

_NAME = re.compile(
    r"ground_truth_(?P<machine>.+)_section_(?P<section>[0-9]{2})_(?P<domain>source|target)_test\.csv", re.DOTALL
)
_LABELS: dict[str, Label] = {"0": "normal", "1": "anomaly"}


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Labels of one machine's section and domain.

    Attributes
    ----------
    path : Path
        The file they were read from.
    labels : dict of str to {"normal", "anomaly"}
        By file name of the clip.
    """

    path: Path
    labels: dict[str, Label]


def read_ground_truth(path: Path, machine: str) -> dict[tuple[str, str], GroundTruth]:
    """Read the labels of a machine.

    Parameters
    ----------
    path : Path
        One file, or a folder of such files; a folder's files of other machines are passed over.
    machine : str

    Returns
    -------
    labels : dict of (section, domain) to GroundTruth

    Raises
    ------
    DataError
        If there is no file for the machine, or one cannot be read as such.
    """
    if path.is_dir():
        files = [(file, match) for file in sorted(path.iterdir()) if (match := _NAME.fullmatch(file.name))]
        if not any(match["machine"] == machine for _, match in files):
            raise DataError(
                f"{path} has no ground truth for {machine}. Expected files such as "
                f"ground_truth_{machine}_section_03_source_test.csv."
            )
    else:
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise DataError(
                f"{path} is not named as a ground truth file. Expected, for example, "
                f"ground_truth_{machine}_section_03_source_test.csv, or a folder of such files."
            )
        if match["machine"] != machine:
            raise DataError(f"{path} is the ground truth of {match['machine']}, not of {machine}. Give the right file.")
        files = [(path, match)]
    return {
        (match["section"], match["domain"]): GroundTruth(file, _read(file, match["section"], match["domain"]))
        for file, match in files
        if match["machine"] == machine
    }


def _read(path: Path, section: str, domain: str) -> dict[str, Label]:
    try:
        # Spreadsheets put a byte order mark before UTF-8.
        text = path.read_text(encoding="utf-8-sig")
        lines = list(csv.reader(text.splitlines(), strict=True))
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as ground truth: {error}. Copy it again.") from error
    labels: dict[str, Label] = {}
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        where = f"{path}, line {number}"
        if len(line) != 2 or line[1].strip() not in _LABELS:
            raise DataError(
                f"{where}: expected a clip's file name and 0 (normal) or 1 (anomaly), not {','.join(line)!r:.80}."
            )
        name = line[0].strip()
        try:
            clip = ClipName.parse(name)
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
        if (clip.section, clip.domain, clip.split) != (section, domain, "test"):
            raise DataError(
                f"{where}: {name} is not a {domain} test clip of section {section}, as the file's name says."
            )
        if name in labels:
            raise DataError(f"{where}: {name} is listed twice. Keep one line a clip.")
        labels[name] = _LABELS[line[1].strip()]
    if not labels:
        raise DataError(f"{path} lists no clip. Copy it again.")
    return labels
