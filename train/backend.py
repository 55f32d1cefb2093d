"""TensorFlow and Keras, imported quietly and made repeatable."""

from __future__ import annotations

from typing import Any

from edge_asd.quiet import quiet_stderr


def import_tensorflow() -> Any:
    """Import TensorFlow, without its messages (see also ``train/__init__.py``)."""
    with quiet_stderr():
        import tensorflow as tf

    tf.get_logger().setLevel("ERROR")
    return tf


def import_keras() -> Any:
    """Import Keras on TensorFlow."""
    import_tensorflow()
    import keras

    return keras


def make_repeatable(seed: int) -> None:
    """Seed every generator that Keras uses, and ask for deterministic kernels."""
    import_keras().utils.set_random_seed(seed)
    import_tensorflow().config.experimental.enable_op_determinism()
