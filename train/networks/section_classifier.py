"""The MobileNetV2 section classifier in Keras: as published, and as it ships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_asd.bundle import kinds
from edge_asd.train.backend import import_keras
from edge_asd.train.networks.baseline import Baseline

if TYPE_CHECKING:
    import keras

SECTION_FRAMES = 64
"""Frames of a window."""

SECTION_MELS = 32
"""keras.applications builds no MobileNetV2 for fewer bands."""


def section_classifier(n_mels: int, classes: int) -> keras.Model:
    """Build the MobileNetV2 classifier of the DCASE 2021 Task 2 baseline.

    keras.applications' network of width 0.5 without pretrained weights, on the spectrogram repeated
    three times as colour channels; softmax over the classes. 710,067 parameters for three classes.

    Parameters
    ----------
    n_mels : int
        Bands of the log-mel spectrogram, at least `SECTION_MELS`.
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


SECTION_CLASSIFIER = Baseline(
    kind=kinds.SECTION_CLASSIFIER,
    window_frames=SECTION_FRAMES,
    training_hop=8,
    test_hop=8,
    published_test_hop=1,
    least_mels=SECTION_MELS,
    epochs=20,
    batch_size=32,
    learning_rate=1e-5,
    build=section_classifier,
    shipped_form=logits_of,
)
"""The published settings."""
