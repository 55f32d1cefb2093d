"""The baselines' networks in Keras, as published (layer for layer), and what their training needs to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_asd.train.backend import import_keras

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class Baseline:
    """One of the two baselines of DCASE 2021 Task 2, with the published settings.

    Attributes
    ----------
    window_frames : int
        Frames that a window spans.
    training_hop, test_hop, published_test_hop : int
        Frames between two windows: in training, in tests, and in the tests of the published code.
    epochs, batch_size : int
    learning_rate : float
        Adam's.
    classifies : bool
        The network names a window's section; otherwise it reconstructs the window.
    unit : str
        Of loss and score.
    build : callable
        (bands, classes) to an untrained model.
    """

    window_frames: int
    training_hop: int
    test_hop: int
    published_test_hop: int
    epochs: int
    batch_size: int
    learning_rate: float
    classifies: bool
    unit: str
    build: Callable[[int, int], keras.Model]

    def input_shape(self, n_mels: int) -> tuple[int, ...]:
        """Shape of one window as the model takes it."""
        return (self.window_frames, n_mels, 1) if self.classifies else (self.window_frames * n_mels,)


AE_FRAMES = 5
SECTION_FRAMES = 64


def autoencoder(n_mels: int = 128, classes: int = 0) -> keras.Model:
    """Build the dense autoencoder of the DCASE 2021 Task 2 baseline.

    640-[Dense 128, batch norm, ReLU] x 4-[Dense 8, batch norm, ReLU]-[Dense 128, batch norm,
    ReLU] x 4-Dense 640, linear; 269,992 parameters for 128 bands.

    Parameters
    ----------
    n_mels : int
        Bands of the log-mel spectrogram; input and output have `AE_FRAMES` times as many values.
    classes : int
        Not used: one network for all sections.

    Returns
    -------
    model : keras.Model [input shape=(batch, AE_FRAMES * n_mels), dB]
    """
    keras = import_keras()
    layers = keras.layers
    inputs = keras.Input((AE_FRAMES * n_mels,), name="log_mel_db")
    x = inputs
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = layers.Dense(units)(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
    return keras.Model(inputs, layers.Dense(AE_FRAMES * n_mels)(x), name="autoencoder")


def section_classifier(n_mels: int, classes: int) -> keras.Model:
    """Build the MobileNetV2 classifier of the DCASE 2021 Task 2 baseline.

    keras.applications' network of width 0.5 without pretrained weights, on the spectrogram repeated
    three times as colour channels; softmax over the classes. 710,067 parameters for three classes.

    Parameters
    ----------
    n_mels : int
        Bands of the log-mel spectrogram, at least 32.
    classes : int, at least 2

    Returns
    -------
    model : keras.Model [input shape=(batch, SECTION_FRAMES, n_mels, 1), dB]
    """
    keras = import_keras()
    inputs = keras.Input((SECTION_FRAMES, n_mels, 1), name="log_mel_db")
    colours = keras.layers.Concatenate()([inputs, inputs, inputs])
    network = keras.applications.MobileNetV2(
        input_tensor=colours, alpha=0.5, weights=None, classes=classes, classifier_activation="softmax"
    )
    return keras.Model(inputs, network.output, name="section_classifier")


def quicken_averages(model: keras.Model) -> None:
    """Let batch norms' moving averages follow within an epoch of a few hundred steps.

    keras.applications' MobileNetV2 keeps 0.999 of them a step; below some five thousand steps, the
    averages that inference uses are still those of the untrained network.
    """
    for layer in model.layers:
        if isinstance(layer, import_keras().layers.BatchNormalization):
            layer.momentum = 0.99


def shipped_form(model: keras.Model) -> keras.Model:
    """Return the network that is converted: the autoencoder as it is, a classifier as `logits_of` it."""
    return model if len(model.input_shape) == 2 else logits_of(model)


def logits_of(model: keras.Model) -> keras.Model:
    """Rebuild a section classifier with one input channel, and logits instead of probabilities.

    The three channels are equal, so the sum of the first kernel over them does the same: 709,779
    parameters for three classes.

    Parameters
    ----------
    model : keras.Model
        Made by `section_classifier`, or of the same layers.
    """
    keras = import_keras()
    _, frames, n_mels, _ = model.input_shape
    logits = keras.applications.MobileNetV2(
        input_shape=(frames, n_mels, 1),
        alpha=0.5,
        weights=None,
        classes=model.output_shape[-1],
        classifier_activation=None,
    )
    weights = model.get_weights()
    weights[0] = weights[0].sum(axis=2, keepdims=True)
    logits.set_weights(weights)
    return logits


BASELINES: Mapping[str, Baseline] = {
    "ae": Baseline(AE_FRAMES, 1, 1, 1, 100, 512, 1e-3, False, "dB²", autoencoder),
    "mobilenetv2": Baseline(SECTION_FRAMES, 8, 8, 1, 20, 32, 1e-5, True, "nat", section_classifier),
}
"""The two baselines by name."""
