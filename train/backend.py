"""TensorFlow and Keras, imported quietly and made repeatable."""

from __future__ import annotations

from typing import Any

from edge_asd.quiet import quiet_stderr
from edge_asd.sweeps.alike import Alike

TRAINING = Alike(
    (
        "edge-asd",
        "tensorflow",
        "keras",
        "numpy",
        "scipy",
        "scikit-learn",
        "pyroomacoustics",
        "ai-edge-litert",
        "soxr",
        "soundfile",
    ),
    ("TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS"),
    "train",
    "edge_asd.train",
)
"""What the last bits depend on of trainings, of what is made of them, and of synthetic sound."""


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
