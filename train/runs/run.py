"""A training run's folder: ``run.json``, and the model as it was after the last whole epoch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_asd.audio.sound_header import MAX_CHANNELS
from edge_asd.bundle.kinds import KINDS
from edge_asd.bundle.kinds import Kind as DetectorKind
from edge_asd.distance.blocks import MOST_FRAMES
from edge_asd.errors import EdgeAsdError, ModelError, OutputError
from edge_asd.files import write_atomically
from edge_asd.frontend.spec import FRONTEND_NUMBER, FeatureSpec
from edge_asd.strict_json import StrictReader, parse_object
from edge_asd.train.backend import import_keras
from edge_asd.train.features.extraction import Kind
from edge_asd.train.networks.baseline import Baseline
from edge_asd.train.networks.baselines import BASELINES
from edge_asd.train.runs.cells import Cell

if TYPE_CHECKING:
    import keras

_FORMAT, _SCHEMA, _FILE = "edge-asd run", 2, "run.json"


@dataclass
class Run:
    """What was trained, on what, and how far.

    Attributes
    ----------
    machine : str
    model : str
        One of `edge_asd.bundle.kinds.KINDS`.
    sections : list of str
    classes : list of str
        What the outputs of a classifier stand for: the sections, then the machines in `negatives`.
    negatives : list of str
        Other machines that a classifier learned to tell apart from its own.
    faithful : bool
        Trained as the published code does: on padded float features.
    features : FeatureSpec
    seed, epochs, batch_size : int
        `epochs` is the number asked for.
    learning_rate : float
    data_hash : str
        `content_hash` of the training clips.
    fit, held_back : list of str
        Keys of the clips that the model was fitted on, and of those kept for thresholds.
    patience : int
        Epochs without improvement on the clips held back after which training stops; 0: never.
    loss, validation_loss : list of float [dB^2, or nat for a classifier], one an epoch done
        Mean squared error or cross-entropy on the clips of `fit` and `held_back`.
    checkpoint : str
        Name of the model file of the last epoch; "" before the first has ended.
    channel : int
        Channel of the clips that was listened to.
    cells : list of Cell, optional
        Of a user's own machine: its clips by section and domain, after the last epoch. None before, and of other sets.
    span_frames : int [frames]
        Of the distance detector: the span of a score, which its fit is for; 0 for a network. That has no epochs,
        losses, batches and checkpoints, and holds nothing back: its folder holds the fit (`edge_asd.train.distance`).
    """

    machine: str
    model: str
    sections: list[str]
    classes: list[str]
    negatives: list[str]
    faithful: bool
    features: FeatureSpec
    seed: int
    epochs: int
    batch_size: int
    learning_rate: float
    data_hash: str
    fit: list[str]
    held_back: list[str]
    patience: int = 0
    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    checkpoint: str = ""
    frontend_number: int = FRONTEND_NUMBER
    channel: int = 0
    cells: list[Cell] | None = None
    span_frames: int = 0

    @property
    def kind(self) -> DetectorKind:
        """The detector that it becomes."""
        return KINDS[self.model]

    @property
    def baseline(self) -> Baseline:
        """The published settings of a network."""
        return BASELINES[self.model]

    @property
    def window_frames(self) -> int:
        """Frames of a window, the least that a clip must have."""
        return self.baseline.window_frames if self.kind.network else self.span_frames

    @property
    def feature_kind(self) -> Kind:
        """What the model was fitted on."""
        return "float-padded" if self.faithful else "fixed"

    @property
    def best_epoch(self) -> int:
        """Number of the epoch, from 1 on, whose model is the run's result: the last, or the best with `patience`."""
        if not self.patience or not self.loss:
            return len(self.loss)
        return 1 + min(range(len(self.loss)), key=self.validation_loss.__getitem__)

    @property
    def finished(self) -> bool:
        """All epochs are done, or patience has ended."""
        done = len(self.loss)
        return done >= self.epochs or (self.patience > 0 and done - self.best_epoch >= self.patience)

    def save(self, folder: Path) -> None:
        """Write ``run.json`` atomically."""
        document = {"format": _FORMAT, "schema": _SCHEMA, **asdict(self)}
        if self.cells is None:
            del document["cells"]
        if self.kind.network:
            del document["span_frames"]
        write_atomically(folder / _FILE, (json.dumps(document, indent=1) + "\n").encode())

    def keep_epoch(self, folder: Path, model: keras.Model) -> None:
        """Save the model after an epoch; a kill at any moment leaves this epoch or the one before."""
        self.checkpoint = _epoch_file(len(self.loss))
        partial = folder / f".{self.checkpoint.removesuffix('.keras')}.partial.keras"
        try:
            model.save(partial)
            partial.replace(folder / self.checkpoint)
        except OSError as error:
            kept = "The epoch before is kept; free" if len(self.loss) > 1 else "Nothing is kept yet; free"
            raise OutputError(
                f"Cannot write {folder / self.checkpoint}: {error}. {kept} some space and add --resume."
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        self.save(folder)
        # The epochs before, and what an overwritten run or a kill has left.
        for other in folder.glob("epoch_*.keras"):
            if other.name not in (self.checkpoint, _epoch_file(self.best_epoch)):
                other.unlink(missing_ok=True)

    def load_model(self, folder: Path, *, last: bool = False) -> keras.Model:
        """Load the run's result, or the model of the last whole epoch, with its optimiser's state.

        Raises
        ------
        ModelError
            If there is none yet, or it cannot be read.
        """
        if not self.checkpoint:
            raise ModelError(f"{folder} has no finished epoch yet. Train it first: edge-asd train ... --resume.")
        path = folder / (self.checkpoint if last else _epoch_file(self.best_epoch))
        try:
            return import_keras().saving.load_model(path, safe_mode=True)
        except Exception as error:  # Keras raises whatever its readers meet in a damaged file
            raise ModelError(f"{path} cannot be read ({error}). Train anew.") from error

    @staticmethod
    def exists(folder: Path) -> bool:
        """Tell whether `folder` holds a run."""
        return (folder / _FILE).is_file()

    @classmethod
    def load(cls, folder: Path) -> Run:
        """Read ``run.json``.

        Raises
        ------
        ModelError
            If the folder is not a run, or the file is damaged or of another version.
        """
        if not cls.exists(folder):
            raise ModelError(
                f"{folder} is not a training run: it has no {_FILE}. Make one with: edge-asd train DATA ..."
            )
        where = str(folder / _FILE)
        raw = parse_object((folder / _FILE).read_bytes(), where, ModelError)
        if raw.get("format") != _FORMAT or raw.get("schema") != _SCHEMA:
            raise ModelError(f"{where} is not a run of this version of edge-asd. Train anew.")
        reader = StrictReader(raw, where, ModelError)
        reader.take("format", str), reader.take("schema", int)
        frontend_number = reader.take("frontend_number", int)
        if frontend_number != FRONTEND_NUMBER:
            raise ModelError(
                f"{where} was trained on front end {frontend_number}, this edge-asd has {FRONTEND_NUMBER}. Train anew."
            )
        run = cls(
            machine=reader.take("machine", str),
            model=reader.take("model", str),
            sections=reader.values("sections", str),
            classes=reader.values("classes", str),
            negatives=reader.values("negatives", str),
            faithful=reader.take("faithful", bool),
            features=_features(reader.take("features", dict), where),
            seed=reader.take("seed", int),
            epochs=reader.take("epochs", int),
            batch_size=reader.take("batch_size", int),
            learning_rate=reader.take("learning_rate", float),
            data_hash=reader.take("data_hash", str),
            fit=reader.values("fit", str),
            held_back=reader.values("held_back", str),
            patience=reader.take("patience", int),
            loss=reader.values("loss", float),
            validation_loss=reader.values("validation_loss", float),
            checkpoint=reader.take("checkpoint", str),
            channel=reader.integer("channel", 0, MAX_CHANNELS - 1) if "channel" in reader.keys else 0,
            cells=(
                [
                    Cell.read(StrictReader(cell, f"{where}, cells, {i}", ModelError))
                    for i, cell in enumerate(reader.values("cells", dict))
                ]
                if "cells" in reader.keys
                else None
            ),
            span_frames=reader.integer("span_frames", 1, MOST_FRAMES) if "span_frames" in reader.keys else 0,
        )
        reader.finish()
        run._check(where)
        return run

    def _check(self, where: str) -> None:
        """Refuse what no training writes."""
        keys = [*self.fit, *self.held_back]
        if self.model not in KINDS:
            raise ModelError(f"{where}: this edge-asd has no model {self.model!r}. Train anew.")
        try:
            check_features(self.model, self.features, faithful=self.faithful)
        except ModelError as error:
            raise ModelError(f"{where}: {error}") from error
        for ok, what in (
            (self.sections, "sections"),
            (self.classes == ([*self.sections, *self.negatives] if self.kind.classifies else []), "classes"),
            ((self.span_frames > 0) is not self.kind.network, "score spans"),
            (self.fit and len(set(keys)) == len(keys), "clips"),
            (len(self.loss) == len(self.validation_loss), "losses"),
            (self.checkpoint == (_epoch_file(len(self.loss)) if self.loss else ""), "checkpoints"),
            (self.patience >= 0, "patience"),
        ):
            if not ok:
                raise ModelError(f"{where}: its {what} are not what a training writes; it was changed. Train anew.")


def check_features(model: str, features: FeatureSpec, *, faithful: bool) -> None:
    """Refuse features that a baseline cannot take.

    Raises
    ------
    ModelError
        If the network needs more bands, or the published code is asked for on other features than its own.
    """
    if faithful and not KINDS[model].network:
        raise ModelError(f"The published code has no detector {model!r}: leave --faithful out.")
    if faithful and features != FeatureSpec():
        raise ModelError(
            f"The published code runs on its own features, {_in_words(FeatureSpec())}, not on {_in_words(features)}. "
            "Leave --mels, --frame and --hop out, or --faithful."
        )
    if KINDS[model].network and features.n_mels < (least := BASELINES[model].least_mels):
        raise ModelError(f"{model} needs at least {least} mel bands, not {features.n_mels}. Ask for more with --mels.")


def _in_words(spec: FeatureSpec) -> str:
    return f"{spec.n_mels} mel bands, frames of {spec.n_fft} samples every {spec.hop_length} at {spec.sample_rate} Hz"


def _features(values: dict[str, Any], where: str) -> FeatureSpec:
    try:
        return FeatureSpec.from_dict(values)
    except EdgeAsdError as error:
        raise ModelError(f"{where}: {error}") from error


def _epoch_file(epoch: int) -> str:
    return f"epoch_{epoch:04d}.keras"
