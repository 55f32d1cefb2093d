"""Channels brought to the same range: the function unchanged, the steps finer, nothing below zero."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asd.errors import ModelError
from edge_asd.interpreter import ARITHMETICS, Model
from edge_asd.quantize.int8.execution import trace
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.levelling import Levelling, level
from edge_asd.quantize.int8.methods import quantise
from edge_asd.quantize.int8.representative import Representative
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
