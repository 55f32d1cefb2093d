"""Labels of evaluation clips, and from 2022 on their domains, in the layouts of the DCASE Task 2 evaluators.

2021: one file for each machine, section and domain, ``ground_truth_<machine>_section_<NN>_<domain>_test.csv``,
with lines ``section_03_source_test_0000.wav,1`` (1: anomaly) and no header (see `edge_asd.train.data.clip_tables`).

2022 to 2026: one file for each machine and section in ``ground_truth_data``,
``ground_truth_<machine>_section_<NN>_test.csv``, with lines ``section_03_0000.wav,1``; one of the same name and
form in ``ground_truth_domain`` beside it (1: target). ``ground_truth_attributes`` is not read.

2020, and all years in the baseline that reads them all: one file ``eval_data_list*.csv`` for all machines
(`edge_asd.train.data.eval_data_list`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from edge_asd.clips import ClipName, Domain, Label, as_wav
from edge_asd.errors import DataError
from edge_asd.train.data.clip_tables import read_clip_table
from edge_asd.train.data.eval_data_list import ListedClip, is_eval_data_list, read_eval_data_list

T = TypeVar("T")

Place = tuple[str, Domain | None]
"""Section and domain of a file of labels; None for a file of both domains."""

_NAME = re.compile(
    r"ground_truth_(?P<machine>.+)_section_(?P<section>[0-9]{2})(?:_(?P<domain>source|target))?_test\.csv", re.DOTALL
)
_LABELS: dict[str, Label] = {"0": "normal", "1": "anomaly"}
_DOMAINS: dict[str, Domain] = {"0": "source", "1": "target"}
_DATA, _DOMAIN, _ATTRIBUTES = "ground_truth_data", "ground_truth_domain", "ground_truth_attributes"
_EXAMPLE = "ground_truth_fan_section_03_source_test.csv"


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Labels of one machine's section, and domain where the file is of one.

    Attributes
    ----------
    path : Path
        The file they were read from.
    labels : dict of str to {"normal", "anomaly"}
        By file name of the clip, as a .wav (`edge_asd.clips.as_wav`).
    domains : dict of str to {"source", "target"}
        The same; empty where the files do not tell.
    """

    path: Path
    labels: dict[str, Label]
    domains: dict[str, Domain] = field(default_factory=dict)

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

    def domain(self, clip: ClipName, file: str, place: object) -> Domain | None:
        """Return the domain of a clip, None where it is not known; arguments as of `label`.

        Raises
        ------
        DataError
            If the name tells another one.
        """
        domain = self.domains.get(as_wav(file), clip.domain)
        if clip.domain not in (None, domain):
            raise DataError(f"{self.path} puts {place} into the {domain} domain, its name into {clip.domain}.")
        return domain

    def unused_note(self, files: Collection[str]) -> str | None:
        """Return a note on the clips that are labelled but not among `files`; None where there are none."""
        if not (names := sorted(set(self.labels) - set(map(as_wav, files)))):
            return None
        return (
            f"{self.path} labels {len(names)} clip{'s that are' if len(names) > 1 else ' that is'} not here, "
            f"such as {names[0]}."
        )


def truth_place(truths: Mapping[Place, GroundTruth], section: str, domain: Domain | None) -> Place | None:
    """Return the key of the labels that hold for a clip of a section, and of a domain where its name tells it."""
    return next((place for place in ((section, domain), (section, None)) if place in truths), None)


def read_ground_truth(path: Path, machine: str) -> dict[Place, GroundTruth]:
    """Read the labels of a machine.

    Parameters
    ----------
    path : Path
        One file, or a folder: of such files, or the one that holds ``ground_truth_data``; files of
        other machines are passed over.
    machine : str

    Returns
    -------
    labels : dict of (section, domain) to GroundTruth
        See `truth_place`.

    Raises
    ------
    DataError
        If there is no file for the machine, or one cannot be read as such, or two contradict each other.
    """
    if lists := _lists(path):
        return _of_list(lists, machine)
    files = _files(path)
    if not any(match["machine"] == machine for _, match in files):
        if not path.is_dir():
            raise DataError(
                f"{path} is the ground truth of {files[0][1]['machine']}, not of {machine}. Give the right file."
            )
        raise DataError(
            f"{path} has no ground truth for {machine}. Expected files such as {_EXAMPLE.replace('fan', machine)}."
        )
    truths = {
        (match["section"], cast("Domain | None", match["domain"])): _read(file, match)
        for file, match in files
        if match["machine"] == machine
    }
    for section, domain in truths:
        if domain is not None and (section, None) in truths:
            both, one = truths[section, None].path, truths[section, domain].path
            raise DataError(f"{both} and {one} have labels of the same clips. Give one of them.")
    return truths


def ground_truth_machines(path: Path) -> set[str]:
    """Return the machines that a file, or a folder of files, has labels of."""
    if lists := _lists(path):
        return set().union(*(read_eval_data_list(file) for file in lists))
    return {match["machine"] for _, match in _files(path)}


def _read(file: Path, match: re.Match[str]) -> GroundTruth:
    domain = cast("Domain | None", match["domain"])
    labels = _table(file, match["section"], domain, "0 (normal) or 1 (anomaly)", _LABELS)
    folder = file.absolute().parent
    beside = folder.parent / _DOMAIN / file.name
    if domain is not None or folder.name != _DATA or not beside.exists():
        return GroundTruth(file, labels)
    domains = _table(beside, match["section"], None, "0 (source) or 1 (target)", _DOMAINS)
    for here, listed, there, others in ((beside, domains, file, labels), (file, labels, beside, domains)):
        if missing := [name for name in others if name not in listed]:
            raise DataError(f"{here} lacks {missing[0]}, which {there} lists. Copy the ground truth again.")
    return GroundTruth(file, labels, domains)


def _table(file: Path, section: str, domain: Domain | None, value: str, values: Mapping[str, T]) -> dict[str, T]:
    table: dict[str, T] = read_clip_table(
        file, section, domain, kind="ground truth", value=value, parse=lambda text: values.get(text)
    )
    return {as_wav(name): found for name, found in table.items()}


def _lists(path: Path) -> list[Path]:
    """Return the ``eval_data_list*.csv`` that a path is, or that a folder without other ground truth holds."""
    if not path.is_dir():
        return [path] if is_eval_data_list(path) and path.exists() else []
    return [] if _files(path) else [file for file in sorted(path.iterdir()) if is_eval_data_list(file)]


def _of_list(files: Collection[Path], machine: str) -> dict[Place, GroundTruth]:
    found: dict[str, tuple[Path, dict[str, ListedClip]]] = {}
    machines: set[str] = set()
    for file in files:
        listed = read_eval_data_list(file)
        machines |= set(listed)
        for section, clips in listed.get(machine, {}).items():
            if section in found:
                raise DataError(f"{file} and {found[section][0]} have labels of the same clips. Give one of them.")
            found[section] = file, clips
    if not found:
        raise DataError(
            f"{' and '.join(map(str, files))} has no ground truth for {machine}. It has: {', '.join(sorted(machines))}."
        )
    return {
        (section, None): GroundTruth(
            file,
            {name: clip.label for name, clip in clips.items()},
            {name: clip.domain for name, clip in clips.items() if clip.domain is not None},
        )
        for section, (file, clips) in found.items()
    }


def _files(path: Path) -> list[tuple[Path, re.Match[str]]]:
    """Return the ground truth files of a folder, or the one file, with what their names say."""
    folder = path if path.is_dir() else path.absolute().parent
    if folder.name in (_DOMAIN, _ATTRIBUTES):
        what = "domains" if folder.name == _DOMAIN else "attributes"
        raise DataError(f"{path} tells {what}, not labels. Give the folder that holds {_DATA}, {folder.parent}.")
    if path.is_dir():
        place = path / _DATA if (path / _DATA).is_dir() else path
        return [(file, match) for file in sorted(place.iterdir()) if (match := _NAME.fullmatch(file.name))]
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
