"""A run's epochs, one after another, and its result judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.train.backend import import_keras, import_tensorflow, make_repeatable
from edge_asd.train.data.dataset import Clip
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.windows import Windows
from edge_asd.train.networks.initial import initialise
from edge_asd.train.networks.section_classifier import quicken_averages
from edge_asd.train.runs.cells import Cell
from edge_asd.train.runs.run import Run
from edge_asd.train.runs.training_log import TrainingLog

Progress = Callable[[str, int, int, str], None]
"""Called with (what, done, all, detail)."""


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
        initialise(model, run.seed)
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
        # Layers are numbered, and what is made of the network holds their names: from 0 on, whatever was before.
        import_keras().utils.clear_session()
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

        batches = tf.data.Dataset.from_tensor_slices(order).batch(self._batch_size).map(load).prefetch(2)
        # There is nothing to tune, and the thread that would keeps each iterator from its end, up to half a second.
        options = tf.data.Options()
        options.autotune.enabled = False
        return batches.with_options(options)
