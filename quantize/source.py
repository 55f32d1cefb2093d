"""What is quantised: a model, the clips it was or was not fitted on, and where it came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_asd.errors import DataError
from edge_asd.quantize.int8.convert import to_float
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.data.hashes import content_hash
from edge_asd.train.distance.fit import Fitted
from edge_asd.train.distance.fit_file import load_fit
from edge_asd.train.runs.run import Run


@dataclass(frozen=True, slots=True)
class Source:
    """A model on its way to a bundle.

    Attributes
    ----------
    run : Run
        What the model is: machine, sections, classes, features.
    dataset : Dataset
    fit, held_back : list of Clip
        Training clips; thresholds are fitted on the second.
    float_model : callable
        Of a network: returns the float32 .tflite, made by a converter of
        `edge_asd.quantize.int8.convert.CONVERTERS`; it takes a while.
    provenance : dict
        For the manifest.
    fitted : Fitted, optional
        Of the distance detector: its fit.
    """

    run: Run
    dataset: Dataset
    fit: list[Clip]
    held_back: list[Clip]
    float_model: Callable[[str], bytes]
    provenance: dict[str, Any]
    fitted: Fitted | None = None


def run_source(folder: Path, data: Path) -> Source:
    """Take the model of a training run.

    Raises
    ------
    EdgeAsdError
        If the run cannot be read, has no finished epoch, or its training clips are not those in `data`.
    """
    run = Run.load(folder)
    dataset = Dataset(data, run.machine, run.sections, channel=run.channel)
    fit, held_back = _clips_of_run(run, dataset)
    if not run.kind.network:
        return Source(run, dataset, fit, held_back, lambda _: b"", {}, load_fit(folder))
    best = run.best_epoch - 1
    provenance: dict[str, Any] = {"seed": run.seed, "epochs": run.best_epoch}
    if run.loss:
        provenance |= {"loss": run.loss[best], "held_back_loss": run.validation_loss[best]}

    def float_model(converter: str) -> bytes:
        return to_float(run.baseline.shipped_form(run.load_model(folder)), converter=converter)

    return Source(run, dataset, fit, held_back, float_model, provenance)


def _clips_of_run(run: Run, dataset: Dataset) -> tuple[list[Clip], list[Clip]]:
    clips = dataset.select(split="train")
    by_key = {clip.key: clip for clip in clips}
    if missing := [key for key in (*run.fit, *run.held_back) if key not in by_key]:
        raise DataError(
            f"{dataset.root / dataset.machine} lacks {missing[0]}, which the run was trained on "
            f"({len(missing)} missing in all). Give the same data set with --data, or train anew."
        )
    if content_hash(clips) != run.data_hash:
        raise DataError(
            f"The training clips in {dataset.root / dataset.machine} have changed since the run was trained. "
            "Give the same data set with --data, or train anew."
        )
    return [by_key[key] for key in run.fit], [by_key[key] for key in run.held_back]
