"""How a machine's folder is laid out, and the year of DCASE Task 2 that lays it out so."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_asd.clips import FOLDERS, NO_ATTRIBUTES, ClipName, SoundFiles, find_sounds
from edge_asd.own_set.mark import OWN_FILES
from edge_asd.train.data.attributes import is_attributes_file
from edge_asd.train.data.marker import MARKER

SUPPLEMENTAL = "supplemental"
"""Folder with sound of the machine, or of noise, alone, from 2025 on; it is neither trained on nor scored."""

_SPLIT_TESTS = FOLDERS[1:3]
_ONE_TEST = FOLDERS[3]


@dataclass(frozen=True, slots=True)
class Layout:
    """What lies in a machine's folder.

    Attributes
    ----------
    folder : Path
    found : dict of str to SoundFiles
        The clips by the folder, of `edge_asd.clips.FOLDERS`, in which they lie.
    supplemental : SoundFiles
    attributes : list of Path
        Files of attributes, sorted.
    others : list of str
        Names of other files and folders, hidden ones left out.
    """

    folder: Path
    found: dict[str, SoundFiles]
    supplemental: SoundFiles
    attributes: list[Path] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def paths(self) -> list[Path]:
        """All clips, folder by folder."""
        return [path for found in self.found.values() for path in found.paths]

    @property
    def mixed(self) -> str | None:
        """Say which layouts are mixed; None where there is one. It goes on where the folder's path ends."""
        split = [name for name in _SPLIT_TESTS if self.found[name].paths]
        if split and self.found[_ONE_TEST].paths:
            return (
                f"holds test clips in {_ONE_TEST} and in {' and '.join(split)}: the layouts of two years. Keep one of "
                "them, or give each year's machine a folder of its own."
            )
        return None

    def notes(self) -> list[str]:
        """Say what lies here and is not used, each thing as a sentence."""
        name = self.folder.name
        notes = []
        if count := len(self.supplemental.paths):
            notes.append(
                f"{name}: {count} supplemental clip{'s' if count > 1 else ''} in {SUPPLEMENTAL}, neither trained on "
                "nor scored."
            )
        hidden, others = [], list(self.others)
        for place, found in {**self.found, SUPPLEMENTAL: self.supplemental}.items():
            hidden += [f"{place}/{file}" for file in found.hidden]
            others += [f"{place}/{file}" for file in found.others]
        if left_out := SoundFiles(hidden=hidden, others=others).left_out():
            notes.append(f"{name}: {left_out}.")
        return notes


def read_layout(folder: Path) -> Layout:
    """List what lies in a machine's folder; nothing is opened."""
    known = {*FOLDERS, SUPPLEMENTAL, MARKER, *OWN_FILES}
    names = sorted(entry.name for entry in os.scandir(folder) if entry.name not in known and entry.name[0] != ".")
    return Layout(
        folder,
        {name: find_sounds(folder / name) for name in FOLDERS},
        find_sounds(folder / SUPPLEMENTAL),
        [folder / name for name in names if is_attributes_file(name)],
        [name for name in names if not is_attributes_file(name)],
    )


def place_fault(name: ClipName, folder: str) -> str | None:
    """Say what is wrong with where a clip lies; None where nothing is. It goes on where the clip's path ends."""
    if folder in name.folders:
        return None
    if name.form == "id" and name.label is None:
        return f"is a test clip by its name, for it tells no label, but lies in {folder}. Move it to {name.folder}."
    return f"says {name.place} but lies in {folder}. Move it to {' or '.join(name.folders)}, or rename it."


def mixed_forms(files: Sequence[tuple[str, ClipName]]) -> str | None:
    """Say that names of 2020 lie beside those of later years; None where they do not."""
    examples = {name.form: file for file, name in reversed(files)}
    if len(examples) < 2:
        return None
    return (
        f"holds clips named as in 2020, such as {examples['id']}, and as in later years, such as "
        f"{examples['section']}. Give each year's machine a folder of its own."
    )


def told_year(layout: Layout, files: Sequence[tuple[str, ClipName]], channels: Callable[[], int | None]) -> int:
    """Tell the year of a machine's data: the earliest whose complete archives look like it.

    What tells: names with ids, 2020; folders ``source_test`` and ``target_test``, or training clips alone, 2021; one
    folder ``test`` with attributes in its labelled names or no domain in the others, or files of attributes, 2022;
    section 00 alone, as each machine has from 2023 on, 2023; `NO_ATTRIBUTES` or nothing after the last underscore of
    a labelled name, 2024; a folder ``supplemental``, 2025; two channels, 2026. Data of a later year that shows nothing
    of this looks like an earlier one's.

    Parameters
    ----------
    layout : Layout
    files : sequence of (str, ClipName)
        Names of its clips that can be read, and what they say.
    channels : callable
        Returns the number of channels of a clip, None where no clip can be read; called only where it matters.

    Returns
    -------
    year : int
        2020 to 2026.
    """
    names = [name for _, name in files]
    if any(name.form == "id" for name in names):
        return 2020
    supplemental = (layout.folder / SUPPLEMENTAL).is_dir()
    untold = any(
        name.attributes == NO_ATTRIBUTES or (name.label and not name.attributes and Path(file).stem.endswith("_"))
        for file, name in files
    )
    # Test clips that tell neither attributes nor an unknown domain were merged from the two folders of 2021.
    tests = any(name.domain is None or (name.label and name.attributes) for name in names if name.split == "test")
    later = tests or layout.attributes or supplemental or untold
    if any(layout.found[name].paths for name in _SPLIT_TESTS) or not later:
        return 2021
    if channels() == 2:
        return 2026
    if supplemental:
        return 2025
    if untold:
        return 2024
    return 2023 if {name.section for name in names} == {"00"} else 2022
