"""A machine's clips in the layout of MIMII DUE: any machine, any sections, domains that may be missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.audio.wav import Recording, read_wav
from edge_asd.clips import ClipName, Domain, Split, parse_section
from edge_asd.errors import DataError
from edge_asd.frontend.spec import FeatureSpec

FOLDERS = ("train", "source_test", "target_test")


@dataclass(frozen=True, slots=True)
class Clip:
    """One WAV file of a data set.

    Attributes
    ----------
    path : Path
    name : ClipName
        What its file name says.
    key : str
        "<folder>/<file>": names the clip within its machine, on any computer.
    """

    path: Path
    name: ClipName
    key: str

    def read(self, spec: FeatureSpec, window_frames: int, channel: int = 0) -> Recording:
        """Read the clip at the front end's rate.

        Raises
        ------
        AudioFormatError
            If the file cannot be used.
        DataError
            If it is silent, or shorter than one window.
        """
        recording = read_wav(self.path, sample_rate=spec.sample_rate, channel=channel)
        if recording.silent:
            raise DataError(
                f"{self.path} holds only zeros. Remove it, or record it again: a muted input sounds like this."
            )
        if spec.frame_count(recording.pcm.size) < window_frames:
            seconds = spec.sample_count(window_frames) / spec.sample_rate
            raise DataError(
                f"{self.path} is {recording.pcm.size / spec.sample_rate:.2f} s long, shorter than one window "
                f"({seconds:.2f} s). Remove it, or use a longer recording."
            )
        return recording


class Dataset:
    """The clips of one machine below ``root/machine/{train,source_test,target_test}``.

    Parameters
    ----------
    root : Path
        Folder that holds one folder a machine.
    machine : str
    sections : sequence of str, optional
        Sections to keep; all of them by default.

    Raises
    ------
    DataError
        If the folder, the machine, its clips or a section is not there, or a file name cannot be read.
    """

    def __init__(self, root: Path, machine: str, sections: Sequence[str] | None = None) -> None:
        self.root, self.machine = root, machine
        folder = _machine_folder(root, machine)
        self.clips: list[Clip] = [
            Clip(path, _parse_name(path), f"{path.parent.name}/{path.name}")
            for name in FOLDERS
            for path in sorted((folder / name).iterdir() if (folder / name).is_dir() else ())
            if path.name.lower().endswith(".wav")
        ]
        if not self.clips:
            raise DataError(f"{folder} holds no clips. Expected WAV files in {', '.join(FOLDERS)} below it.")
        found = sorted({clip.name.section for clip in self.clips})
        if sections is not None:
            wanted = {parse_section(section) for section in sections}
            if not wanted:
                raise DataError(f"No section was asked for. There are: {', '.join(found)}.")
            if missing := sorted(wanted - set(found)):
                raise DataError(f"{folder} has no section {', '.join(missing)}. It has: {', '.join(found)}.")
            self.clips = [clip for clip in self.clips if clip.name.section in wanted]

    @property
    def sections(self) -> list[str]:
        """Sections that have clips, sorted."""
        return sorted({clip.name.section for clip in self.clips})

    def select(self, *, split: Split, section: str | None = None, domain: Domain | None = None) -> list[Clip]:
        """Return the clips of a split, and of a section and domain where they are given."""
        return [
            clip
            for clip in self.clips
            if clip.name.split == split and section in (None, clip.name.section) and domain in (None, clip.name.domain)
        ]


def _machine_folder(root: Path, machine: str) -> Path:
    if not root.is_dir():
        raise DataError(f"There is no folder {root}. Give the folder that holds one folder a machine, such as fan/.")
    machines = sorted(entry.name for entry in root.iterdir() if any((entry / name).is_dir() for name in FOLDERS))
    if machine in machines:
        return root / machine
    if any((root / name).is_dir() for name in FOLDERS):
        raise DataError(
            f"{root} is itself a machine's folder. Give the folder above it, and the machine with --machine."
        )
    if not machines:
        raise DataError(f"{root} has no machine: no folder in it contains {', '.join(FOLDERS[:-1])} or {FOLDERS[-1]}.")
    raise DataError(f"{root} has no machine {machine!r}. It has: {', '.join(machines)}.")


def _parse_name(path: Path) -> ClipName:
    try:
        name = ClipName.parse(path.name)
    except DataError as error:
        raise DataError(f"{path.parent}: {error}") from None
    expected = "train" if path.parent.name == "train" else "test"
    if name.split != expected or (expected == "test" and path.parent.name != f"{name.domain}_test"):
        raise DataError(
            f"{path} says {name.domain} {name.split} but lies in {path.parent.name}. Move it, or rename it."
        )
    return name


def split_training(clips: Iterable[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Hold clips back from fitting, evenly spaced within each section and domain.

    A tenth is held back as in the published baselines, but at least ten clips where a third of
    them makes ten, and one of two: thresholds are fitted on what is held back.

    Returns
    -------
    fit, held_back : list of Clip
    """
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.name.section, clip.name.domain), []).append(clip)
    fit: list[Clip] = []
    held_back: list[Clip] = []
    for group in groups.values():
        n = len(group)
        count = 0 if n < 2 else max(1, round(n / 10), min(10, n // 3))
        chosen = {int((i + 0.5) * n / count) for i in range(count)}
        for i, clip in enumerate(group):
            (held_back if i in chosen else fit).append(clip)
    return fit, held_back


def level_db(pcm: npt.NDArray[np.int16]) -> float:
    """Return a clip's RMS level [dB re full scale]; the level-only score that ours must beat."""
    power = float(np.mean(np.square(pcm.astype(np.float64)))) / 2**30
    return 10 * float(np.log10(max(power, 1e-20)))


def content_hash(clips: Iterable[Clip]) -> str:
    """Return one SHA-256 for the keys and contents of clips, whatever their order."""
    lines = sorted(f"{clip.key} {hashlib.sha256(clip.path.read_bytes()).hexdigest()}" for clip in clips)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
