"""Keras models and SavedModels as TensorFlow functions without variables, which every converter begins with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_asd.train.backend import import_tensorflow

if TYPE_CHECKING:
    import keras


def frozen_model(model: keras.Model) -> Any:
    """Return a model's inference as a ConcreteFunction whose variables are constants."""
    tf = import_tensorflow()
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    return _frozen(tf.function(lambda x: model(x, training=False), input_signature=signature).get_concrete_function())


def frozen_folder(folder: Path) -> Any:
    """Return what a SavedModel serves as a ConcreteFunction whose variables are constants."""
    loaded = import_tensorflow().saved_model.load(str(folder))  # which its functions do not hold on to
    return _frozen(loaded.signatures["serving_default"])


def _frozen(call: Any) -> Any:
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(call)
