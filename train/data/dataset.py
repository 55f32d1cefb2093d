"""A machine's clips in the layouts of MIMII DUE and DCASE Task 2, 2020 to 2026: any machine, any sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from edge_asd.audio.health import dead_text
from edge_asd.audio.recording_file import Recording, read_recording
from edge_asd.audio.recording_stream import file_header
from edge_asd.clips import DOMAINS, FOLDERS, ClipName, Domain, Split, as_wav, parse_section, says_anomaly
from edge_asd.errors import AudioFormatError, DataError
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.own_set import is_own
from edge_asd.train.data.attributes import read_attributes
from edge_asd.train.data.ground_truth import Place, read_ground_truth, truth_place
from edge_asd.train.data.layout import mixed_forms, place_fault, read_layout, told_year


@dataclass(frozen=True, slots=True)
class Clip:
    """One WAV file of a data set.

    Attributes
    ----------
    path : Path
    name : ClipName
        What its file name says; its label may come from a ground truth file instead.
    key : str
        "<folder>/<file>": names the clip within its machine, on any computer.
    channel : int >= 0
        The one of its channels that is listened to.
    attributes : tuple of (str, str)
        Names and values of what else is told of it, by a file of attributes or else by its name.
    """

    path: Path
    name: ClipName
    key: str
    channel: int = 0
    attributes: tuple[tuple[str, str], ...] = ()

    def read(self, spec: FeatureSpec, window_frames: int, *, contents: bytes | None = None) -> Recording:
        """Read the clip at the front end's rate, or its file's contents where they were read already.

        Raises
        ------
        AudioFormatError
            If the file cannot be used.
        DataError
            If it is silent or dead somewhere (`edge_asd.audio.health`), or shorter than one window.
        """
        recording = read_recording(self.path, sample_rate=spec.sample_rate, channel=self.channel, contents=contents)
        text = dead_text(recording.pcm, spec.sample_rate, channel=self.channel, sounding=recording.sounding_channels)
        if text:
            raise DataError(f"{self.path} {text}")
        if spec.frame_count(recording.pcm.size) < window_frames:
            seconds = spec.sample_count(window_frames) / spec.sample_rate
            raise DataError(
                f"{self.path} is {recording.pcm.size / spec.sample_rate:.2f} s long, shorter than one window "
                f"({seconds:.2f} s). Remove it, or use a longer recording."
            )
        return recording


class Dataset:
    """The clips of one machine below ``root/machine/{train,source_test,target_test}`` or ``root/machine/{train,test}``.

    Parameters
    ----------
    root : Path
        Folder that holds one folder a machine.
    machine : str
    sections : sequence of str, optional
        Sections to keep; all of them by default.
    ground_truth : Path, optional
        File or folder with the labels of evaluation clips (see `edge_asd.train.data.ground_truth`).
    channel : int >= 0
        Channel of every clip to listen to.

    Attributes
    ----------
    clips : list of Clip
        Small objects in the order of their paths; no sound is read.
    notes : list of str
        What the user should know about them.
    year : int
        Of the DCASE challenge whose layout it has, as far as it can be told (`edge_asd.train.data.layout.told_year`):
        2020, 2021 (MIMII DUE, and sets made by this program, too), or 2022 to 2026.

    Raises
    ------
    DataError
        If the folder, the machine, its clips or a section is not there, a file name cannot be read, the layouts of
        two years are mixed, or the ground truth does not fit.
    """

    def __init__(
        self,
        root: Path,
        machine: str,
        sections: Sequence[str] | None = None,
        *,
        ground_truth: Path | None = None,
        channel: int = 0,
    ) -> None:
        self.root, self.machine = root, machine
        folder = _machine_folder(root, machine)
        self._layout = read_layout(folder)
        if self._layout.mixed:
            raise DataError(f"{folder} {self._layout.mixed}")
        self.notes: list[str] = self._layout.notes()
        self.clips: list[Clip] = [
            Clip(path, name, f"{path.parent.name}/{path.name}", channel, name.attribute_pairs)
            for path, name in ((path, _parse_name(path)) for path in self._layout.paths)
        ]
        self._files = [(clip.path.name, clip.name) for clip in self.clips]
        if text := mixed_forms(self._files):
            raise DataError(f"{folder} {text}")
        if not self.clips:
            raise DataError(f"{folder} holds no clips. Expected sound files in {', '.join(FOLDERS)} below it.")
        there = self.sections
        if sections is not None:
            wanted = {parse_section(section) for section in sections}
            if not wanted:
                raise DataError(f"No section was asked for. There are: {', '.join(there)}.")
            if missing := sorted(wanted - set(there)):
                raise DataError(f"{folder} has no section {', '.join(missing)}. It has: {', '.join(there)}.")
            self.clips = [clip for clip in self.clips if clip.name.section in wanted]
        for path in self._layout.attributes:
            self._take(path)
        if ground_truth is not None:
            self._join(ground_truth)

    @cached_property
    def year(self) -> int:
        """See the class."""
        return told_year(self._layout, self._files, self._channels)

    def _channels(self) -> int | None:
        try:
            return file_header(self.clips[0].path).channels
        except AudioFormatError:
            return None  # whoever reads the clip is told

    @property
    def sections(self) -> list[str]:
        """Sections that have clips, sorted."""
        return sorted({clip.name.section for clip in self.clips})

    @property
    def expected_domains(self) -> tuple[Domain, ...]:
        """Domains whose clips are missed where a section has none: of a set of one's own, those that it has at all."""
        if not is_own(self.root / self.machine):
            return DOMAINS
        return tuple(domain for domain in DOMAINS if any(clip.name.domain == domain for clip in self.clips))

    def select(self, *, split: Split, section: str | None = None, domain: Domain | None = None) -> list[Clip]:
        """Return the clips of a split, and of a section and domain where they are given."""
        return [
            clip
            for clip in self.clips
            if clip.name.split == split and section in (None, clip.name.section) and domain in (None, clip.name.domain)
        ]

    def _take(self, path: Path) -> None:
        """Take attributes from their file; say where it and the clips do not fit. No figure rests on it."""
        try:
            told = read_attributes(path)
        except DataError as error:
            self.notes.append(f"The attributes are those of the clips' names: {error}")
            return
        if told.section not in self.sections:
            return
        for i, clip in enumerate(self.clips):
            if (pairs := told.rows.get(as_wav(clip.path.name))) is not None:
                self.clips[i] = replace(clip, attributes=pairs)
        faults, notes = told.misfits(self._files)
        self.notes += [f"{told.path} {text}" for text in (*faults, *notes)]

    def _join(self, ground_truth: Path) -> None:
        """Take labels and domains from ground truth files; what a name tells, too, must agree."""
        truths = read_ground_truth(ground_truth, self.machine)
        seen: dict[Place, set[str]] = {place: set() for place in truths}
        for i, clip in enumerate(self.clips):
            name, file = clip.name, clip.path.name
            place = truth_place(truths, name.section, name.domain)
            if place is None or name.split != "test":
                continue
            seen[place].add(file)
            label = truths[place].label(name, file, clip.path)
            domain = truths[place].domain(name, file, clip.path)
            self.clips[i] = replace(clip, name=replace(name, label=label, domain=domain))
        for place, truth in sorted(truths.items(), key=lambda item: (item[0][0], item[0][1] or "")):
            if place[0] in self.sections and (note := truth.unused_note(seen[place])):
                self.notes.append(note)


def machine_folders(root: Path) -> list[Path]:
    """Return the folders of machines below `root`, sorted.

    Raises
    ------
    DataError
        If `root` is not a folder, has no machine, or is itself a machine's folder.
    """
    if not root.is_dir():
        what = f"{root} is no folder" if root.exists() else f"There is no folder {root}"
        raise DataError(f"{what}. Give the folder that holds one folder per machine, such as fan/.")
    machines = sorted(entry for entry in root.iterdir() if any((entry / name).is_dir() for name in FOLDERS))
    if machines:
        return machines
    if any((root / name).is_dir() for name in FOLDERS):
        raise DataError(f"{root} is itself a machine's folder. Give the folder above it, {root.absolute().parent}.")
    raise DataError(f"{root} has no machine: no folder in it contains {', '.join(FOLDERS[:-1])} or {FOLDERS[-1]}.")


def machine_names(root: Path, wanted: str) -> list[str]:
    """Read a choice of the machines below `root`, as `chosen_machines` does.

    Raises
    ------
    DataError
        If `root` has no machine, or `wanted` names one twice or one that is not there.
    """
    return chosen_machines(wanted, [folder.name for folder in machine_folders(root)], str(root))


def chosen_machines(wanted: str, there: Sequence[str], where: str) -> list[str]:
    """Read a choice of machines: "fan", "fan,pump", or "all" that are there.

    Raises
    ------
    DataError
        If `wanted` names one twice, or one that is not there; `where` is the error's subject.
    """
    if wanted == "all":
        return list(there)
    names = [name.strip() for name in wanted.split(",")]
    if "" in names:
        raise DataError(f"There is an empty name in {wanted!r}. Give names with commas between them, or all.")
    if len(set(names)) < len(names):
        raise DataError(f"A machine is named twice in {wanted!r}. Name each once.")
    for name in names:
        if name not in there:
            raise _no_machine(where, name, there)
    return names


def _machine_folder(root: Path, machine: str) -> Path:
    machines = [folder.name for folder in machine_folders(root)]
    if machine not in machines:
        raise _no_machine(str(root), machine, machines)
    return root / machine


def _no_machine(where: str, machine: str, there: Sequence[str]) -> DataError:
    return DataError(f"{where} has no machine {machine!r}. It has: {', '.join(there)}.")


def _parse_name(path: Path) -> ClipName:
    try:
        name = ClipName.parse(path.name, path.parent.name)
    except DataError as error:
        raise DataError(f"{path.parent}: {error}") from None
    if fault := place_fault(name, path.parent.name):
        raise DataError(f"{path} {fault}")
    if name.split == "train" and says_anomaly(path.name):
        raise DataError(f"{path} is an anomaly by its name, and training clips must all be healthy. Move it away.")
    return name
