"""The baselines' networks in Keras, as published (layer for layer)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from train.backend import import_keras

if TYPE_CHECKING:
    import keras

AE_FRAMES = 5
"""Frames an autoencoder window spans."""


def autoencoder(n_mels: int = 128) -> keras.Model:
    """Build the dense autoencoder of the DCASE 2021 Task 2 baseline.

    640-[Dense 128, batch norm, ReLU] x 4-[Dense 8, batch norm, ReLU]-[Dense 128, batch norm,
    ReLU] x 4-Dense 640, linear; 269,992 parameters for 128 bands.

    Parameters
    ----------
    n_mels : int
        Bands of the log-mel spectrogram; input and output have `AE_FRAMES` times as many values.

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
