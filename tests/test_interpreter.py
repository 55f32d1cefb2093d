from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd import interpreter
from edge_asd.errors import DependencyError, ModelError
from edge_asd.interpreter import ARITHMETICS, Model
from edge_asd.train.backend import import_tensorflow


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(0).integers(-128, 128, (50, 640), dtype=np.int8)


def test_a_model_describes_itself(bundle):
    model = Model(bundle.model, arithmetic="litert-ref")
    assert (model.input_shape, model.output_shape) == ((640,), (640,))
    assert (model.dtype, model.output_dtype) == (np.int8, np.int8)
    assert (model.input_scale, model.input_zero_point) == (bundle.input.scale, bundle.input.zero_point)
    assert (model.output_scale, model.output_zero_point) == (bundle.output.scale, bundle.output.zero_point)
    assert model.runtime in ("LiteRT", "tflite-runtime")
    plain = Model(bundle.float_model, arithmetic="xnnpack")
    assert (plain.input_shape, plain.output_shape) == ((640,), (640,))
    assert (plain.dtype, plain.output_dtype) == (np.float32, np.float32)
    assert (plain.input_scale, plain.input_zero_point, plain.output_scale, plain.output_zero_point) == (0, 0, 0, 0)


def test_threads_may_share_a_model(bundle, windows):
    model = Model(bundle.model, arithmetic="litert-ref")
    batches = [windows[first : first + size] for first in range(0, 40, 5) for size in (1, 3, 10)] * 5
    alone = [model.run(batch) for batch in batches]
    with ThreadPoolExecutor(8) as threads:
        for expected, outputs in zip(alone, threads.map(model.run, batches), strict=True):
            np.testing.assert_array_equal(outputs, expected)


def test_a_batch_is_its_windows_one_by_one_bit_for_bit(bundle, windows):
    model = Model(bundle.model, arithmetic="litert-ref")
    singles = np.concatenate([model.run(window[None]) for window in windows])
    assert singles.shape == (50, 640)
    assert len(np.unique(singles)) > 10  # it says something
    for size in (50, 7, 1, 49):
        assert np.array_equal(model.run(windows[:size]), singles[:size])


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_more_windows_than_one_batch_holds_run_in_several(bundle, windows, arithmetic, monkeypatch):
    model = Model(bundle.model, arithmetic=arithmetic)
    at_once = model.run(windows)
    monkeypatch.setattr(interpreter, "_BATCH_VALUES", 7 * 640)
    assert np.array_equal(Model(bundle.model, arithmetic=arithmetic).run(windows), at_once)


def test_arithmetics_differ_by_little_but_differ(bundle, windows):
    outputs = {name: Model(bundle.model, arithmetic=name).run(windows).astype(int) for name in ARITHMETICS}
    assert 0 < np.abs(outputs["litert-builtin"] - outputs["litert-ref"]).max() <= 8
    assert np.abs(outputs["xnnpack"] - outputs["litert-ref"]).max() <= 1


def test_an_unknown_arithmetic_is_an_error(bundle):
    with pytest.raises(ModelError, match="no model arithmetic 'tflm'; there are: litert-ref, xnnpack, litert-builtin"):
        Model(bundle.model, arithmetic="tflm")


@given(sizes=st.lists(st.integers(0, 12), max_size=8))
def test_batches_of_any_sizes_in_any_order_agree(bundle, windows, sizes):
    model, fresh = Model(bundle.model, arithmetic="litert-ref"), Model(bundle.model, arithmetic="litert-ref")
    expected = fresh.run(windows)
    for size in sizes:
        outputs = model.run(windows[50 - size :])
        assert outputs.shape == (size, 640)
        assert outputs.dtype == np.int8
        assert np.array_equal(outputs, expected[50 - size :])


def test_outputs_are_the_callers_own_and_inputs_stay(bundle, windows):
    model = Model(bundle.model, arithmetic="litert-ref")
    before = windows.copy()
    first = model.run(windows[:3])
    kept = first.copy()
    model.run(windows[3:6])
    assert np.array_equal(first, kept)
    first[:] = 0
    assert np.array_equal(model.run(windows[:3]), kept)
    assert np.array_equal(windows, before)


def test_windows_need_not_be_contiguous(bundle, windows):
    model = Model(bundle.model, arithmetic="litert-ref")
    assert np.array_equal(model.run(windows[::-3]), model.run(windows[::-3].copy()))


def test_windows_of_another_kind_are_an_error(bundle, windows):
    model = Model(bundle.model, arithmetic="litert-ref")
    for wrong in (windows[:, :639], windows.astype(np.int16), windows.reshape(50, 5, 128), windows[0]):
        with pytest.raises(ModelError, match=r"takes windows of int8 \(640,\), not of int"):
            model.run(wrong)


def converted(function, shape) -> bytes:
    tf = import_tensorflow()
    traced = tf.function(function, input_signature=[tf.TensorSpec(shape, tf.float32)])
    return tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()]).convert()


@pytest.mark.parametrize("batch", [1, None])
def test_a_model_with_a_large_window_runs_whether_its_batch_is_fixed_or_not(batch):
    """The shape of a section classifier's window."""
    tf = import_tensorflow()
    content = converted(lambda x: tf.reduce_mean(x, axis=(2, 3)), (batch, 64, 128, 1))
    windows = np.random.default_rng(0).integers(-9, 9, (100, 64, 128, 1)).astype(np.float32)
    for arithmetic in ARITHMETICS:
        model = Model(content, arithmetic=arithmetic)
        assert (model.input_shape, model.output_shape) == ((64, 128, 1), (64,))
        for part in (windows[:31], windows[31:62], windows):
            assert np.array_equal(model.run(part), part.mean(axis=(2, 3)))


def test_a_model_for_some_other_number_of_windows_is_an_error():
    with pytest.raises(ModelError, match="takes 3 windows at once"):
        Model(
            converted(lambda x: import_tensorflow().matmul(x, np.eye(4, dtype=np.float32)), (3, 4)),
            arithmetic="litert-ref",
        )


def test_a_model_of_single_numbers_is_an_error():
    with pytest.raises(ModelError, match="does not fit its tensors"):
        Model(converted(lambda x: x + 1.0, ()), arithmetic="litert-ref")


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
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
def test_bytes_that_are_no_model_are_an_error(bundle, change, arithmetic):
    with pytest.raises(ModelError, match=r"^(This is not a \.tflite file|The model file is damaged: it)"):
        Model(change(bundle.model), arithmetic=arithmetic)


def test_a_changed_byte_never_crashes_the_process(bundle_path):
    """In a process of its own: what could go wrong here is a segmentation fault."""
    program = """
import sys
from pathlib import Path
import numpy as np
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import ModelError
from edge_asd.interpreter import ARITHMETICS, Model
content = Bundle.load(Path(sys.argv[1])).model
rng = np.random.default_rng(0)
# Structure lies at both ends, weights in between.
places = np.concatenate([rng.integers(0, 4000, 60), rng.integers(len(content) - 14000, len(content), 60)])
refused = 0
for place in places:
    damaged = bytearray(content)
    damaged[place] = rng.integers(256)
    try:
        Model(bytes(damaged), arithmetic="litert-ref").run(np.zeros((2, 640), np.int8))
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
    content = converted(lambda x: (x + 1, x + 2), (1, 4))
    with pytest.raises(ModelError, match="has 1 inputs and 2 outputs; it must have one of each"):
        Model(content, arithmetic="litert-ref")


def test_no_runtime_is_an_error_that_says_what_to_install(bundle, monkeypatch):
    monkeypatch.setattr(interpreter, "_RUNTIMES", (("edge_asd_has_no_such_module.interpreter", "none"),))
    with pytest.raises(DependencyError, match="pip install ai-edge-litert"):
        Model(bundle.model, arithmetic="litert-ref")


def test_the_runtime_says_nothing(bundle, capfd):
    Model(bundle.model, arithmetic="xnnpack").run(np.zeros((2, 640), np.int8))
    assert capfd.readouterr() == ("", "")
