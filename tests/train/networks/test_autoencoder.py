from __future__ import annotations

import struct

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edge_asd.interpreter import Model
from edge_asd.quantize.int8.convert import to_float
from edge_asd.quantize.int8.methods import quantise
from edge_asd.quantize.int8.representative import Representative
from edge_asd.train.backend import make_repeatable
from edge_asd.train.networks.autoencoder import AE_FRAMES, autoencoder


@pytest.fixture(scope="module")
def model():
    make_repeatable(0)
    model = autoencoder()
    # As after training: biases that a careless folding of the batch norm would drop, and statistics of its own.
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.uniform(0, 0.3, w.shape) if w.ndim == 1 else w for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def windows():
    """Two hundred windows that look like decibels."""
    return np.random.default_rng(0).normal(-40, 15, (200, 640)).astype(np.float32)


@pytest.fixture(scope="module")
def int8(model, windows):
    return quantise(to_float(model), Representative(windows)).model


def interpreter(content: bytes) -> Interpreter:
    """Without XNNPACK, which would stand for its operators as one."""
    loaded = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    loaded.allocate_tensors()
    return loaded


def operators(content: bytes) -> list[str]:
    return [operator["op_name"] for operator in interpreter(content)._get_ops_details()]


def test_it_is_the_published_network(model):
    assert AE_FRAMES == 5
    assert model.count_params() == 269_992
    assert model.input_shape == model.output_shape == (None, 640)
    hidden = [128, 128, 128, 128, 8, 128, 128, 128, 128]
    layers = [(layer.__class__.__name__, layer.output.shape[1]) for layer in model.layers]
    expected = [("InputLayer", 640)]
    for units in hidden:
        expected += [("Dense", units), ("BatchNormalization", units), ("Activation", units)]
    assert layers == [*expected, ("Dense", 640)]
    assert {layer.activation.__name__ for layer in model.layers if layer.__class__.__name__ == "Activation"} == {"relu"}
    assert model.layers[-1].activation.__name__ == "linear"
    norm = model.layers[2]
    assert (norm.momentum, norm.epsilon) == (0.99, 1e-3)
    assert sum(layer.kernel.shape[0] * layer.kernel.shape[1] for layer in model.layers[1::3]) == 264_192


def test_fewer_bands_make_a_smaller_one():
    assert autoencoder(64).input_shape == (None, 320)


def test_as_int8_it_is_ten_fully_connected_and_nothing_else(int8):
    assert operators(int8) == ["FULLY_CONNECTED"] * 10


def test_as_int8_every_output_has_its_own_weight_scale(int8):
    loaded = interpreter(int8)
    weights = {
        tuple(tensor["shape"]): (tensor["quantization_parameters"], loaded.get_tensor(tensor["index"]))
        for tensor in loaded.get_tensor_details()
        if tensor["dtype"] == np.int8 and len(tensor["shape"]) == 2 and tensor["shape"][0] != 1
    }
    assert sorted(weights) == [(8, 128), (128, 8), (128, 128), (128, 640), (640, 128)]
    for shape, (parameters, integers) in weights.items():
        assert parameters["scales"].shape == (shape[0],)
        assert parameters["quantized_dimension"] == 0
        assert not parameters["zero_points"].any()
        # One scale for all would leave most rows of weights far from the ends. Scales with which all runtimes
        # round alike are whole fractions, so rows may share one.
        assert np.abs(integers.astype(int)).max(axis=1).min() >= 115


def test_as_float_it_computes_what_keras_does(model, windows):
    content = to_float(model)
    assert operators(content) == ["FULLY_CONNECTED"] * 10
    outputs = Model(content, arithmetic="xnnpack").run(windows)
    assert np.abs(outputs - np.asarray(model(windows))).max() < 1e-4 * np.abs(outputs).max()


def test_as_int8_it_computes_nearly_what_keras_does(model, windows, int8):
    shipped = Model(int8, arithmetic="litert-ref")
    inputs = np.clip(np.rint(windows / shipped.input_scale) + shipped.input_zero_point, -128, 127).astype(np.int8)
    outputs = (shipped.run(inputs).astype(float) - shipped.output_zero_point) * shipped.output_scale
    floats = np.asarray(model(windows))
    assert np.sqrt(np.mean((outputs - floats) ** 2)) < 0.05 * floats.std()


def test_a_conversion_is_the_same_bytes_twice(model, windows, int8):
    assert quantise(to_float(model), Representative(windows)).model == int8
    assert struct.unpack_from("<4s", int8, 4) == (b"TFL3",)
