"""Fitting a baseline on fixed-point features, epoch by epoch, so that it can be stopped and resumed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import DataError, ModelError
from edge_asd.files import prepare_folder
from edge_asd.frontend.spec import FeatureSpec
from train.backend import import_keras, import_tensorflow, make_repeatable
from train.dataset import SPLITS, Clip, Dataset, content_hash
from train.feature_cache import FeatureCache
from train.models import AE_FRAMES, autoencoder
from train.run import Run
from train.windows import Windows

EPOCHS, BATCH_SIZE, LEARNING_RATE = 100, 512, 1e-3
"""As published for the autoencoder."""

Progress = Callable[[str, int, int, str], None]
"""Called with (what, done, all, detail)."""


def train(
    data: Path,
    machine: str,
    out: Path,
    *,
    sections: Sequence[str] | None = None,
    epochs: int = EPOCHS,
    seed: int = 0,
    split: str = "default",
    resume: bool = False,
    overwrite: bool = False,
    cache: FeatureCache | None = None,
    progress: Progress = lambda *_: None,
) -> Run:
    """Fit the autoencoder baseline of one machine and keep it in a run folder.

    Parameters
    ----------
    data : Path
        Data set in the layout of MIMII DUE.
    machine : str
    out : Path
        Folder of the run.
    sections : sequence of str, optional
        Sections to fit together; all of them by default.
    epochs : int > 0
        Epochs in all, those before a resume included.
    seed : int
    split : str
        How clips are held back, one of `SPLITS`.
    resume : bool
        Go on from the last whole epoch of the run in `out`.
    overwrite : bool
        Replace a run that `out` already holds.
    cache : FeatureCache, optional
        The user's by default.
    progress : callable, optional
        See `Progress`.

    Returns
    -------
    run : Run
        Also written to `out` after every epoch.

    Raises
    ------
    EdgeAsdError
        If the data cannot be used, the run does not fit it, or `out` cannot be written.
    """
    if epochs < 1:
        raise ModelError(f"{epochs} epochs cannot be trained; ask for at least 1.")
    dataset = Dataset(data, machine, sections)
    clips = dataset.select(split="train")
    missing = [section for section in dataset.sections if not any(clip.name.section == section for clip in clips)]
    if missing:
        raise DataError(
            f"{data / machine}: section {', '.join(missing)} has no training clips. Leave it out with --sections."
        )
    prepare_folder(out)
    exists = Run.exists(out)
    if exists and not (resume or overwrite):
        raise ModelError(
            f"{out} already holds a run. Add --resume to go on with it, --overwrite to replace it, "
            "or choose another --out."
        )
    if resume and not exists:
        raise ModelError(f"{out} holds no run to resume. Leave --resume out to start one.")

    if split not in SPLITS:
        raise DataError(f"There is no split {split!r}; use one of: {', '.join(SPLITS)}.")
    fit, held_back = SPLITS[split](clips)
    # The published split holds back nothing of the first sections; quantize then fits on clips that were fitted.
    for section in dataset.sections if split == "default" else ():
        if not any(clip.name.section == section for clip in held_back):
            raise DataError(
                f"{data / machine}: section {section} has one training clip a domain: none can be held back for "
                "its threshold. Add recordings of the healthy machine, or leave the section out with --sections."
            )
    run = Run(
        machine=machine,
        model="ae",
        sections=dataset.sections,
        features=FeatureSpec(),
        seed=seed,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        data_hash=content_hash(clips),
        fit=[clip.key for clip in fit],
        held_back=[clip.key for clip in held_back],
    )
    with _only_training(out):
        if resume:
            run = _resumed(Run.load(out), run, out)
        _compute_and_fit(run, out, fit, held_back, cache or FeatureCache(), progress)
    return run


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


def _compute_and_fit(
    run: Run, out: Path, fit: Sequence[Clip], held_back: Sequence[Clip], cache: FeatureCache, progress: Progress
) -> None:

    def clips_done(done: int, _: int, name: str) -> None:
        if done <= len(fit):
            progress("fitting clips", done, len(fit), name)
        else:
            progress("held-back clips", done - len(fit), len(held_back), name)

    features = cache.features([*fit, *held_back], run.features, AE_FRAMES, progress=clips_done)
    _fit(run, out, Windows(features[: len(fit)], AE_FRAMES), Windows(features[len(fit) :], AE_FRAMES), progress)


def _resumed(old: Run, new: Run, out: Path) -> Run:
    for name in ("machine", "model", "sections", "features", "seed", "batch_size", "learning_rate", "fit", "data_hash"):
        if getattr(old, name) != getattr(new, name):
            raise ModelError(
                f"The run in {out} was begun with another {name.replace('_', ' ')}. Use the same, or start another run."
            )
    old.epochs = new.epochs
    return old


def _fit(run: Run, out: Path, fit: Windows, held_back: Windows, progress: Progress) -> None:
    make_repeatable(run.seed)
    if run.checkpoint:
        model = run.load_model(out)
    else:
        model = autoencoder(run.features.n_mels)
        model.compile(optimizer=import_keras().optimizers.Adam(run.learning_rate), loss="mse")
        if not Run.exists(out):  # one that is overwritten stays until the first epoch of the new one
            run.save(out)
    batches, validation = _Batches(fit, run.batch_size), _Batches(held_back, run.batch_size)
    for epoch in range(len(run.loss), run.epochs):
        # The order of an epoch depends on the seed and its number alone, so a resumed run is the same run.
        order = np.random.default_rng([run.seed, epoch]).permutation(len(fit))
        history = model.fit(batches(order), shuffle=False, verbose=0)
        run.loss.append(float(history.history["loss"][0]))
        run.validation_loss.append(float(model.evaluate(validation(), verbose=0)) if len(held_back) else run.loss[-1])
        run.keep_epoch(out, model)
        progress(
            "epochs", epoch + 1, run.epochs, f"loss {run.loss[-1]:.2f}, held back {run.validation_loss[-1]:.2f} dB²"
        )


class _Batches:
    """Batches of (window, window), gathered when TensorFlow asks for them."""

    def __init__(self, windows: Windows, batch_size: int) -> None:
        self._windows, self._batch_size = windows, batch_size

    def __call__(self, order: npt.NDArray[np.int64] | None = None) -> Any:
        tf = import_tensorflow()
        order = np.arange(len(self._windows)) if order is None else order

        def gather(numbers: Any) -> tuple[Any, Any]:
            x = tf.numpy_function(self._windows.gather, [numbers], tf.float32, stateful=False)
            x.set_shape((None, self._windows.width))
            return x, x

        return tf.data.Dataset.from_tensor_slices(order).batch(self._batch_size).map(gather).prefetch(2)
