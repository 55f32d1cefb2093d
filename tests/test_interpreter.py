from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd import interpreter
from edge_asd.errors import DependencyError, ModelError
from edge_asd.interpreter import Model


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(0).integers(-128, 128, (50, 640), dtype=np.int8)


def test_a_model_describes_itself(bundle):
    model = Model(bundle.model, reference=True)
    assert (model.input_shape, model.output_shape) == ((640,), (640,))
    assert (model.dtype, model.output_dtype) == (np.int8, np.int8)
    assert (model.input_scale, model.input_zero_point) == (bundle.input.scale, bundle.input.zero_point)
    assert (model.output_scale, model.output_zero_point) == (bundle.output.scale, bundle.output.zero_point)
    assert model.runtime in ("LiteRT", "tflite-runtime")
    plain = Model(bundle.float_model, reference=False)
    assert (plain.input_shape, plain.output_shape) == ((640,), (640,))
    assert (plain.dtype, plain.output_dtype) == (np.float32, np.float32)
    assert (plain.input_scale, plain.input_zero_point, plain.output_scale, plain.output_zero_point) == (0, 0, 0, 0)


def test_a_batch_is_its_windows_one_by_one_bit_for_bit(bundle, windows):
    model = Model(bundle.model, reference=True)
    singles = np.concatenate([model.run(window[None]) for window in windows])
    assert singles.shape == (50, 640)
    assert len(np.unique(singles)) > 10  # it says something
    for size in (50, 7, 1, 49):
        assert np.array_equal(model.run(windows[:size]), singles[:size])


@given(sizes=st.lists(st.integers(0, 12), max_size=8))
def test_batches_of_any_sizes_in_any_order_agree(bundle, windows, sizes):
    model, fresh = Model(bundle.model, reference=True), Model(bundle.model, reference=True)
    expected = fresh.run(windows)
    for size in sizes:
        outputs = model.run(windows[50 - size :])
        assert outputs.shape == (size, 640)
        assert outputs.dtype == np.int8
        assert np.array_equal(outputs, expected[50 - size :])


def test_outputs_are_the_callers_own_and_inputs_stay(bundle, windows):
    model = Model(bundle.model, reference=True)
    before = windows.copy()
    first = model.run(windows[:3])
    kept = first.copy()
    model.run(windows[3:6])
    assert np.array_equal(first, kept)
    first[:] = 0
    assert np.array_equal(model.run(windows[:3]), kept)
    assert np.array_equal(windows, before)


def test_windows_need_not_be_contiguous(bundle, windows):
    model = Model(bundle.model, reference=True)
    assert np.array_equal(model.run(windows[::-3]), model.run(windows[::-3].copy()))


@pytest.mark.parametrize("reference", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        lambda model: b"",
        lambda model: b"x",
        lambda model: b"TFL3",
        lambda model: bytes(1000),
        lambda model: model[:100],
        lambda model: model[: len(model) // 2],
        lambda model: model[:-1],
        lambda model: model[4:],
        lambda model: model[:4] + b"TFL4" + model[8:],
        lambda model: b"\xff" * 4 + model[4:],
        lambda model: np.random.default_rng(0).bytes(10_000),
    ],
)
def test_bytes_that_are_no_model_are_an_error(bundle, change, reference):
    with pytest.raises(ModelError, match=r"^(LiteRT|tflite-runtime) cannot load the model: "):
        Model(change(bundle.model), reference=reference)


def test_a_changed_byte_never_crashes_the_process(bundle_path):
    """In a process of its own: what could go wrong here is a segmentation fault."""
    program = """
import sys
from pathlib import Path
import numpy as np
from edge_asd.bundle import Bundle
from edge_asd.errors import ModelError
from edge_asd.interpreter import Model
content = Bundle.load(Path(sys.argv[1])).model
rng = np.random.default_rng(0)
# Structure lies at both ends, weights in between.
places = np.concatenate([rng.integers(0, 4000, 60), rng.integers(len(content) - 14000, len(content), 60)])
refused = 0
for place in places:
    damaged = bytearray(content)
    damaged[place] = rng.integers(256)
    try:
        Model(bytes(damaged), reference=True).run(np.zeros((2, 640), np.int8))
    except ModelError:
        refused += 1
print(refused)
"""
    result = subprocess.run(
        [sys.executable, "-c", program, str(bundle_path)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert 0 < int(result.stdout) < 120


def test_a_model_with_two_outputs_is_an_error():
    train_backend = pytest.importorskip("train.backend", reason="needs the extra edge-asd[train]")
    tf = train_backend.import_tensorflow()
    function = tf.function(lambda x: (x + 1, x + 2), input_signature=[tf.TensorSpec((1, 4), tf.float32)])
    content = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()]).convert()
    with pytest.raises(ModelError, match="has 1 inputs and 2 outputs; it must have one of each"):
        Model(content, reference=True)


def test_no_runtime_is_an_error_that_says_what_to_install(bundle, monkeypatch):
    monkeypatch.setattr(interpreter, "_RUNTIMES", (("edge_asd_has_no_such_module.interpreter", "none"),))
    with pytest.raises(DependencyError, match="pip install ai-edge-litert"):
        Model(bundle.model, reference=True)


def test_the_runtime_says_nothing(bundle, capfd):
    Model(bundle.model, reference=False).run(np.zeros((2, 640), np.int8))
    assert capfd.readouterr() == ("", "")
