"""Writing synthetic data sets: whole or not at all, in parallel, with the same bytes whatever the order of work."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.audio.health import level_db
from edge_asd.clips import DUE_FOLDERS
from edge_asd.errors import DataError, OutputError
from edge_asd.train.data.marker import write_marker
from edge_asd.train.synthesis.clip import SECONDS, ClipPlan, NoiseSource, machine_power, make_clip
from edge_asd.train.synthesis.levels import Level, LevelRow, level_rows
from edge_asd.train.synthesis.presets import PRESETS, Preset
from edge_asd.train.synthesis.recipe import average_power
from edge_asd.train.synthesis.signals import SAMPLE_RATE
from edge_asd.wav_writing import write_wav

Progress = Callable[[int, int], None]
"""Called with (clips done, all)."""

Maker = Callable[[ClipPlan], tuple[npt.NDArray[np.int16], str]]
"""Returns the samples and the file name of a planned clip."""

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Made:
    """A machine's data set.

    Attributes
    ----------
    folder : Path
        Holds train, source_test and target_test.
    machine : str
    rows : list of LevelRow
        Clips and the AUC of their level, by section and domain.
    notes : tuple of str
        What the user should know of the recordings that went into it.
    """

    folder: Path
    machine: str
    rows: list[LevelRow]
    notes: tuple[str, ...] = ()


def make_dataset(
    root: Path,
    *,
    machine: str = "fan",
    preset: str = "tiny",
    sections: Sequence[str] | None = None,
    seed: int = 0,
    seconds: float = SECONDS,
    noise: NoiseSource | None = None,
    workers: int = WORKERS,
    progress: Progress = lambda *_: None,
) -> Made:
    """Write a machine's data set in the MIMII DUE layout.

    Parameters
    ----------
    root : Path
        Folder that gets the folder `machine`; made if missing.
    machine : str
        One of Table 1's.
    preset : {"tiny", "small", "full"}
    sections : sequence of str, optional
        The preset's by default.
    seed : int >= 0
        One seed gives identical bytes, whatever the number of workers.
    seconds : float > 0
        Length of each clip.
    noise : callable, optional
        Noise in place of the synthetic factories'.
    workers : int > 0
        Threads; most of the work leaves Python's lock.
    progress : callable, optional
        See `Progress`.

    Returns
    -------
    made : Made

    Raises
    ------
    DataError
        If there is no model of `machine`, no such preset, or no such section.
    OutputError
        If the folder exists already or cannot be written. Nothing half-written stays behind.
    """
    size = preset_of(preset)
    plans, powers = [], {}
    for section in size.chosen(machine, sections):
        of_section = size.plans(machine, section)
        powers[section] = average_power(machine_power(plan, seed) for plan in of_section)
        plans += of_section

    def make(plan: ClipPlan) -> tuple[npt.NDArray[np.int16], str]:
        a = powers[plan.section]
        return make_clip(plan, seed=seed, seconds=seconds, a=a, easier_db=size.easier_db, noise=noise)

    with whole_folder(root / machine) as folder:
        rows = write_clips(folder, plans, make, workers=workers, progress=progress)
        write_marker(folder, preset=preset, seed=seed, table1_counts=preset == "full" and sections is None)
    return Made(root / machine, machine, rows)


def preset_of(name: str) -> Preset:
    """Return a preset by its name.

    Raises
    ------
    DataError
        If there is none.
    """
    if name not in PRESETS:
        raise DataError(f"There is no preset {name!r}. There are: {', '.join(PRESETS)}.")
    return PRESETS[name]


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `folder` when all went well, and is removed otherwise.

    Raises
    ------
    OutputError
        If `folder` exists already or cannot be written.
    """
    if os.path.lexists(folder):
        raise OutputError(f"{folder} exists already. Remove it, or choose another folder for the synthetic data set.")
    partial = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
        partial.chmod(0o755)
        yield partial
        os.rename(partial, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)


def unfinished(folder: Path) -> list[Path]:
    """List what killed processes have left of `whole_folder`, or others are at."""
    return list(folder.parent.glob(f"{_prefix(folder)}*"))


def _prefix(folder: Path) -> str:
    return f".{folder.name}-"


def cannot_write(place: Path, error: OSError) -> OutputError:
    """Return the error for a place that cannot be written."""
    return OutputError(f"{place} cannot be written ({error}). Choose a folder with room that you may write.")


def write_clips(
    folder: Path, plans: Sequence[ClipPlan], make: Maker, *, workers: int, progress: Progress
) -> list[LevelRow]:
    """Make clips in threads and write them below `folder`; return what they hold."""
    for name in DUE_FOLDERS:
        (folder / name).mkdir()
    keep_freed_memory()

    def write(plan: ClipPlan) -> Level:
        pcm, name = make(plan)
        write_wav(folder / plan.name().folder / name, pcm, SAMPLE_RATE)
        return Level(plan.section, plan.domain, plan.split, plan.label, level_db(pcm))

    levels: list[Level] = []
    pool = ThreadPoolExecutor(max_workers=workers)
    try:
        for level in pool.map(write, plans):
            levels.append(level)
            progress(len(levels), len(plans))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return level_rows(levels)


def keep_freed_memory() -> None:
    """Free one large block, after which glibc keeps the megabytes that every clip takes and gives back.

    Without it the kernel hands out each page anew: ``benchmarks/synthesis.py`` has 18 times the page
    faults, and 1.2 times the time.
    """
    np.empty(1 << 24, np.int8)
