"""The dense autoencoder in Keras, as published, layer for layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_asd.bundle import kinds
from edge_asd.train.backend import import_keras
from edge_asd.train.networks.baseline import Baseline

if TYPE_CHECKING:
    import keras

AE_FRAMES = 5
"""Frames of a window."""


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


AUTOENCODER = Baseline(
    kind=kinds.AUTOENCODER,
    window_frames=AE_FRAMES,
    training_hop=1,
    test_hop=1,
    published_test_hop=1,
    least_mels=16,
    epochs=100,
    batch_size=512,
    learning_rate=1e-3,
    build=autoencoder,
    # What is trained is what ships.
    shipped_form=lambda model: model,
)
"""The published settings."""
