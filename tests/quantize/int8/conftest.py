"""Small networks of what the two baselines are built of."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asd.quantize.int8.convert import to_float
from edge_asd.train.backend import import_keras, make_repeatable

RNG = np.random.default_rng(20210610)


def as_after_training(model):
    """Give batch norms and biases values of their own, which careless folding would drop."""
    model.set_weights([w + RNG.uniform(0.1, 0.5, w.shape) if w.ndim == 1 else w for w in model.get_weights()])
    return model


@pytest.fixture(scope="session")
def dense():
    """A small autoencoder, its float .tflite, and windows: a spectrum that hardly changes, at varying levels."""
    keras = import_keras()
    make_repeatable(0)
    inputs = keras.Input((60,))
    x = keras.layers.Activation("relu")(keras.layers.BatchNormalization()(keras.layers.Dense(24)(inputs)))
    x = keras.layers.Activation("relu")(keras.layers.BatchNormalization()(keras.layers.Dense(6)(x)))
    model = as_after_training(keras.Model(inputs, keras.layers.Dense(60)(x)))
    spectrum = np.linspace(-20, -60, 60)
    windows = spectrum + RNG.normal(0, 3, (300, 60)) + RNG.normal(0, 4, (300, 1))
    return model, to_float(model), windows.astype(np.float32)


@pytest.fixture(scope="session")
def convolutional():
    """What MobileNetV2 is built of, once: convolutions, depthwise ones, a shortcut, a mean, logits."""
    keras = import_keras()
    layers = keras.layers
    make_repeatable(0)
    inputs = keras.Input((16, 32, 1))

    def normed(x, activation=True):
        x = layers.BatchNormalization()(x)
        return layers.ReLU(6.0)(x) if activation else x

    x = normed(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(inputs))
    shortcut = x = normed(layers.Conv2D(8, 1, use_bias=False)(x), activation=False)
    x = normed(layers.Conv2D(16, 1, use_bias=False)(x))
    x = normed(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x))
    x = layers.Add()([shortcut, normed(layers.Conv2D(8, 1, use_bias=False)(x), activation=False)])
    x = normed(layers.Conv2D(8, 1, use_bias=False)(x), activation=False)
    x = normed(layers.Conv2D(16, 1, use_bias=False)(x))
    outputs = layers.Dense(3)(layers.GlobalAveragePooling2D()(x))
    windows = RNG.normal(-40, 10, (100, 16, 32, 1)) + np.linspace(10, -10, 32)[:, None]
    model = as_after_training(keras.Model(inputs, outputs))
    return model, to_float(model), windows.astype(np.float32)
