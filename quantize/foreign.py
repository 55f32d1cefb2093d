"""Models that others have trained: Keras 2 and 3 files and SavedModels of the baselines' shapes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import DataError, ModelError
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.quantize.int8.convert import saved_to_float, to_float
from edge_asd.quantize.saved_operations import check_operations
from edge_asd.quantize.source import Source
from edge_asd.quiet import quiet_stderr
from edge_asd.train.backend import import_keras, import_tensorflow
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.data.hashes import content_hash
from edge_asd.train.data.splits import split_training
from edge_asd.train.networks.baselines import BASELINES
from edge_asd.train.networks.section_classifier import logits_of, section_classifier
from edge_asd.train.runs.run import Run

if TYPE_CHECKING:
    import keras

_CLOSE = 1e-4
"""Largest difference of probabilities between a classifier and our form of it."""


def foreign_source(path: Path, data: Path, machine: str, sections: Sequence[str] | None = None) -> Source:
    """Take a model that this project did not train.

    Parameters
    ----------
    path : Path
        ``.h5``, ``.hdf5`` or ``.keras`` file, or SavedModel folder: an autoencoder of 640 to 640 dB
        values, or the baseline's MobileNetV2 on 64 x 128 x 1, a softmax over the sections in their order.
    data : Path
        Data set in the layout of MIMII DUE, for ranges and thresholds.
    machine : str
    sections : sequence of str, optional
        Those that the model knows; all of the data set's by default.

    Raises
    ------
    ModelError
        If the file cannot be read, or the model is neither of the two.
    DataError
        If the data cannot be used, or has not as many sections as the model has outputs.
    """
    dataset = Dataset(data, machine, sections)
    clips = dataset.select(split="train")
    if not clips:
        raise DataError(f"{data / machine} has no training clips: int8 ranges and thresholds need healthy sound.")
    network = _Saved(path) if path.is_dir() else _load(path)
    spec = FeatureSpec()
    name = _baseline_of(path, network, spec)
    classifies = BASELINES[name].kind.classifies
    if classifies and network.output_shape[-1] != len(dataset.sections):
        raise DataError(
            f"{path} tells {network.output_shape[-1]} sections apart, {data / machine} has {len(dataset.sections)} "
            f"({', '.join(dataset.sections)}). Choose the model's with --sections."
        )
    fit, held_back = split_training(clips)
    run = Run(
        machine=machine,
        model=name,
        sections=dataset.sections,
        classes=dataset.sections if classifies else [],
        negatives=[],
        faithful=False,
        features=spec,
        seed=0,
        epochs=0,
        batch_size=BASELINES[name].batch_size,
        learning_rate=BASELINES[name].learning_rate,
        data_hash=content_hash(clips),
        fit=[clip.key for clip in fit],
        held_back=[clip.key for clip in held_back],
    )

    def float_model(converter: str) -> bytes:
        if classifies:
            return to_float(_our_form(path, network), converter=converter)
        if isinstance(network, _Saved):
            return saved_to_float(path, converter=converter)
        return to_float(network, converter=converter)

    return Source(run, dataset, fit, held_back, float_model, {"model": path.name, "trained_by": "others"})


class _Saved:
    """A SavedModel, as far as it is needed here like a Keras model."""

    def __init__(self, path: Path) -> None:
        check_operations(path)
        tf = import_tensorflow()
        try:
            with quiet_stderr():
                self._loaded = tf.saved_model.load(str(path))
            self._call = self._loaded.signatures["serving_default"]
            (name, spec), *more = self._call.structured_input_signature[1].items()
            (output,) = self._call.structured_outputs.values()
        except Exception as error:  # TensorFlow raises whatever its readers meet in a damaged folder
            raise ModelError(f"{path} cannot be read as a SavedModel ({_first_line(error)}).") from error
        if more:
            raise ModelError(f"{path} takes {1 + len(more)} inputs; the baselines take one.")
        self._name = name
        self.input_shape, self.output_shape = tuple(spec.shape), tuple(output.shape)

    def get_weights(self) -> list[npt.NDArray[np.float32]]:
        return [variable.numpy() for variable in getattr(self._loaded, "variables", [])]

    def __call__(self, x: npt.NDArray[np.float32], training: bool = False) -> Any:
        (answer,) = self._call(**{self._name: import_tensorflow().constant(x)}).values()
        return answer


def _load(path: Path) -> keras.Model:
    if not path.is_file():
        raise ModelError(f"There is no model {path}. Give a .h5, .hdf5 or .keras file, or a SavedModel folder.")
    if path.suffix == ".easd":
        raise ModelError(f"{path} is a bundle, quantised already. Give the Keras model that it should be made of.")
    try:
        # Safe mode: a model file may hold code, which is not run.
        with quiet_stderr(), redirect_stdout(io.StringIO()):
            return import_keras().saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its readers meet in a foreign or damaged file
        if "safe_mode" in str(error) or "unsafe" in str(error):  # Keras advises to switch it off
            raise ModelError(
                f"{path} holds code of its own, such as a Lambda layer, which is not run. Save the model without it."
            ) from error
        raise ModelError(
            f"{path} cannot be read as a Keras model ({_first_line(error)}). Save it again as .h5 or .keras."
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _baseline_of(path: Path, network: Any, spec: FeatureSpec) -> str:
    shapes = (network.input_shape, network.output_shape)
    for name, baseline in BASELINES.items():
        inputs = baseline.input_shape(spec.n_mels)
        if tuple(network.input_shape[1:]) == inputs and (
            len(network.output_shape) == 2 if baseline.kind.classifies else tuple(network.output_shape[1:]) == inputs
        ):
            return name
    raise ModelError(
        f"{path} maps {shapes[0]} to {shapes[1]}. What can be quantised is an autoencoder of (None, 640) to "
        "(None, 640), five frames of 128 bands, or a section classifier of (None, 64, 128, 1) to (None, sections)."
    )


def _our_form(path: Path, network: Any) -> keras.Model:
    """Rebuild a classifier with one channel and logits, and prove that it is the same one."""
    classes = int(network.output_shape[-1])
    weights = [np.asarray(weight) for weight in network.get_weights()]
    if not all(np.isfinite(weight).all() for weight in weights):
        raise ModelError(f"{path} holds NaN or infinity; its training failed. Train anew.")
    ours = section_classifier(int(network.input_shape[2]), classes)
    # A SavedModel lists its variables layer by layer, or those that are trained first.
    for order in (ours.weights, [*ours.trainable_weights, *ours.non_trainable_weights]):
        if [weight.shape for weight in weights] == [tuple(variable.shape) for variable in order]:
            for variable, weight in zip(order, weights, strict=True):
                variable.assign(weight)
            break
    else:
        raise ModelError(
            f"{path} has not the layers of the baseline's MobileNetV2 (width 0.5, three equal channels). "
            "Other classifiers cannot be quantised yet."
        )
    logits = logits_of(ours)
    x = np.random.default_rng(0).normal(-40, 15, (8, *network.input_shape[1:])).astype(np.float32)
    z = np.asarray(logits(x, training=False), np.float64)
    p = np.exp(z - np.logaddexp.reduce(z, axis=1)[:, None])
    if not np.abs(p - np.asarray(network(x, training=False))).max() <= _CLOSE:
        raise ModelError(
            f"{path} has the layers of the baseline's MobileNetV2 but computes something else; its last layer must be "
            "a softmax over the sections."
        )
    return logits
