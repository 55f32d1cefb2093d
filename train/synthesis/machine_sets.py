"""Synthetic data sets of several machines, each a part of a sweep."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from edge_asd.sweeps.parts import Voice
from edge_asd.sweeps.running import Standing, Where, results_of, sweep
from edge_asd.train.backend import TRAINING
from edge_asd.train.synthesis.recordings import mix_recordings, recorded_noise
from edge_asd.train.synthesis.writing import WORKERS, Made, make_dataset, unfinished, whole_folder

_MAKING = "making clips"


def make_machines(
    out: Path,
    machines: Sequence[str],
    *,
    preset: str = "tiny",
    sections: Sequence[str] | None = None,
    seed: int = 0,
    machine_clips: Path | None = None,
    noise_clips: Path | None = None,
    workers: int = WORKERS,
    where: Where,
    progress: Callable[[Standing], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> list[Made]:
    """Write the data sets of machines into a folder, all of them or none.

    Parameters
    ----------
    out : Path
        It must not be there yet.
    machines : sequence of str
    preset, sections, seed, workers
        As in `edge_asd.train.synthesis.writing.make_dataset`. Nor does `where` change a byte.
    machine_clips : Path, optional
        Recordings of the one machine, for `edge_asd.train.synthesis.recordings.mix_recordings`.
    noise_clips : Path, optional
        Recordings of noise.
    where, progress, note
        See `edge_asd.sweeps.running.sweep`.

    Raises
    ------
    EdgeAsdError
        If a machine's set cannot be made: then nothing stays.
    """
    with whole_folder(out) as folder:
        parts = [(machine, machine) for machine in machines]
        work = partial(
            _make,
            folder=where.path(folder),
            preset=preset,
            sections=sections,
            seed=seed,
            machine_clips=machine_clips and where.path(machine_clips),
            noise_clips=noise_clips and where.path(noise_clips),
            workers=workers,
        )
        reads = [path for path in (machine_clips, noise_clips) if path is not None]
        outcomes = sweep(
            parts,
            work,
            where,
            reads=reads,
            writes=folder,
            alike=TRAINING,
            main=_MAKING,
            progress=progress,
            note=note,
        )
        return results_of(parts, outcomes, "Nothing is kept.")


def _make(
    machine: str,
    voice: Voice,
    *,
    folder: Path,
    preset: str,
    sections: Sequence[str] | None,
    seed: int,
    machine_clips: Path | None,
    noise_clips: Path | None,
    workers: int,
) -> Made:
    for partial_ in unfinished(folder / machine):  # by a process that was killed
        shutil.rmtree(partial_)

    def making(done: int, total: int) -> None:
        voice.step(_MAKING, done, total)

    if machine_clips is not None:
        return mix_recordings(
            folder,
            machine=machine,
            machine_clips=machine_clips,
            noise_clips=noise_clips,
            preset=preset,
            section=sections[0] if sections else "00",
            seed=seed,
            workers=workers,
            progress=making,
        )
    notes: list[str] = []
    noise = recorded_noise(noise_clips, notes=notes) if noise_clips else None
    made = make_dataset(
        folder,
        machine=machine,
        preset=preset,
        sections=sections,
        seed=seed,
        noise=noise,
        workers=workers,
        progress=making,
    )
    return replace(made, notes=(*notes, *made.notes))
