"""The recipe for a user's own recordings of a machine, of noise, or of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.audio.recording_file import read_recording
from edge_asd.clips import DOMAINS, Domain, find_sounds, parse_section, says_anomaly
from edge_asd.errors import DataError
from edge_asd.train.data.marker import write_marker
from edge_asd.train.data.table1 import MACHINES, table1
from edge_asd.train.synthesis.clip import SECONDS, ClipPlan, NoiseSource
from edge_asd.train.synthesis.factory import factory_noise, factory_of
from edge_asd.train.synthesis.presets import Preset
from edge_asd.train.synthesis.recipe import average_power, draw_snr, section_scale, to_pcm, tuned
from edge_asd.train.synthesis.signals import SAMPLE_RATE, Float64
from edge_asd.train.synthesis.writing import WORKERS, Made, Progress, preset_of, whole_folder, write_clips

__all__ = ["mix_recordings", "recorded_noise"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a recording, as long as a clip.

    Attributes
    ----------
    path : Path
    start, length : int
        In samples at 16 kHz.
    power : float > 0
    """

    path: Path
    start: int
    length: int
    power: float

    def read(self) -> Float64:
        """Return its samples, full scale 1."""
        return np.asarray(_samples(self.path)[self.start : self.start + self.length] / 32768.0)


@lru_cache(maxsize=4)
def _samples(path: Path) -> npt.NDArray[np.int16]:
    return read_recording(path, sample_rate=SAMPLE_RATE).pcm


def pieces_of(folder: Path, what: str, seconds: float, notes: list[str]) -> list[Piece]:
    """Cut the recordings of a folder into pieces; what is left over at their ends is not used.

    Parameters
    ----------
    folder : Path
    what : str
        Of what they are, for messages.
    seconds : float > 0
        Length of a piece.
    notes : list of str
        Gets what was passed over.

    Raises
    ------
    DataError
        If there is none, or one cannot be read, is shorter than a clip, or holds ten seconds of zeros.
    """
    length = round(seconds * SAMPLE_RATE)
    found = find_sounds(folder)
    paths = found.paths
    if not paths:
        raise DataError(f"{folder} holds no sound files. Put the recordings of {what} there.")
    # Recordings for the target domain lie below those for the source.
    others = [name for name in found.others if name != "target"]
    if left_out := replace(found, others=others).left_out():
        notes.append(f"{folder}: {left_out}.")
    _samples.cache_clear()  # files may have changed since an earlier call
    pieces = []
    for path in paths:
        pcm = _samples(path)
        if pcm.size < length:
            raise DataError(
                f"{path} is {pcm.size / SAMPLE_RATE:.2f} s long, shorter than a clip of {seconds:g} s. "
                "Remove it, or record longer."
            )
        for start in range(0, pcm.size - length + 1, length):
            power = float(np.mean(np.square(pcm[start : start + length] / 32768.0)))
            if power == 0:
                raise DataError(
                    f"{path} holds only zeros from {start / SAMPLE_RATE:.0f} s to {(start + length) / SAMPLE_RATE:.0f} "
                    "s. Remove it, or record it again: a muted input sounds like this."
                )
            pieces.append(Piece(path, start, length, power))
    return pieces


def recorded_noise(folder: Path, *, notes: list[str], seconds: float = SECONDS) -> NoiseSource:
    """Return a noise source that picks pieces of recordings at random.

    Parameters
    ----------
    folder : Path
        Holds WAV files.
    seconds : float > 0
        Length of the clips that will be asked for.
    notes : list of str
        Gets what was passed over.

    Raises
    ------
    DataError
        As `pieces_of`.
    """
    pieces = pieces_of(folder, "noise", seconds, notes)

    def noise(n: int, rng: np.random.Generator) -> Float64:
        return pieces[int(rng.integers(len(pieces)))].read()[:n]

    return noise


def mix_recordings(
    root: Path,
    *,
    machine: str,
    machine_clips: Path,
    noise_clips: Path | None = None,
    preset: str = "small",
    section: str = "00",
    seed: int = 0,
    seconds: float = SECONDS,
    workers: int = WORKERS,
    progress: Progress = lambda *_: None,
) -> Made:
    """Mix recordings of a machine with noise by the paper's recipe, in the MIMII DUE layout.

    The recordings keep their level, and get no room: they were made in one. No second of them is used twice;
    the last third of the healthy ones at most is for tests.

    Parameters
    ----------
    root : Path
        Folder that gets the folder `machine`; made if missing.
    machine : str
        One of Table 1's: its signal-to-noise ratios are used.
    machine_clips : Path
        Holds the folders normal and anomaly with WAV files of any length from `seconds` on; and the same
        two below target, where there is a target domain.
    noise_clips : Path, optional
        Holds WAV files of noise, and those for the target domain below target, where they differ.
        Synthetic factories by default.
    preset : {"tiny", "small", "full"}
        The most clips that are made.
    section : str
        Row of Table 1, and section in the names.
    seed, seconds, workers, progress
        As in `make_dataset`.

    Returns
    -------
    made : Made

    Raises
    ------
    DataError
        If recordings are missing, too few, silent, too short or cannot be read.
    OutputError
        If the folder exists already or cannot be written. Nothing half-written stays behind.
    """
    size = preset_of(preset)
    section = parse_section(section)
    if (machine, section) not in table1():
        raise DataError(f"Table 1 has no section {section} of {machine!r}. It has 00 to 05 of {', '.join(MACHINES)}.")
    if not machine_clips.is_dir():
        raise DataError(f"{machine_clips} is not a folder. It should hold the folders normal and anomaly.")
    domains: list[Domain] = [d for d in DOMAINS if d == "source" or (machine_clips / "target").is_dir()]
    notes: list[str] = []
    assigned: dict[ClipPlan, Piece] = {}
    noises: dict[Domain, NoiseSource | None] = dict.fromkeys(domains)
    for domain in domains:
        assigned |= _assign(size, machine, section, domain, machine_clips, seconds, notes)
        if noise_clips is not None:
            own = domain == "target" and (noise_clips / "target").is_dir()
            noises[domain] = recorded_noise(
                noise_clips / "target" if own else noise_clips, notes=notes, seconds=seconds
            )
    a = average_power(piece.power for piece in assigned.values())
    row = table1()[machine, section]
    scale = section_scale(row, a, size.easier_db)

    def make(plan: ClipPlan) -> tuple[npt.NDArray[np.int16], str]:
        rng = plan.generator(seed)
        sound = assigned[plan].read()
        snr_db = draw_snr(row.domain(plan.domain), size.easier_db, rng)
        picked = noises[plan.domain]
        if picked is None:
            noise = factory_noise(factory_of(machine, section, plan.domain), sound.size, rng)
        else:
            noise = picked(sound.size, rng)
        name = plan.name(f"snr_{'m' if snr_db < 0 else ''}{abs(snr_db):.0f}dB")
        return to_pcm(sound + tuned(noise, a, snr_db), scale, rng), name.file_name()

    with whole_folder(root / machine) as folder:
        rows = write_clips(folder, list(assigned), make, workers=workers, progress=progress)
        write_marker(folder, preset=preset, seed=seed, table1_counts=False, recordings=True)
    return Made(root / machine, machine, rows, tuple(dict.fromkeys(notes)))


def _assign(
    size: Preset, machine: str, section: str, domain: Domain, machine_clips: Path, seconds: float, notes: list[str]
) -> dict[ClipPlan, Piece]:
    """Give each clip of a domain its own piece; tests get the last of the healthy ones."""
    folder = machine_clips / "target" if domain == "target" else machine_clips
    healthy = folder / "normal"
    if named := [path for path in find_sounds(healthy).paths if says_anomaly(path.name)]:
        raise DataError(f"{named[0]} is an anomaly by its name, and lies among the healthy recordings. Move it away.")
    normal = pieces_of(healthy, "the healthy machine", seconds, notes)
    anomaly = pieces_of(folder / "anomaly", "the faulty machine", seconds, notes)
    wanted = size.counts(machine, section)
    tests = min(wanted[domain, "test", "normal"], len(normal) // 3)
    if tests < 1:
        raise DataError(
            f"{folder / 'normal'} is enough for {len(normal)} clips of {seconds:g} s, and three are the least: two for "
            "training, one for testing. Record the healthy machine for longer."
        )
    groups: Sequence[tuple[str, str, Sequence[Piece]]] = (
        ("train", "normal", normal[: -tests or None][: wanted[domain, "train", "normal"]]),
        ("test", "normal", normal[-tests:]),
        ("test", "anomaly", anomaly[: wanted[domain, "test", "anomaly"]]),
    )
    return {
        ClipPlan(machine, section, domain, split, label, index): piece  # type: ignore[arg-type]
        for split, label, group in groups
        for index, piece in enumerate(group)
    }
