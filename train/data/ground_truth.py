"""Labels of evaluation clips, in the layout of the DCASE 2021 Task 2 evaluator.

One file a machine, section and domain, ``ground_truth_<machine>_section_<NN>_<domain>_test.csv``,
with lines ``section_03_source_test_0000.wav,1`` (1: anomaly) and no header (see `edge_asd.train.data.clip_tables`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from edge_asd.clips import ClipName, Label, as_wav
from edge_asd.errors import DataError
from edge_asd.train.data.clip_tables import read_clip_table

_NAME = re.compile(
    r"ground_truth_(?P<machine>.+)_section_(?P<section>[0-9]{2})_(?P<domain>source|target)_test\.csv", re.DOTALL
)
_LABELS: dict[str, Label] = {"0": "normal", "1": "anomaly"}
_EXAMPLE = "ground_truth_fan_section_03_source_test.csv"


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Labels of one machine's section and domain.

    Attributes
    ----------
    path : Path
        The file they were read from.
    labels : dict of str to {"normal", "anomaly"}
        By file name of the clip, as a .wav (`edge_asd.clips.as_wav`).
    """

    path: Path
    labels: dict[str, Label]

    def label(self, clip: ClipName, file: str, place: object) -> Label:
        """Return the label of a clip; where its name tells one, too, both must agree.

        Parameters
        ----------
        clip : ClipName
        file : str
            The clip's file name.
        place : object
            What messages call the clip: its path, or a line of a file.

        Raises
        ------
        DataError
            If no label is known, or two that differ.
        """
        label = self.labels.get(as_wav(file), clip.label)
        if label is None:
            raise DataError(f"{self.path} has no label for {place}. Copy the ground truth again.")
        if clip.label not in (None, label):
            raise DataError(f"{self.path} calls {place} {label}, and its name {clip.label}. One of them is wrong.")
        return label

    def unused_note(self, files: Collection[str]) -> str | None:
        """Return a note on the clips that are labelled but not among `files`; None where there are none."""
        if not (names := sorted(set(self.labels) - set(map(as_wav, files)))):
            return None
        return (
            f"{self.path} labels {len(names)} clip{'s that are' if len(names) > 1 else ' that is'} not here, "
            f"such as {names[0]}."
        )


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
    files = _files(path)
    if not any(match["machine"] == machine for _, match in files):
        if not path.is_dir():
            raise DataError(
                f"{path} is the ground truth of {files[0][1]['machine']}, not of {machine}. Give the right file."
            )
        raise DataError(
            f"{path} has no ground truth for {machine}. Expected files such as {_EXAMPLE.replace('fan', machine)}."
        )
    return {
        (match["section"], match["domain"]): GroundTruth(file, _read_labels(file, match["section"], match["domain"]))
        for file, match in files
        if match["machine"] == machine
    }


def _read_labels(file: Path, section: str, domain: str) -> dict[str, Label]:
    labels: dict[str, Label] = read_clip_table(
        file,
        section,
        domain,
        kind="ground truth",
        value="0 (normal) or 1 (anomaly)",
        parse=lambda text: _LABELS.get(text),
    )
    return {as_wav(name): label for name, label in labels.items()}


def ground_truth_machines(path: Path) -> set[str]:
    """Return the machines that a file, or a folder of files, has labels of."""
    return {match["machine"] for _, match in _files(path)}


def _files(path: Path) -> list[tuple[Path, re.Match[str]]]:
    """Return the ground truth files of a folder, or the one file, with what their names say."""
    if path.is_dir():
        return [(file, match) for file in sorted(path.iterdir()) if (match := _NAME.fullmatch(file.name))]
    if not path.exists():
        raise DataError(
            f"There is no file or folder {path}. Give the ground truth: {_EXAMPLE} or such, or their folder."
        )
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise DataError(
            f"{path} is not named as a ground truth file. Expected, for example, {_EXAMPLE}, or a folder of such files."
        )
    return [(path, match)]
