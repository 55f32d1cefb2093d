"""Scales of dense layers with which all runtimes round alike: the roundings themselves, and real models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_asd.interpreter import Model
from edge_asd.quantize.int8.agreeing_scales import (
    agreeing_scales,
    fixed_multiplier,
    rounded_once,
    rounded_twice,
    roundings,
)
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.ranges import activation_ranges, whole
from edge_asd.quantize.int8.rounding import compensate

SCALES = st.tuples(st.floats(1e-3, 2.0), st.floats(1e-5, 1e-2), st.floats(1e-3, 2.0)).filter(
    lambda s: 1 / 6000 < s[0] * s[1] / s[2] < 1 / 40
)


def differing(accumulators, input_scale, weight_scale, output_scale):
    once, twice, in_float = roundings(accumulators, input_scale, weight_scale, output_scale)
    return np.count_nonzero((once != twice) | (once != in_float))


def as_float32(*values):
    return [float(np.float32(value)) for value in values]


@given(SCALES, st.booleans())
# 1 / M lies just below 2^12: there is no room beyond the halves.
@example((0.201171875, 0.002327140224277637, 1.90625), False)
def test_a_scale_is_enlarged_by_little_and_differs_seldom(scales, relu):
    x, w, y = as_float32(*scales)
    low, high = (0, 255) if relu else (-128, 127)
    (found,) = agreeing_scales(x, np.array([w]), y, low, high)
    assert found == np.float32(found)
    steps = y / (x * w)
    assert w <= found <= w * steps / (steps - 34) * (1 + 1e-6)  # 16 even numbers, from the first below 1 / M on
    accumulators = np.arange(int((low - 1) * y / (x * w)), int((high + 1) * y / (x * w)))
    before, after = differing(accumulators, x, w, y), differing(accumulators, x, found, y)
    # Of the halves that the output can meet, a few of the outermost may stay.
    assert after <= 0.6 * (high - low)
    assert after <= before


def test_multipliers_of_hidden_layers_leave_no_accumulator_that_differs():
    rng = np.random.default_rng(0)
    weights = np.float32(np.exp(rng.uniform(np.log(1 / 900), np.log(1 / 90), 300))).astype(np.float64)
    found = agreeing_scales(1.0, weights, 1.0, 0, 255)
    # Up to the end of the output: what lies beyond is clipped.
    left = [differing(np.arange(int(256 / scale)), 1.0, float(scale), 1.0) for scale in found]
    plain = [differing(np.arange(int(256 / scale)), 1.0, float(scale), 1.0) for scale in weights]
    assert np.count_nonzero(left) == 0
    assert (found / weights).max() < 1.03
    assert np.count_nonzero(plain) > 290


@given(st.integers(-(2**24), 2**24), st.floats(1e-6, 0.9))
def test_roundings_are_within_half_a_step_and_a_little(accumulator, real):
    multiplier, shift = fixed_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    assert multiplier * 2.0 ** (shift - 31) == pytest.approx(real, rel=2**-30)
    value, one = accumulator * real, np.array([accumulator], np.int64)
    assert abs(rounded_once(one, multiplier, shift)[0] - value) <= 0.5 + abs(value) * 2**-30
    assert abs(rounded_twice(one, multiplier, shift)[0] - value) <= 0.5 + 2.0 ** (shift - 1) + abs(value) * 2**-30


def test_an_exact_half_goes_away_from_zero():
    multiplier, shift = fixed_multiplier(0.25)
    halves = np.array([-6, -2, 2, 6])
    assert rounded_once(halves, multiplier, shift).tolist() == [-2, -1, 1, 2]
    assert rounded_twice(halves, multiplier, shift).tolist() == [-2, -1, 1, 2]


def test_a_multiplier_that_rounds_up_to_one_is_halved():
    assert fixed_multiplier(1 - 2**-40) == (2**30, 1)


def dense(content: bytes):
    """Dense layers of a model: accumulators' pieces and the output's zero point."""
    graph = Graph(content)
    for operation in graph.operations:
        (x,), (zero,) = graph.quantisation(operation.inputs[0])
        (y,), (offset,) = graph.quantisation(operation.output)
        yield graph, operation, x, int(zero), y, int(offset)


@pytest.mark.parametrize(("arithmetic", "which"), [("litert-ref", 0), ("xnnpack", 2)])
def test_our_roundings_are_the_runtimes(bundle, arithmetic, which):
    """Every layer's outputs from its inputs, of a plainly converted model, where roundings do differ."""
    from edge_asd.quantize.int8.convert import to_int8

    rng = np.random.default_rng(3)
    windows = (-50 + rng.normal(0, 12, (200, 640))).astype(np.float32)
    reference = Graph(bundle.float_model)
    content = to_int8(bundle.float_model, activation_ranges(reference, windows, whole))
    model = Model(content, arithmetic=arithmetic, keep_activations=arithmetic == "litert-ref")
    inputs = np.clip(np.rint(windows / model.input_scale) + model.input_zero_point, -128, 127).astype(np.int8)
    outputs = model.run(inputs)
    held, rounded_apart = inputs, 0
    for graph, operation, x, zero, y, offset in dense(content):
        weights = graph.constant(operation.weights).astype(np.int64)
        accumulators = (held.astype(np.int64) - zero) @ weights.T + graph.constant(operation.bias)
        rounded = [
            np.stack([roundings(column, x, float(w), y)[k] for column, w in zip(accumulators.T, scales, strict=True)])
            for scales in [graph.quantisation(operation.weights)[0]]
            for k in (which, 1)
        ]
        low = offset if operation.activation == "relu" else -128
        ours, other = (np.clip(part.T + offset, low, 127).astype(np.int8) for part in rounded)
        rounded_apart += np.count_nonzero(ours != other)
        held = ours
        if arithmetic == "litert-ref":
            np.testing.assert_array_equal(held, model.activation(operation.output))
    np.testing.assert_array_equal(held, outputs)
    assert rounded_apart > 100


def test_a_compensated_model_gives_nearly_the_same_integers_in_every_arithmetic(bundle):
    from edge_asd.quantize.int8.convert import to_int8

    rng = np.random.default_rng(4)
    windows = (-50 + rng.normal(0, 12, (400, 640))).astype(np.float32)
    plain = to_int8(bundle.float_model, activation_ranges(Graph(bundle.float_model), windows, whole))
    shares = []
    for content in (plain, compensate(bundle.float_model, plain, windows)):
        models = [Model(content, arithmetic=name) for name in ("litert-ref", "xnnpack", "litert-builtin")]
        inputs = np.clip(np.rint(windows / models[0].input_scale) + models[0].input_zero_point, -128, 127)
        reference, *others = (model.run(inputs.astype(np.int8)) for model in models)
        shares.append([np.mean(other != reference) for other in others])
    assert shares[0][1] > 0.02
    assert max(shares[1]) < 0.002


def test_scales_of_biases_follow(bundle):
    for graph, operation, x, *_ in dense(bundle.model):
        expected = x * graph.quantisation(operation.weights)[0]
        np.testing.assert_allclose(graph.quantisation(operation.bias)[0], expected, rtol=1e-6)
