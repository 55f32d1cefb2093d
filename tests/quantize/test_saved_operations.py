from __future__ import annotations

import pytest

from edge_asd.errors import ModelError
from edge_asd.quantize.saved_operations import check_operations
from edge_asd.train.backend import import_tensorflow


def saved(folder, body):
    tf = import_tensorflow()
    module = tf.Module()
    module.call = tf.function(body, input_signature=[tf.TensorSpec((None, 640))])
    tf.saved_model.save(module, str(folder), signatures=module.call)
    return folder


def test_arithmetic_is_let_through(tmp_path):
    check_operations(saved(tmp_path / "good", lambda x: {"y": x * 2.0}))


@pytest.mark.parametrize("which", ["ReadFile", "WriteFile", "EagerPyFunc", "nested"])
def test_operations_that_touch_the_world_are_refused_unloaded(tmp_path, which):
    tf = import_tensorflow()

    def read(x):
        return x + tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32)

    def write(x):
        tf.io.write_file(str(tmp_path / "sprung"), "x")
        return x

    def body(x):
        if which == "EagerPyFunc":
            return {"y": tf.py_function(lambda v: v, [x], tf.float32)}
        call = {"ReadFile": read, "WriteFile": write, "nested": tf.function(read)}[which]
        return {"y": call(x)}

    folder = saved(tmp_path / "bad", body)
    with pytest.raises(ModelError, match="It was not loaded"):
        check_operations(folder)
    assert not (tmp_path / "sprung").exists()


def test_a_folder_that_is_none_is_told_at_once(tmp_path):
    with pytest.raises(ModelError, match="is no SavedModel"):
        check_operations(tmp_path)
