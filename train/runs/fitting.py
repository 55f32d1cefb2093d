"""Fitting a detector of one machine; a network's training can be stopped and resumed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge_asd.bundle.kinds import AUTOENCODER, DISTANCE, KINDS
from edge_asd.errors import DataError, ModelError
from edge_asd.files import kept_if_filled
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.own_set import imported_places, is_own
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.data.hashes import content_hash
from edge_asd.train.data.rates import header_notes, headers_of
from edge_asd.train.data.splits import SPLITS, own_apart, split_faithful, split_own, split_training
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.networks.baselines import BASELINES
from edge_asd.train.runs.distance_fitting import fit_distance, score_frames_of
from edge_asd.train.runs.epochs import Fitting, Progress
from edge_asd.train.runs.run import Run, check_features
from edge_asd.train.runs.schedule import Schedule, own_schedule, published_schedule
from edge_asd.train.runs.sufficiency import clips_of_run, threshold_notes

SCORE_SECONDS = 10.0
"""Default span of a clip or rolling score [s], the length of MIMII DUE's clips."""

MAX_BATCH_SIZE = 65_536
"""Windows in a batch at most."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to fit; what is None is as published, or as suits a user's own machine (`edge_asd.train.runs.schedule`).

    Attributes
    ----------
    model : str
        One of `edge_asd.bundle.kinds.KINDS`.
    epochs : int > 0, optional
        Epochs in all, those before a resume included.
    batch_size : int > 0, optional
    learning_rate : float > 0, optional
        Adam's.
    seed : int
    faithful : bool
        As the published code does: padded float features, and its split.
    split : str
        How clips are held back, one of `SPLITS`.
    patience : int, optional
        Stop after so many epochs that were not better on the clips held back; 0: never.
    negatives : tuple of str
        Other machines of the data set, a further class each for a classifier.
    channel : int
        Channel of the clips to listen to.
    features : FeatureSpec
        What the model hears; the published code's by default, and always where `faithful`.
    score_seconds : float > 0, optional [s]
        Of the distance detector, which is fitted for one span of a score; `SCORE_SECONDS` by default, or the shortest
        clip.
    """

    model: str = AUTOENCODER.name
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    seed: int = 0
    faithful: bool = False
    split: str = "default"
    patience: int | None = None
    negatives: tuple[str, ...] = ()
    channel: int = 0
    features: FeatureSpec = field(default_factory=FeatureSpec)
    score_seconds: float | None = None


def train(
    data: Path,
    machine: str,
    out: Path,
    settings: Settings | None = None,
    *,
    sections: Sequence[str] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    cache: FeatureCache | None = None,
    progress: Progress = lambda *_: None,
    note: Callable[[str], None] = lambda _: None,
) -> Run:
    """Fit a detector of one machine and keep it in a run folder.

    Parameters
    ----------
    data : Path
        Data set in the layout of MIMII DUE.
    machine : str
    out : Path
        Folder of the run.
    settings : Settings, optional
    sections : sequence of str, optional
        Sections to fit together; all of them by default.
    resume : bool
        Go on from the last whole epoch of the run in `out`.
    overwrite : bool
        Replace a run that `out` already holds.
    cache : FeatureCache, optional
        The user's by default.
    progress : callable, optional
        See `Progress`.
    note : callable, optional
        Called with a sentence for what the user should know about the data.

    Returns
    -------
    run : Run
        Also written to `out` after every epoch.

    Raises
    ------
    EdgeAsdError
        If the data cannot be used, the run does not fit it, or `out` cannot be written.
    """
    settings = settings or Settings()
    _check(settings)
    with kept_if_filled(out):
        return _train(
            data, machine, out, settings, sections, resume, overwrite, cache or FeatureCache(), progress, note
        )


def _train(
    data: Path,
    machine: str,
    out: Path,
    settings: Settings,
    sections: Sequence[str] | None,
    resume: bool,
    overwrite: bool,
    cache: FeatureCache,
    progress: Progress,
    note: Callable[[str], None],
) -> Run:
    kind = KINDS[settings.model]
    dataset = Dataset(data, machine, sections, channel=settings.channel)
    clips = dataset.select(split="train")
    missing = [section for section in dataset.sections if not any(clip.name.section == section for clip in clips)]
    if missing:
        raise DataError(
            f"{data / machine}: section {', '.join(missing)} has no training clips. Leave it out with --sections."
        )
    if kind.classifies and len(dataset.sections) + len(settings.negatives) < 2:
        raise DataError(
            f"{data / machine} has a single section, {dataset.sections[0]}: there is nothing to tell it apart from. "
            "Use --model distance or ae, or name other machines of the data set as further classes with --negatives."
        )
    exists = Run.exists(out)
    # Its own files are replaced or removed by name; whatever else lies there is somebody's.
    if not exists and any(out.iterdir()):
        raise ModelError(f"{out} holds other files and no run. Choose an empty folder, or one that is not there yet.")
    if exists and not (resume or overwrite):
        raise ModelError(
            f"{out} already holds a run. Add --resume to go on with it, --overwrite to replace it, "
            "or choose another --out."
        )
    if resume and not exists:
        raise ModelError(f"{out} holds no run to resume. Leave --resume out to start one.")

    own = is_own(data / machine) and not settings.faithful
    splitter = SPLITS["faithful" if settings.faithful else settings.split]

    def hold_back(name: str, clips: list[Clip]) -> tuple[list[Clip], list[Clip]]:
        if not kind.network:  # its fit holds each clip out in turn
            return own_apart(clips, imported_places(data / name)) if own else clips, []
        if own and splitter is split_training:
            return split_own(clips, imported_places(data / name))
        return splitter(clips)

    fit, held_back = hold_back(machine, clips)
    # The published split holds back nothing of the first sections; quantize then fits on clips that were fitted.
    for section in dataset.sections if kind.network and splitter is not split_faithful else ():
        if not all(any(clip.name.section == section for clip in part) for part in (fit, held_back)):
            raise DataError(
                f"{data / machine}: section {section} has one training clip a domain, or all share their sound: none "
                "can be held back for its threshold. Add recordings of the healthy machine, or leave the section out "
                "with --sections."
            )
    others = {name: _negative_clips(data, machine, name, settings.channel, note) for name in settings.negatives}
    parts = {name: hold_back(name, more) for name, more in others.items()}
    all_fit = [*fit, *(clip for more, _ in parts.values() for clip in more)]
    all_held_back = [*held_back, *(clip for _, more in parts.values() for clip in more)]
    usual = _schedule(settings, len(all_fit), own=own)
    run = Run(
        machine=machine,
        model=settings.model,
        sections=dataset.sections,
        classes=[*dataset.sections, *others] if kind.classifies else [],
        negatives=list(others),
        faithful=settings.faithful,
        features=settings.features,
        seed=settings.seed,
        epochs=settings.epochs or usual.epochs,
        batch_size=settings.batch_size or usual.batch_size,
        learning_rate=settings.learning_rate or usual.learning_rate,
        data_hash=content_hash(clips),
        fit=[clip.key for clip in fit],
        held_back=[clip.key for clip in held_back],
        patience=usual.patience if settings.patience is None else settings.patience,
        channel=settings.channel,
    )
    if left := len(clips) - len(fit) - len(held_back):
        note(
            f"{left} of {len(clips)} training clips are left out: they share sound with "
            f"{'clips that are held back' if kind.network else 'others'}, or with clips for testing, as --overlap and "
            "--again of data import make them."
        )
    headers = headers_of([*all_fit, *all_held_back])
    for text in (
        *dataset.notes,
        *header_notes(headers, settings.features.sample_rate, settings.channel, "training clips"),
        *(threshold_notes(clips_of_run(run)) if own else ()),
    ):
        note(text)
    with _only_training(out):
        if resume:
            run = _resumed(Run.load(out), run, out)
        if not kind.network:
            seconds = SCORE_SECONDS if settings.score_seconds is None else settings.score_seconds
            frames = score_frames_of(settings.features, seconds)
            fit_distance(run, out, all_fit, cache, progress, score_frames=frames, own=own, note=note)
            return run
        fitting = Fitting(run, out, all_fit, all_held_back, cache, progress)
        fitting.run_epochs()
        if own and run.cells is None:
            run.cells = fitting.cells()
            run.save(out)
    return run


def _schedule(settings: Settings, clips: int, *, own: bool) -> Schedule:
    """Return what the user leaves open of a network's training."""
    if settings.model not in BASELINES:
        return Schedule(0, 0, 0.0)
    baseline = BASELINES[settings.model]
    return own_schedule(baseline, settings.features, clips) if own else published_schedule(baseline)


def _check(settings: Settings) -> None:
    if settings.model not in KINDS:
        raise ModelError(f"There is no model {settings.model!r}; use one of: {', '.join(KINDS)}.")
    if KINDS[settings.model].network and settings.score_seconds is not None:
        raise ModelError(
            f"The score's span is part of the fit of {DISTANCE.name} alone. Of {settings.model}, it is chosen later: "
            "edge-asd quantize --score-seconds."
        )
    steps = (settings.epochs, settings.batch_size, settings.learning_rate, settings.patience)
    if not KINDS[settings.model].network and (steps != (None,) * 4 or settings.split != "default"):
        raise ModelError(
            f"The model {settings.model} is fitted in one step, to all clips: leave --epochs, --batch-size, "
            "--learning-rate, --patience and --split out, or train a network with --model ae."
        )
    check_features(settings.model, settings.features, faithful=settings.faithful)
    if settings.epochs is not None and settings.epochs < 1:
        raise ModelError(f"{settings.epochs} epochs cannot be trained; ask for at least 1.")
    if settings.batch_size is not None and not 1 <= settings.batch_size <= MAX_BATCH_SIZE:
        raise ModelError(f"A batch of {settings.batch_size} windows cannot be used; ask for 1 to {MAX_BATCH_SIZE}.")
    if settings.learning_rate is not None and not 0 < settings.learning_rate < 1:
        raise ModelError(f"The learning rate {settings.learning_rate} is outside 0 to 1; as published it is 0.001.")
    if settings.split not in SPLITS:
        raise DataError(f"There is no split {settings.split!r}; use one of: {', '.join(SPLITS)}.")
    if settings.negatives and not KINDS[settings.model].classifies:
        raise DataError(f"The model {settings.model} learns from its own machine alone: leave --negatives out.")


def _negative_clips(data: Path, machine: str, name: str, channel: int, note: Callable[[str], None]) -> list[Clip]:
    if name == machine:
        raise DataError(f"{name} cannot be its own negative. Name other machines with --negatives.")
    dataset = Dataset(data, name, channel=channel)
    for text in dataset.notes:
        note(text)
    clips = dataset.select(split="train")
    if not clips:
        raise DataError(f"{data / name} has no training clips. Leave it out of --negatives.")
    return clips


@contextmanager
def _only_training(folder: Path) -> Iterator[None]:
    """Keep a second training out of a run's folder; the kernel frees the lock, however this one ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ModelError(f"Another training is writing into {folder}. Wait for it, or choose another --out.") from None
    finally:
        os.close(handle)


def _resumed(old: Run, new: Run, out: Path) -> Run:
    for name in (
        "machine", "model", "sections", "classes", "negatives", "faithful", "features", "seed", "batch_size",
        "learning_rate", "patience", "channel", "fit", "data_hash",
    ):  # fmt: skip
        if getattr(old, name) != getattr(new, name):
            raise ModelError(
                f"The run in {out} was begun with another {name.replace('_', ' ')}. Use the same, or start another run."
            )
    old.epochs = new.epochs
    if not old.finished:
        old.cells = None
    return old
