"""A run's losses for TensorBoard, in the folder ``tensorboard`` of the run."""

from __future__ import annotations

import shutil
from pathlib import Path

from edge_asd.train.backend import import_tensorflow

FOLDER = "tensorboard"


class TrainingLog:
    """Writes one point an epoch.

    Parameters
    ----------
    run : Path
        The run's folder.
    resume : bool
        Add to what is there; otherwise it belongs to a run that is replaced, and goes.
    """

    def __init__(self, run: Path, *, resume: bool) -> None:
        folder = run / FOLDER
        if not resume:
            shutil.rmtree(folder, ignore_errors=True)
        self._writer = import_tensorflow().summary.create_file_writer(str(folder))

    def epoch(self, number: int, loss: float, held_back: float) -> None:
        """Add the losses of an epoch, on the clips fitted on and on those held back."""
        tf = import_tensorflow()
        # What tf.summary.scalar writes; that function wants the package tensorboard, which only a reader needs.
        kind = tf.compat.v1.SummaryMetadata(data_class=1)
        kind.plugin_data.plugin_name = "scalars"
        with self._writer.as_default():
            for name, value in (("loss/fit", loss), ("loss/held_back", held_back)):
                tf.summary.write(name, tf.constant(value, tf.float32), step=number, metadata=kind)
        self._writer.flush()
