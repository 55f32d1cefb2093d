"""Every value that an operation's kernel gives is the one that the runtimes give."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from edge_asd.firmware_export.operators.dispatch import SIMPLE
from edge_asd.model_file import read_model
from edge_asd.quiet import quiet_stderr
from tests.firmware_export.kernels import Kernels
from tests.firmware_export.operator_cases import FAMILIES, moves, tables
from tests.firmware_export.runtimes import Case, install_tflm, run_litert, run_tflm
from tests.once import Once

CASES = {**FAMILIES, "moves": partial(moves, wide=True), "tables": partial(tables, rescaling_relu6=True)}
# TFLM rescales no RELU6 and reads no int64.
CASES_OF_TFLM = {**FAMILIES, "moves": partial(moves, wide=False), "tables": partial(tables, rescaling_relu6=False)}


def run(kernels: Kernels, case: Case, *, twice: bool) -> np.ndarray:
    content, inputs = case
    model = read_model(content)
    (operator,) = model.operators
    return kernels.run(model, 1, operator, dict(zip(model.inputs, inputs, strict=True)), twice=twice)


@pytest.mark.parametrize("family", CASES)
def test_kernels_equal_litert(kernels: Kernels, family: str) -> None:
    for number, case in enumerate(CASES[family]()):
        expected = run_litert(*case)[read_model(case[0]).outputs[0]]
        np.testing.assert_array_equal(run(kernels, case, twice=False), expected, err_msg=f"case {number}")


@pytest.mark.prove
@pytest.mark.parametrize("family", CASES_OF_TFLM)
def test_kernels_equal_tflm(kernels: Kernels, family: str, once: Once, tmp_path: Path) -> None:
    cases = CASES_OF_TFLM[family]()
    outputs = run_tflm(once("tflm", install_tflm), cases, tmp_path)
    for number, (case, expected) in enumerate(zip(cases, outputs, strict=True)):
        ours = run(kernels, case, twice=True)
        np.testing.assert_array_equal(ours.reshape(expected.shape), expected, err_msg=f"case {number}")


def make_converted(folder: Path) -> None:
    """Have TensorFlow convert a network of all these operations, with float32 at both ends."""
    from edge_asd.train.backend import import_tensorflow

    tf = import_tensorflow()
    rng = np.random.default_rng(0)

    @tf.function(input_signature=[tf.TensorSpec((1, 9, 8, 4), tf.float32)])
    def network(x):
        x = tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]])
        pooled = tf.nn.avg_pool2d(x, 3, 2, "SAME")
        other = tf.nn.relu(pooled) + tf.nn.avg_pool2d(x, 2, 2, "SAME")
        x = tf.concat([pooled + other, tf.nn.relu6(pooled), pooled], axis=3)
        x = tf.reduce_mean(x, axis=[1, 2]) + tf.constant(rng.normal(size=12).astype(np.float32))
        return tf.nn.softmax(tf.reshape(x, (1, 3, 4)))

    converter = tf.lite.TFLiteConverter.from_concrete_functions([network.get_concrete_function()], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: ([rng.normal(0, 3, (1, 9, 8, 4)).astype(np.float32)] for _ in range(20))
    with quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "Statistics for quantized inputs were expected": they are measured
        (folder / "model.tflite").write_bytes(converter.convert())


def test_the_converters_own_forms_are_understood(kernels: Kernels, once: Once) -> None:
    content = (once("converted", make_converted) / "model.tflite").read_bytes()
    model = read_model(content)
    rng = np.random.default_rng(1)
    kinds = [operator.kind for operator in model.operators]
    for _ in range(20):
        known = run_litert(content, [rng.normal(0, 3, (1, 9, 8, 4)).astype(np.float32)])
        for place, operator in enumerate(model.operators, 1):
            ours = kernels.run(model, place, operator, known, twice=False)
            np.testing.assert_array_equal(ours, known[operator.outputs[0]], err_msg=operator.kind)
    assert set(kinds) == set(SIMPLE)
