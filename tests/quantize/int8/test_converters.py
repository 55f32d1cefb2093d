"""LiteRT's converter and quantiser make what TensorFlow's make, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import DependencyError, ModelError
from edge_asd.interpreter import Model
from edge_asd.quantize.int8 import convert
from edge_asd.quantize.int8.convert import converter_versions, saved_to_float, to_float, to_int8
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.methods import quantise
from edge_asd.quantize.int8.ranges import activation_ranges, whole
from edge_asd.quantize.int8.representative import Representative
from edge_asd.train.backend import import_keras, make_repeatable
from edge_asd.train.networks.baselines import BASELINES
from tests.golden.committed import NETWORKS
from tests.quantize.int8.graphs import check_same


def network(name: str):
    """A baseline as it ships, whose batch norms are not the identity."""
    make_repeatable(0)
    rng = np.random.default_rng(3)
    model = BASELINES[name].shipped_form(BASELINES[name].build(128, 3))
    model.set_weights([w + rng.uniform(0.1, 0.5, w.shape) if w.ndim == 1 else w for w in model.get_weights()])
    return model


def windows_for(content: bytes, count: int = 16) -> np.ndarray:
    graph = Graph(content)
    shape = (count, *graph.shape(graph.input)[1:])
    return np.random.default_rng(1).normal(-40, 15, shape).astype(np.float32)


def ranges_of(content: bytes) -> dict[int, tuple[float, float]]:
    return dict(activation_ranges(Graph(content), windows_for(content), whole))


@pytest.fixture(params=NETWORKS)
def committed(request) -> bytes:
    """Float model of a committed bundle; its weights lie on a coarse grid, halves between two integers among them."""
    return Bundle.load(NETWORKS[request.param]).float_model


@pytest.mark.parametrize("name", ["ae", pytest.param("mobilenetv2", marks=pytest.mark.prove)])
def test_float_models_are_the_same(litert, name):
    model = network(name)
    theirs, ours = (to_float(model, converter=converter) for converter in ("tensorflow", "litert"))
    check_same(theirs, ours)
    windows = windows_for(ours, 4)
    outputs = [Model(content, arithmetic="litert-ref").run(windows) for content in (theirs, ours)]
    np.testing.assert_array_equal(*outputs)
    # What one has made, the other quantises.
    ranges = ranges_of(theirs)
    check_same(to_int8(theirs, ranges), to_int8(ours, dict(zip(Graph(ours).activations, ranges.values(), strict=True))))


def test_saved_models_are_the_same(litert, tmp_path):
    keras = import_keras()
    make_repeatable(0)
    inputs = keras.Input((16, 32, 1))
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(inputs)
    x = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(x))
    x = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(x))
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(x)))
    rng = np.random.default_rng(3)
    model.set_weights([w + rng.uniform(0.1, 0.5, w.shape) for w in model.get_weights()])
    model.export(tmp_path / "saved", verbose=False)
    theirs, ours = (saved_to_float(tmp_path / "saved", converter=name) for name in ("tensorflow", "litert"))
    check_same(theirs, ours)
    check_same(ours, to_float(model, converter="litert"))


def test_int8_models_are_the_same(litert, committed):
    ranges = ranges_of(committed)
    check_same(to_int8(committed, ranges), to_int8(committed, ranges, converter="litert"))


@pytest.mark.parametrize(
    "ends",
    [(0, 0), (0, 1e-6), (-1e-12, 1e-12), (0, 1.0000001e-6), (-5e-7, 5.1e-7), (3, 5), (-5, -3), (-1e30, 1e30), (0, 255)],
)
@pytest.mark.parametrize("place", [0, 4])
def test_odd_ranges_have_the_same_scales(litert, ends, place):
    content = Bundle.load(NETWORKS["ae"]).float_model
    ranges = ranges_of(content)
    ranges[list(ranges)[place]] = ends
    check_same(to_int8(content, ranges), to_int8(content, ranges, converter="litert"))


@pytest.mark.parametrize("seed", range(3))
def test_odd_weights_and_biases_have_the_same_scales_and_integers(litert, seed):
    """Channels without weights or with hardly any, and biases that no accumulator could hold in the usual scale."""
    rng = np.random.default_rng(seed)
    graph = Graph(Bundle.load(NETWORKS["ae"]).float_model)
    operation = graph.operations[2]
    weights, bias = graph.constant(operation.weights), graph.constant(operation.bias)
    weights[:10], weights[10:20] = 0, 1e-12
    weights[20:70] *= 10.0 ** rng.uniform(-9, 4, (50, 1))
    bias[5:] = rng.normal(0, 1, len(bias) - 5) * 10.0 ** rng.uniform(-6, 6, len(bias) - 5)
    graph.set_constant(operation.weights, weights)
    graph.set_constant(operation.bias, bias)
    content = graph.to_bytes()
    ranges = ranges_of(content)
    theirs = to_int8(content, ranges)
    check_same(theirs, to_int8(content, ranges, converter="litert"))
    most = np.abs(Graph(theirs).constant(Graph(theirs).operations[2].bias).astype(np.int64))
    assert (most > 2**29).sum() > 10  # they were biases of that kind


def test_the_default_method_ends_with_the_same_integers(litert):
    content = Bundle.load(NETWORKS["ae"]).float_model
    data = Representative(windows_for(content, 64))
    check_same(*(quantise(content, data, converter=name).model for name in ("tensorflow", "litert")))


def test_the_versions_are_those_of_what_is_installed(litert):
    assert list(converter_versions("litert")) == ["litert-converter", "litert-quantizer"]


def test_an_unknown_converter_is_refused():
    with pytest.raises(ModelError, match=r"There is no converter 'toco'; use one of: tensorflow, litert\."):
        converter_versions("toco")


def test_a_converter_that_is_not_installed_is_told_with_its_extra(monkeypatch):
    absent = convert.Converter(("no-such-package",), to_float, saved_to_float, to_int8)
    monkeypatch.setattr(convert, "CONVERTERS", {"litert": absent})
    message = "litert needs a package that is not installed: no-such-package. .* 'edge-asd.train,converter.'"
    with pytest.raises(DependencyError, match=message):
        converter_versions("litert")
