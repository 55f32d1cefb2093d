"""Channels brought to the same range: the function unchanged, the steps finer, nothing below zero."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asd.errors import ModelError
from edge_asd.interpreter import ARITHMETICS, Model
from edge_asd.quantize.int8.convert import to_float
from edge_asd.quantize.int8.execution import trace
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.levelling import Levelling, level
from edge_asd.quantize.int8.methods import quantise
from edge_asd.quantize.int8.representative import Representative
from edge_asd.train.backend import import_keras
from tests.quantize.int8.networks import differences, outputs_of

Case = tuple[bytes, np.ndarray]


@pytest.fixture(scope="module")
def case(convolutional) -> Case:
    _, content, windows = convolutional
    return content, windows


@pytest.fixture(scope="module")
def levelled(case: Case) -> Levelling:
    return level(*case)


def activations(content: bytes, windows: np.ndarray) -> dict[int, np.ndarray]:
    found = list(trace(Graph(content), windows))
    return {tensor: np.concatenate([batch[tensor] for batch in found]) for tensor in found[0]}


def test_the_function_is_the_same_but_for_what_all_logits_share(case: Case, levelled: Levelling):
    content, windows = case
    exact, ours = (Model(one, arithmetic="litert-ref").run(windows) for one in (content, levelled.model))
    assert np.abs(differences(ours) - differences(exact)).max() < 2e-4 * np.abs(exact).max()
    shared = ours - exact
    assert np.ptp(shared) < 2e-4 * np.abs(exact).max()
    assert ours.min() == pytest.approx(0, abs=1e-3)


def test_it_tells_how_each_activation_was_changed(case: Case, levelled: Levelling):
    content, windows = case
    before, after = activations(content, windows), activations(levelled.model, windows)
    for tensor in Graph(content).activations:
        told = levelled.apply(tensor, before[tensor])
        np.testing.assert_allclose(told, after[tensor], atol=2e-4 * max(1, np.abs(told).max()))


def test_channels_share_a_range_that_begins_at_zero(case: Case, levelled: Levelling):
    _, windows = case
    graph, found = Graph(levelled.model), activations(levelled.model, windows)
    for operation in graph.operations:
        values = found[operation.output].reshape(-1, found[operation.output].shape[-1])
        low, high = levelled.ranges[operation.output]
        if operation.activation == "relu6":
            most = values.max(axis=0)
            # One that hardly moves is stretched by 64 and no more.
            stretched = np.broadcast_to(levelled.factors[operation.output], most.shape)
            assert np.all((most > 5.99) | (stretched == 64) | (most == 0))
            assert np.count_nonzero(most > 5.99) > len(most) / 2
        elif operation.kind == "CONV_2D":
            assert low == 0
            assert (values < 0).mean() < 3e-4  # the tails
            alone = all(o.kind != "ADD" for o in graph.operations if operation.output in o.inputs)
            if alone:
                assert np.all(values.max(axis=0) > 0.95 * high)


def test_int8_values_are_the_same_in_every_arithmetic(case: Case):
    content, windows = case
    conversion = quantise(content, Representative(windows))
    graph = Graph(conversion.model)
    for operation in graph.weighted:
        assert graph.quantisation(operation.output)[1] == [-128]
    reference, *others = (outputs_of(conversion.model, windows, name) for name in ARITHMETICS)
    for other in others:
        np.testing.assert_array_equal(other, reference)
    plain = quantise(content, Representative(windows), method="plain").model
    apart = [np.mean(outputs_of(plain, windows, name) != outputs_of(plain, windows)) for name in ARITHMETICS]
    assert max(apart) > 0.02


def odd_network() -> Case:
    """Borders on odd sizes, results without activation behind everything, sums of three, dead and constant channels."""
    keras = import_keras()
    layers, rng = keras.layers, np.random.default_rng(7)
    inputs = keras.Input((15, 21, 1))
    x = layers.ReLU(6.0)(layers.Conv2D(8, 3, strides=2, padding="same")(inputs))
    x = layers.Conv2D(8, 1)(x)  # which a border keeps where it is
    x = layers.DepthwiseConv2D(3, strides=2, padding="same")(x)
    x = layers.Add()([layers.Conv2D(8, 1)(x), layers.Conv2D(8, 1)(x), layers.ReLU()(layers.Conv2D(8, 1)(x))])
    x = layers.Add()([x, layers.Conv2D(8, 1)(layers.ReLU(6.0)(layers.Conv2D(8, 5, padding="same")(x)))])
    x = layers.Add()([x, layers.Conv2D(8, 1)(x)])
    x = layers.Dense(6)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Dense(2)(x))
    weights = [w + rng.uniform(-0.5, 0.5, w.shape) if w.ndim == 1 else w for w in model.get_weights()]
    for kernel in [w for w in weights if w.ndim == 4][1:]:
        by_channel = kernel[..., 0].transpose(2, 0, 1) if kernel.shape[3] == 1 else kernel.transpose(3, 0, 1, 2)
        by_channel[3] = 0  # constant
        by_channel[4] *= 1e-20
        by_channel[5] *= 30
    weights[1][6] = -1e4  # dead
    model.set_weights(weights)
    return to_float(model), rng.normal(-40, 10, (40, 15, 21, 1)).astype(np.float32)


def test_the_function_is_the_same_with_borders_and_odd_channels():
    content, windows = odd_network()
    levelled = level(content, windows)
    before, after = activations(content, windows), activations(levelled.model, windows)
    graph = Graph(content)
    for operation in graph.operations[:-1]:
        told = levelled.apply(operation.output, before[operation.output])
        np.testing.assert_allclose(told, after[operation.output], atol=2e-4 * max(1, np.abs(told).max()))
        if operation.kind in ("MEAN", "FULLY_CONNECTED"):
            assert levelled.starts[operation.output].any()
    exact, ours = before[graph.output].astype(np.float64), after[graph.output].astype(np.float64)
    assert np.abs(differences(ours) - differences(exact)).max() < 2e-4 * np.abs(exact).max()


@pytest.mark.parametrize("head", ["conv_2d", "mean", "add"])
def test_an_output_of_another_kind_than_logits_stays(head):
    keras = import_keras()
    layers = keras.layers
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(3, 1)(layers.ReLU(6.0)(layers.Conv2D(8, 3)(inputs)))
    if head == "mean":
        x = layers.GlobalAveragePooling2D()(x)
    elif head == "add":
        x = layers.Add()([x, layers.Conv2D(3, 1)(x)])
    content, windows = to_float(keras.Model(inputs, x)), np.random.default_rng(1).normal(-40, 9, (8, 8, 8, 1))
    windows = windows.astype(np.float32)
    levelled = level(content, windows)
    exact, ours = (Model(one, arithmetic="litert-ref").run(windows) for one in (content, levelled.model))
    np.testing.assert_allclose(ours, exact, atol=1e-5 * np.abs(exact).max())


def test_levelled_channels_lose_less(case: Case, monkeypatch: pytest.MonkeyPatch):
    content, windows = case
    exact = differences(Model(content, arithmetic="litert-ref").run(windows))
    errors = []
    for levels in (True, False):
        monkeypatch.setattr("edge_asd.quantize.int8.methods.convolves", lambda _, levels=levels: levels)
        int8 = quantise(content, Representative(windows)).model
        errors.append(np.mean(np.square(differences(outputs_of(int8, windows)) - exact)))
    assert errors[0] < errors[1]


def test_a_dense_model_is_left_as_it_is(dense):
    _, content, windows = dense
    assert quantise(content, Representative(windows)).levelling is None


def test_a_model_that_computes_nan_is_refused(case: Case):
    content, windows = case
    graph = Graph(content)
    bias = graph.constant(graph.weighted[1].bias)
    bias[0] = np.nan
    graph.set_constant(graph.weighted[1].bias, bias)
    with pytest.raises(ModelError, match="computes NaN or infinity at 2 conv_2d, and cannot be quantised"):
        level(graph.to_bytes(), windows)


def test_weights_too_large_to_be_levelled_are_refused(case: Case):
    content, windows = case
    graph = Graph(content)
    *_, bottleneck, reader, _ = graph.weighted
    graph.set_constant(bottleneck.bias, np.full(graph.shape(bottleneck.bias), 1e20))
    # Infinite before ReLU6, which makes 6 of it; what is to be taken back again has no such end.
    graph.set_constant(reader.weights, np.abs(graph.constant(reader.weights)) * np.float32(1e25))
    with pytest.raises(ModelError, match="computes NaN or infinity at 8 conv_2d"):
        level(graph.to_bytes(), windows)
