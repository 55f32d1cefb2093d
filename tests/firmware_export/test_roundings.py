"""Both roundings of dense layers, tensor by tensor: once as LiteRT's reference kernels, twice as TFLM."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.firmware_export.library import ROUNDINGS, model_library
from edge_asd.firmware_export.proof.reference import Reference, reference
from edge_asd.firmware_export.proof.verification import Verification, verify
from edge_asd.firmware_export.proof.windows import trial_windows
from edge_asd.model_file import read_model
from tests.firmware_export.graphs import Graph, Values
from tests.golden.committed import NAMES
from tests.once import Once

pytest.importorskip("tflite_micro", reason="TensorFlow Lite Micro has packages for Linux on x86-64 alone")

WIDTHS = (40, 33, 24, 7, 24, 40)
WINDOWS = 20
HALVES = [(0, 0), (0, 1), (-128, 1), (5, 0)]  # zero points and activations
RUNTIMES = dict(zip(ROUNDINGS, ("LiteRT", "TensorFlow Lite Micro"), strict=True))


def proven(content: bytes, rounding: str) -> Verification:
    return verify(model_library(content, rounding=rounding), content, windows=WINDOWS)


def make_dense(folder: Path, *, per_channel: bool) -> None:
    """Convert a small network of dense layers; the converter chooses its scales."""
    from edge_asd.train.backend import import_tensorflow

    tf = import_tensorflow()
    rng = np.random.default_rng(3)
    layers = [tf.keras.layers.Dense(width, activation="relu") for width in WIDTHS[1:-1]]
    layers.append(tf.keras.layers.Dense(WIDTHS[-1]))
    model = tf.keras.Sequential([tf.keras.Input(WIDTHS[:1], batch_size=1), *layers])
    for layer in layers:
        shapes = [weights.shape for weights in layer.get_weights()]
        layer.set_weights([rng.normal(0, 1.5 / np.sqrt(shape[0]), shape) for shape in shapes])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.normal(size=(1, WIDTHS[0])).astype("f")] for _ in range(50))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    converter._experimental_disable_per_channel_quantization_for_dense_layers = not per_channel
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs were expected")
        (folder / "model.tflite").write_bytes(converter.convert())


@pytest.fixture(scope="module", params=["per-tensor", "per-channel"])
def dense(request: pytest.FixtureRequest, once: Once) -> bytes:
    per_channel = request.param == "per-channel"
    folder = once(f"dense-{request.param}", partial(make_dense, per_channel=per_channel))
    content = (folder / "model.tflite").read_bytes()
    model = read_model(content)
    scales = [len(model.tensors[operator.inputs[1]].scales) for operator in model.operators]
    assert scales == (list(WIDTHS[1:]) if per_channel else [1] * 5)
    return content


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_dense_layers_round_as_their_runtime_does(dense: bytes, rounding: str) -> None:
    result = proven(dense, rounding)
    assert result.reference.startswith(RUNTIMES[rounding])
    assert (result.mismatches, result.vectors, result.values) == (0, WINDOWS, WINDOWS * sum(WIDTHS[1:]))


def test_the_roundings_of_these_layers_differ(dense: bytes) -> None:
    """Else the test above would show nothing."""
    networks = [model_library(dense, rounding=rounding).network for rounding in ROUNDINGS]
    assert networks[0] is not None
    windows = trial_windows(networks[0], WINDOWS)
    results: list[Reference] = []
    for network in networks:
        assert network is not None
        found = reference(network, dense, windows)
        assert found is not None
        results.append(found)
    once, twice = results
    hidden = [tensor for tensor in once.tensors if once.tensors[tensor] != twice.tensors[tensor]]
    assert hidden
    assert np.abs(once.outputs.astype(int) - twice.outputs).max() > 0


@pytest.mark.prove  # test_proof_autoencoder.py shows as much of the autoencoder, with its decisions
@pytest.mark.parametrize("name", ["ae", "mobilenetv2"])
def test_a_committed_bundle_s_model_equals_tflm(name: str) -> None:
    result = proven(Bundle.load(NAMES[name]).model, "tflm")
    assert result.reference.startswith(RUNTIMES["tflm"])
    assert (result.mismatches, result.vectors) == (0, WINDOWS)
    assert result.values == WINDOWS * {"ae": 8 * 128 + 8 + 640, "mobilenetv2": 615298}[name]


def halves(*, zero_point: int, activation: int) -> bytes:
    """Dense layers whose scales are powers of two, so that sums lie exactly on halves."""
    graph = Graph((1, 8), 0, scale=1.0, zero_point=0)
    tensor = graph.input
    rng = np.random.default_rng(4)
    for scales in (0.5, 0.25, 0.125):
        data = rng.integers(-3, 4, (8, 8)).astype(np.int8)
        weights = graph.add(Values((8, 8), np.full(8, scales, np.float32), data=data, axis=0))
        output = graph.tensor((1, 8), 1.0, zero_point)
        graph.operation("FULLY_CONNECTED", [tensor, weights], output, fusedActivationFunction=activation)
        tensor = output
    return graph.written(tensor)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(("zero_point", "activation"), HALVES)
def test_exact_halves_are_rounded_as_their_runtime_does(zero_point: int, activation: int, rounding: str) -> None:
    prove_halves(zero_point, activation, rounding)


@pytest.mark.parametrize(
    ("zero_point", "activation"),
    [case if case == (-128, 1) else pytest.param(*case, marks=pytest.mark.prove) for case in HALVES],
)
def test_boards_round_exact_halves_alike(zero_point: int, activation: int) -> None:
    prove_halves(zero_point, activation, "litert", boards=("cortex-m4", "cortex-m55"))


def prove_halves(zero_point: int, activation: int, rounding: str, boards: Sequence[str] = ()) -> None:
    content = halves(zero_point=zero_point, activation=activation)
    library = model_library(content, rounding=rounding)
    found = verify(library, content, windows=60, boards=boards)
    assert found.mismatches == 0
    assert found.reference.startswith(RUNTIMES[rounding])
