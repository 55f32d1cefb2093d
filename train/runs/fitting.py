"""Fitting a baseline, epoch by epoch, so that it can be stopped and resumed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.kinds import AUTOENCODER
from edge_asd.errors import DataError, ModelError
from edge_asd.files import kept_if_filled
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.own_set import is_own
from edge_asd.train.backend import import_keras, import_tensorflow, make_repeatable
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.data.hashes import content_hash
from edge_asd.train.data.rates import header_notes, headers_of
from edge_asd.train.data.splits import SPLITS, split_faithful, split_own, split_training
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.windows import Windows
from edge_asd.train.networks.baselines import BASELINES
from edge_asd.train.networks.section_classifier import quicken_averages
from edge_asd.train.runs.run import Run, check_features
from edge_asd.train.runs.schedule import own_schedule, published_schedule
from edge_asd.train.runs.sufficiency import Cell, threshold_clips, threshold_notes
from edge_asd.train.runs.training_log import TrainingLog

MAX_BATCH_SIZE = 65_536
"""Windows in a batch at most."""

Progress = Callable[[str, int, int, str], None]
"""Called with (what, done, all, detail)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to fit; what is None is as published, or as suits a user's own machine (`edge_asd.train.runs.schedule`).

    Attributes
    ----------
    model : str
        One of `BASELINES`.
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
    """Fit a baseline of one machine and keep it in a run folder.

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
    baseline = BASELINES[settings.model]
    dataset = Dataset(data, machine, sections, channel=settings.channel)
    clips = dataset.select(split="train")
    missing = [section for section in dataset.sections if not any(clip.name.section == section for clip in clips)]
    if missing:
        raise DataError(
            f"{data / machine}: section {', '.join(missing)} has no training clips. Leave it out with --sections."
        )
    if baseline.kind.classifies and len(dataset.sections) + len(settings.negatives) < 2:
        raise DataError(
            f"{data / machine} has a single section, {dataset.sections[0]}: there is nothing to tell it apart from. "
            "Use --model ae, or name other machines of the data set as further classes with --negatives."
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
    hold_back = SPLITS["faithful" if settings.faithful else settings.split]
    if own and hold_back is split_training:
        hold_back = split_own
    fit, held_back = hold_back(clips)
    # The published split holds back nothing of the first sections; quantize then fits on clips that were fitted.
    for section in dataset.sections if hold_back is not split_faithful else ():
        if not any(clip.name.section == section for clip in held_back):
            raise DataError(
                f"{data / machine}: section {section} has one training clip a domain: none can be held back for "
                "its threshold. Add recordings of the healthy machine, or leave the section out with --sections."
            )
    others = {name: _negative_clips(data, machine, name, settings.channel, note) for name in settings.negatives}
    parts = {name: hold_back(more) for name, more in others.items()}
    all_fit = [*fit, *(clip for more, _ in parts.values() for clip in more)]
    all_held_back = [*held_back, *(clip for _, more in parts.values() for clip in more)]
    usual = own_schedule(baseline, settings.features, len(all_fit)) if own else published_schedule(baseline)
    run = Run(
        machine=machine,
        model=settings.model,
        sections=dataset.sections,
        classes=[*dataset.sections, *others] if baseline.kind.classifies else [],
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
    headers = headers_of([*all_fit, *all_held_back])
    for text in (
        *dataset.notes,
        *header_notes(headers, settings.features.sample_rate, settings.channel, "training clips"),
        *(threshold_notes(threshold_clips(run.fit, run.held_back)) if own else ()),
    ):
        note(text)
    with _only_training(out):
        if resume:
            run = _resumed(Run.load(out), run, out)
        fitting = Fitting(run, out, all_fit, all_held_back, cache, progress)
        fitting.run_epochs()
        if own and run.cells is None:
            run.cells = fitting.cells()
            run.save(out)
    return run


def _check(settings: Settings) -> None:
    if settings.model not in BASELINES:
        raise ModelError(f"There is no model {settings.model!r}; use one of: {', '.join(BASELINES)}.")
    check_features(settings.model, settings.features, faithful=settings.faithful)
    if settings.epochs is not None and settings.epochs < 1:
        raise ModelError(f"{settings.epochs} epochs cannot be trained; ask for at least 1.")
    if settings.batch_size is not None and not 1 <= settings.batch_size <= MAX_BATCH_SIZE:
        raise ModelError(f"A batch of {settings.batch_size} windows cannot be used; ask for 1 to {MAX_BATCH_SIZE}.")
    if settings.learning_rate is not None and not 0 < settings.learning_rate < 1:
        raise ModelError(f"The learning rate {settings.learning_rate} is outside 0 to 1; as published it is 0.001.")
    if settings.split not in SPLITS:
        raise DataError(f"There is no split {settings.split!r}; use one of: {', '.join(SPLITS)}.")
    if settings.negatives and not BASELINES[settings.model].kind.classifies:
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


class Fitting:
    """One run's epochs, from wherever it stands.

    Parameters
    ----------
    run : Run
    out : Path
        Its folder.
    fit, held_back : sequence of Clip
    cache : FeatureCache
    progress : callable
        See `Progress`.
    """

    def __init__(
        self,
        run: Run,
        out: Path,
        fit: Sequence[Clip],
        held_back: Sequence[Clip],
        cache: FeatureCache,
        progress: Progress,
    ) -> None:
        self.run, self._out, self._progress = run, out, progress

        def clips_done(done: int, _: int, name: str) -> None:
            if done <= len(fit):
                progress("fitting clips", done, len(fit), name)
            else:
                progress("held-back clips", done - len(fit), len(held_back), name)

        baseline, clips = run.baseline, [*fit, *held_back]
        features = cache.features(
            clips, run.features, baseline.window_frames, kind=run.feature_kind, progress=clips_done
        )
        self._parts = ((list(fit), features[: len(fit)]), (list(held_back), features[len(fit) :]))
        targets = [_target(run, clip) for clip in clips]
        self._fit = _Batches(run, Windows(features[: len(fit)], baseline.window_frames, baseline.training_hop), targets)
        rest = Windows(features[len(fit) :], baseline.window_frames, baseline.training_hop)
        self._held_back = _Batches(run, rest, targets[len(fit) :])

    def new_model(self) -> Any:
        """Build and compile the untrained network."""
        run, keras = self.run, import_keras()
        model = run.baseline.build(run.features.n_mels, len(run.classes))
        if not run.faithful:
            quicken_averages(model)
        loss = "sparse_categorical_crossentropy" if run.baseline.kind.classifies else "mse"
        model.compile(optimizer=keras.optimizers.Adam(run.learning_rate), loss=loss)
        # Its variables made now: else the first step makes them, for which TensorFlow traces that step twice.
        model.optimizer.build(model.trainable_variables)
        return model

    def fit_epoch(self, model: Any, epoch: int, steps: int | None = None) -> float:
        """Fit one epoch, or some steps of it, and return its loss.

        The order of an epoch depends on the seed and its number alone, so a resumed run is the same run.
        """
        order = np.random.default_rng([self.run.seed, epoch]).permutation(self._fit.size)
        batches = self._fit.dataset(order if steps is None else order[: steps * self.run.batch_size])
        return float(model.fit(batches, shuffle=False, verbose=0).history["loss"][0])

    def run_epochs(self) -> None:
        """Fit until the run is finished, keeping every epoch."""
        run, out = self.run, self._out
        make_repeatable(run.seed)
        if run.checkpoint:
            model = run.load_model(out, last=True)
        else:
            model = self.new_model()
            if not Run.exists(out):  # one that is overwritten stays until the first epoch of the new one
                run.save(out)
        log = TrainingLog(out, resume=bool(run.checkpoint))
        while not run.finished:
            epoch = len(run.loss)
            run.loss.append(self.fit_epoch(model, epoch))
            held_back = self._held_back
            run.validation_loss.append(
                float(model.evaluate(held_back.dataset(), verbose=0)) if held_back.size else run.loss[-1]
            )
            run.keep_epoch(out, model)
            log.epoch(epoch + 1, run.loss[-1], run.validation_loss[-1])
            detail = f"loss {run.loss[-1]:.3g}, held back {run.validation_loss[-1]:.3g} {run.baseline.kind.unit}"
            self._progress("epochs", epoch + 1, run.epochs, detail)

    def cells(self) -> list[Cell]:
        """Judge the run's result on the machine's own clips, by section and domain."""
        model = self.run.load_model(self._out)
        own = [
            (i, j, clip.name.section, clip.name.domain, features.level_db)
            for i, part in enumerate(self._parts)
            for j, (clip, features) in enumerate(zip(*part, strict=True))
            if _machine(clip) == self.run.machine
        ]
        cells = []
        for section, domain in sorted({(cell[2], cell[3]) for cell in own}, key=str):
            chosen = [(i, j, level) for i, j, *cell, level in own if cell == [section, domain]]
            fit, held_back = ([j for part, j, _ in chosen if part == i] for i in (0, 1))
            levels = [level for _, _, level in chosen]
            cells.append(
                Cell(
                    section=section,
                    domain=domain,
                    clips_fit=len(fit),
                    clips_held_back=len(held_back),
                    level_low_db=round(min(levels), 2),
                    level_high_db=round(max(levels), 2),
                    loss_fit=self._fit.loss(model, fit),
                    loss_held_back=self._held_back.loss(model, held_back),
                )
            )
        return cells


def _machine(clip: Clip) -> str:
    return clip.path.parent.parent.name


def _target(run: Run, clip: Clip) -> int:
    """Class of a clip's windows; 0 where the model does not classify."""
    if not run.classes:
        return 0
    machine = _machine(clip)
    return run.classes.index(clip.name.section if machine == run.machine else machine)


class _Batches:
    """Batches of windows and what the model should answer, gathered when TensorFlow asks for them."""

    def __init__(self, run: Run, windows: Windows, targets: Sequence[int]) -> None:
        self._windows, self._batch_size = windows, run.batch_size
        self._shape = run.baseline.input_shape(run.features.n_mels)
        self._targets = np.array(targets, np.int32) if run.baseline.kind.classifies else None
        self.size = len(windows)

    def loss(self, model: Any, clips: Sequence[int]) -> float | None:
        """Compute the model's loss on the windows of these clips; None where there are none."""
        if not clips:
            return None
        order = np.flatnonzero(np.isin(self._windows.clips_of(np.arange(self.size)), clips))
        return float(model.evaluate(self.dataset(order), verbose=0))

    def dataset(self, order: npt.NDArray[np.int64] | None = None) -> Any:
        """Return a tf.data set of the windows in this order."""
        tf = import_tensorflow()
        order = np.arange(self.size) if order is None else order

        def gather(numbers: npt.NDArray[np.int64]) -> tuple[Any, ...]:
            x = self._windows.gather(numbers).reshape(len(numbers), *self._shape)
            return (x,) if self._targets is None else (x, self._targets[self._windows.clips_of(numbers)])

        def load(numbers: Any) -> tuple[Any, Any]:
            types = [tf.float32] if self._targets is None else [tf.float32, tf.int32]
            x, *y = tf.numpy_function(gather, [numbers], types, stateful=False)
            x.set_shape((None, *self._shape))
            for tensor in y:
                tensor.set_shape((None,))
            return (x, *y) if y else (x, x)

        return tf.data.Dataset.from_tensor_slices(order).batch(self._batch_size).map(load).prefetch(2)
