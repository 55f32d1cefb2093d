"""The weights that a training begins with."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def initialise(model: keras.Model, seed: int) -> None:
    """Draw the weights of a new network anew, so that they depend on the seed alone.

    Keras seeds each layer from Python's generator of random numbers, which other threads of the process may use
    meanwhile, as those of a Dask worker do. Here the same numbers come from a generator of our own: the weights are
    those of `edge_asd.train.backend.make_repeatable` and a process that does nothing else.

    Parameters
    ----------
    model : keras.Model
        Just built, of layers with one kernel at most.
    seed : int >= 0
    """
    drawn = random.Random(seed)
    for layer in model.layers:
        for name in ("kernel_initializer", "depthwise_initializer"):
            initializer = getattr(layer, name, None)
            if initializer is None or "seed" not in (settings := initializer.get_config()):
                continue
            fresh = type(initializer).from_config({**settings, "seed": drawn.randint(1, 10**9)})
            layer.kernel.assign(fresh(layer.kernel.shape, layer.kernel.dtype))
