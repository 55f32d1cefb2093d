"""Multipliers too large for a runtime: of layers that are always zero, and of values that are mostly cut off."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import ModelError
from edge_asd.interpreter import ARITHMETICS, Model
from edge_asd.quantize.int8.agreeing_scales import agreeing_scales
from edge_asd.quantize.int8.convert import to_int8
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.methods import quantise
from edge_asd.quantize.int8.multipliers import bound_multipliers
from edge_asd.quantize.int8.ranges import activation_ranges, whole
from edge_asd.quantize.int8.representative import Representative
from tests.golden.committed import NETWORKS
from tests.quantize.int8.networks import outputs_of


def multipliers(content: bytes, place: int) -> np.ndarray:
    graph = Graph(content)
    operation = graph.weighted[place]
    step, output = (float(graph.quantisation(k)[0][0]) for k in (operation.inputs[0], operation.output))
    return step * graph.quantisation(operation.weights)[0] / output


@pytest.mark.parametrize(("name", "method"), [("dense", "plain"), ("dense", "compensated"), ("convolutional", "plain")])
def test_a_dead_layer_runs_in_every_arithmetic(request, name, method):
    _, content, windows = request.getfixturevalue(name)
    graph = Graph(content)
    bias = graph.weighted[1].bias
    graph.set_constant(bias, np.full(graph.shape(bias), -1e6))
    if name == "convolutional":  # what has no activation and is as dead
        graph.set_constant(graph.weighted[1].weights, 0 * graph.constant(graph.weighted[1].weights))
        graph.set_constant(bias, np.zeros(graph.shape(bias)))
    int8 = quantise(graph.to_bytes(), Representative(windows), method=method).model
    assert multipliers(int8, 2 if name == "convolutional" else 1).max() < 255.01
    exact = Model(graph.to_bytes(), arithmetic="litert-ref").run(windows)
    reference, *others = (outputs_of(int8, windows, arithmetic) for arithmetic in ARITHMETICS)
    assert np.abs(reference - exact).max() < 0.1 * np.ptp(exact)
    for other in others:
        np.testing.assert_allclose(other, reference, atol=0.01 * np.ptp(exact))


def test_values_beyond_the_ends_stay_there(dense):
    _, content, windows = dense
    graph = Graph(content)
    ranges = activation_ranges(graph, windows, whole)
    hidden = graph.operations[1].output
    int8 = to_int8(content, {**ranges, hidden: (0.0, 1e-6 * ranges[hidden][1])})
    assert multipliers(int8, 1).min() > 300
    with pytest.raises(ModelError, match="cannot load the model"):
        outputs_of(int8, windows, "xnnpack")
    bounded = bound_multipliers(int8)
    assert multipliers(bounded, 1).max() < 255.01
    before, after = Graph(int8), Graph(bounded)
    for ours, theirs in zip(before.weighted, after.weighted, strict=True):
        np.testing.assert_array_equal(before.constant(ours.weights), after.constant(theirs.weights))
        np.testing.assert_array_equal(before.constant(ours.bias), after.constant(theirs.bias))
    _, (zero,) = after.quantisation(after.weighted[1].inputs[0])
    model = Model(bounded, arithmetic="litert-ref", keep_activations=True)
    inputs = np.clip(np.rint(windows / model.input_scale) + model.input_zero_point, -128, 127).astype(np.int8)
    model.run(inputs)
    held = model.activation(after.weighted[1].inputs[0]).astype(np.int64) - zero
    sums = held @ after.constant(after.weighted[1].weights).astype(np.int64).T + after.constant(after.weighted[1].bias)
    wanted = np.where(sums > 0, 127, -128)  # from the first whole accumulator on
    assert np.count_nonzero(sums > 0) > 100
    np.testing.assert_array_equal(model.activation(after.weighted[1].output), wanted)
    for arithmetic in ARITHMETICS:
        np.testing.assert_array_equal(outputs_of(bounded, windows, arithmetic), outputs_of(bounded, windows))


def test_a_model_without_such_multipliers_is_the_same_file():
    for path in NETWORKS.values():
        model = Bundle.load(path).model
        assert bound_multipliers(model) is model


@pytest.mark.parametrize("ratio", [2.0**29, 2.0**33, 1e12, 1e30])
def test_an_output_out_of_reach_of_any_accumulator_keeps_its_scale_or_finds_one(ratio):
    (found,) = agreeing_scales(1.0, np.array([1 / ratio]), 1.0, 0, 255)
    assert found == pytest.approx(1 / ratio, rel=1e-6)
