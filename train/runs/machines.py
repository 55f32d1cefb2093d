"""Trainings of several machines, each as `edge_asd.train.runs.fitting.train` does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge_asd.sweeps.parts import Failure, Voice
from edge_asd.sweeps.running import Standing, Where, sweep
from edge_asd.train.backend import TRAINING
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.runs.fitting import Settings, train
from edge_asd.train.runs.run import Run


@dataclass(frozen=True, slots=True)
class Training:
    """A machine's training.

    Attributes
    ----------
    machine : str
    folder : Path
        Of the run.
    settings : Settings
    """

    machine: str
    folder: Path
    settings: Settings


@dataclass(frozen=True, slots=True)
class _Begun:
    training: Training
    resume: bool
    was_there: bool


def train_machines(
    data: Path,
    trainings: Sequence[Training],
    writes: Path,
    *,
    sections: Sequence[str] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    cache: Path | None = None,
    where: Where,
    progress: Callable[[Standing], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> list[Run | Failure]:
    """Fit a detector of each machine; those that fail are told, and the others go on.

    Parameters
    ----------
    data : Path
        Data set in the layout of MIMII DUE.
    trainings : sequence of Training
    writes : Path
        The folder that holds those of the runs; it must be there.
    sections, overwrite
        As `edge_asd.train.runs.fitting.train` takes them.
    resume : bool
        Go on from the last whole epochs; of several machines, those that were not reached are begun.
    cache : Path, optional
        Folder of features; the user's by default.
    where, progress, note
        See `edge_asd.sweeps.running.sweep`.

    Returns
    -------
    outcomes : list
        Of each training in its turn.
    """
    begun = []
    for one in trainings:
        there = Run.exists(one.folder)
        begun.append(_Begun(one, resume and (there or len(trainings) == 1), there))
    work = partial(
        _fit,
        data=where.path(data),
        sections=sections,
        overwrite=overwrite,
        cache=cache and where.path(cache),
    )
    return sweep(
        [(one.training.machine, one) for one in begun],
        work,
        where,
        reads=[data],
        writes=writes,
        alike=TRAINING,
        main="epochs",
        progress=progress,
        note=note,
    )


def _fit(
    begun: _Begun, voice: Voice, *, data: Path, sections: Sequence[str] | None, overwrite: bool, cache: Path | None
) -> Run:
    one = begun.training
    return train(
        data,
        one.machine,
        one.folder,
        one.settings,
        sections=sections,
        # A run that was not there has this sweep begun, in a process that was killed.
        resume=begun.resume or (not begun.was_there and Run.exists(one.folder)),
        overwrite=overwrite,
        cache=FeatureCache(cache, note=voice.note),
        note=voice.note,
        progress=voice.step,
    )
