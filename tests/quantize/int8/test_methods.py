from __future__ import annotations

import warnings

import numpy as np
import pytest

from edge_asd.errors import ModelError
from edge_asd.interpreter import Model
from edge_asd.quantize.int8.convert import to_float
from edge_asd.quantize.int8.equalisation import equalise
from edge_asd.quantize.int8.finetune import finetune
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.levelling import convolves
from edge_asd.quantize.int8.methods import METHODS, quantise
from edge_asd.quantize.int8.ranges import activation_ranges, least_error, percentile, whole
from edge_asd.quantize.int8.representative import Representative
from edge_asd.quantize.int8.rounding import check_alike, feedback_rounding
from edge_asd.train.backend import import_keras, import_tensorflow
from tests.quantize.int8.networks import differences, outputs_of

RNG = np.random.default_rng(20210610)


@pytest.fixture(scope="module", params=["dense", "convolutional"])
def case(request):
    """Keras model, its float .tflite, and windows."""
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """Keep fine-tuning to a second."""
    monkeypatch.setattr("edge_asd.quantize.int8.finetune.STEPS", 40)


def answer(model: bytes, outputs: np.ndarray) -> np.ndarray:
    """Return what a score is made of: an autoencoder's outputs, of a classifier's the differences."""
    return differences(outputs) if convolves(Graph(model)) else outputs


def test_folding_keeps_the_bias(case):
    model, content, windows = case
    expected = np.asarray(model(windows))
    outputs = Model(content, arithmetic="litert-ref").run(windows)
    assert np.abs(outputs - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_int8_throughout_with_a_scale_for_each_channel(case, method):
    _, content, windows = case
    int8 = quantise(content, Representative(windows), method=method).model
    graph = Graph(int8)
    check_alike(Graph(content), graph)
    assert graph.dtype(graph.input) is graph.dtype(graph.output) is np.int8
    for operation in graph.weighted:
        scales, zero_points = graph.quantisation(operation.weights)
        assert len(scales) == graph.shape(operation.weights)[operation.channel_axis]
        assert len(np.unique(scales)) > len(scales) / 2
        assert not zero_points.any()
        assert graph.dtype(operation.bias) is np.int32
    exact = Model(content, arithmetic="litert-ref").run(windows)
    error = answer(int8, outputs_of(int8, windows)) - answer(content, exact)
    assert np.sqrt(np.mean(error**2)) < 0.05 * exact.std()


def test_the_default_makes_the_same_bytes_twice(case):
    _, content, windows = case
    int8, again = (quantise(content, Representative(windows)).model for _ in range(2))
    assert int8 == again


def test_plain_is_what_the_converter_makes_itself(dense):
    model, content, windows = dense
    tf = import_tensorflow()
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([window[None]] for window in windows)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Graph(converter.convert())
    ours = Graph(quantise(content, Representative(windows), method="plain").model)
    for a, b in zip(theirs.operations, ours.operations, strict=True):
        assert np.array_equal(theirs.constant(a.weights), ours.constant(b.weights))
    for a, b in zip(theirs.activations, ours.activations, strict=True):
        assert np.array_equal(theirs.quantisation(a)[1], ours.quantisation(b)[1])
        assert np.abs(ours.quantisation(b)[0] / theirs.quantisation(a)[0] - 1).max() < 1e-5


def test_a_convolution_before_an_addition_keeps_a_range_of_its_own(convolutional):
    """TensorFlow 2.21's own calibration gives it the range of the sum, here six times as wide."""
    _, content, windows = convolutional
    graph = Graph(quantise(content, Representative(windows), method="plain").model)
    (addition,) = [operation for operation in graph.operations if operation.kind == "ADD"]
    branch, total = (float(graph.quantisation(tensor)[0][0]) for tensor in (addition.inputs[1], addition.output))
    assert branch < total / 3


def test_compensated_weights_answer_closer_to_the_float_model(case):
    _, content, windows = case
    exact = Model(content, arithmetic="litert-ref").run(windows)
    models = {
        method: quantise(content, Representative(windows), method=method).model for method in ("plain", "compensated")
    }
    error = {
        method: answer(model, outputs_of(model, windows)) - answer(content, exact) for method, model in models.items()
    }
    squared = {method: np.mean(np.square(values)) for method, values in error.items()}
    assert squared["compensated"] < 0.75 * squared["plain"]
    # What does not average out over the windows of a clip.
    offset = {method: np.abs(values.mean(axis=0)).mean() for method, values in error.items()}
    assert offset["compensated"] < 0.2 * offset["plain"]


# --- Ranges


def test_whole_ranges_are_those_of_every_activation(dense):
    model, content, windows = dense
    graph = Graph(content)
    ranges = activation_ranges(graph, windows, whole)
    assert list(ranges) == graph.activations
    assert ranges[graph.input] == (windows.min(), max(0.0, windows.max()))
    outputs = np.asarray(model(windows))
    assert ranges[graph.output] == pytest.approx((min(0, outputs.min()), max(0, outputs.max())), rel=1e-5)


def test_a_rare_value_is_cut_off_where_that_costs_less():
    counts = np.zeros(4096)
    counts[:1024] = 10_000  # up to 2.5
    counts[-1] = 3  # and three values of 10
    assert percentile(counts, 0.0, 10.0) == pytest.approx((0.0, 2.5), abs=0.01)
    low, high = least_error(counts, 0.0, 10.0)
    assert low == 0
    assert 2.4 < high < 3
    counts[-1] = 3_000_000
    assert least_error(counts, 0.0, 10.0) == (0.0, 10.0)
    assert percentile(counts, 0.0, 10.0) == pytest.approx((0.0, 10.0), abs=0.01)
    assert whole(counts, -1.0, 10.0) == (-1.0, 10.0)


def test_an_activation_that_never_moves_is_converted(dense):
    model, content, windows = dense
    still = np.broadcast_to(windows[:1], windows.shape).copy()
    for method in ("plain", "percentile", "mse", "compensated"):
        int8 = quantise(content, Representative(still), method=method).model
        exact = np.asarray(model(still[:1]))
        assert np.abs(outputs_of(int8, still[:1]) - exact).max() < 0.05 * np.abs(exact).max()


# --- Weights


def test_errors_of_rounding_cancel_for_inputs_that_go_together():
    inputs = RNG.normal(0, 1, (500, 1)) * RNG.uniform(0.5, 2, 40) + RNG.normal(0, 0.05, (500, 40))
    weights, scales = RNG.normal(0, 1, (1, 8, 40)), np.full((1, 8, 1), 0.05)
    integers = feedback_rounding(weights, scales, (inputs.T @ inputs)[None] / len(inputs))
    assert np.array_equal(integers, np.round(integers))
    assert np.abs(integers).max() <= 127
    error = np.mean((inputs @ (weights - integers * scales)[0].T) ** 2)
    nearest = np.mean((inputs @ (weights - np.round(weights / scales) * scales)[0].T) ** 2)
    assert error < 0.2 * nearest


def test_inputs_that_do_not_go_together_leave_the_nearest_step():
    weights, scales = RNG.normal(0, 1, (2, 3, 9)), np.full((2, 3, 1), 0.02)
    for covariance in (np.eye(9), np.zeros((9, 9))):
        integers = feedback_rounding(weights, scales, np.broadcast_to(covariance, (2, 9, 9)))
        assert np.array_equal(integers, np.clip(np.round(weights / scales), -127, 127))


def test_equalising_changes_ranges_and_not_the_function(dense):
    _, content, windows = dense
    equalised = equalise(content, windows)
    assert equalised != content
    exact = Model(content, arithmetic="litert-ref").run(windows)
    assert np.abs(Model(equalised, arithmetic="litert-ref").run(windows) - exact).max() < 1e-4 * np.abs(exact).max()


def test_equalising_leaves_relu6_alone(convolutional):
    _, content, windows = convolutional
    equalised = equalise(content, windows)
    exact = Model(content, arithmetic="litert-ref").run(windows)
    assert np.abs(Model(equalised, arithmetic="litert-ref").run(windows) - exact).max() < 1e-4 * np.abs(exact).max()
    before, after = Graph(content), Graph(equalised)
    changed = [
        not np.array_equal(before.constant(a.weights), after.constant(b.weights))
        for a, b in zip(before.weighted, after.weighted, strict=True)
    ]
    # Only the linear bottleneck that nothing but the next convolution reads: the last two convolutions.
    assert changed == [False] * 5 + [True, True, False]


def test_finetuning_brings_the_int8_model_closer_to_its_teacher(dense):
    _, content, windows = dense
    plain = quantise(content, Representative(windows), method="plain").model
    exact = Model(content, arithmetic="litert-ref").run(windows)
    before, after = (
        np.mean((outputs_of(int8, windows) - exact) ** 2) for int8 in (plain, finetune(content, plain, windows))
    )
    assert after < 0.8 * before


# --- What is refused


def test_an_empty_set_or_one_that_is_not_finite_is_refused(dense):
    _, content, windows = dense
    with pytest.raises(ModelError, match="There is no representative data"):
        quantise(content, Representative(windows[:0]))
    bad = windows.copy()
    bad[3, 5] = np.nan
    with pytest.raises(ModelError, match="representative data holds NaN or infinity"):
        quantise(content, Representative(bad))


def test_windows_of_another_shape_and_unknown_methods_are_refused(dense):
    _, content, windows = dense
    with pytest.raises(ModelError, match=r"takes windows of shape \(60,\), the representative data has \(30, 2\)"):
        quantise(content, Representative(windows.reshape(-1, 30, 2)))
    with pytest.raises(ModelError, match="no quantisation method 'best'; use one of: plain"):
        quantise(content, Representative(windows), method="best")


def test_weights_that_are_not_finite_are_refused(dense):
    model, _, _ = dense
    broken = import_keras().models.clone_model(model)
    weights = model.get_weights()
    weights[0][0, 0] = np.inf
    broken.set_weights(weights)
    with pytest.raises(ModelError, match="holds NaN or infinity; its training failed"):
        to_float(broken)


def test_a_network_that_is_neither_baseline_is_refused():
    keras = import_keras()
    inputs = keras.Input((12,))
    with pytest.raises(ModelError, match="operation SOFTMAX, which is in neither baseline"):
        Graph(to_float(keras.Model(inputs, keras.layers.Softmax()(keras.layers.Dense(3)(inputs)))))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (lambda x, k: k.ops.relu(x) + k.ops.arange(12.0), "an addition of a constant or of another shape"),
        (lambda x, k: k.layers.Add()([x, k.layers.Dense(1)(x)]), "an addition of a constant or of another shape"),
        (lambda x, k: k.layers.Dense(3)(k.ops.mean(x, axis=1, keepdims=True)), "a mean over channels or windows"),
        (lambda x, k: k.ops.mean(x, axis=0, keepdims=True), "a mean over channels or windows"),
    ],
)
def test_a_dense_network_of_a_form_that_neither_baseline_has_is_refused(layers, message):
    keras = import_keras()
    inputs = keras.Input((12,))
    content = to_float(keras.Model(inputs, layers(keras.layers.Dense(12)(inputs), keras)))
    with pytest.raises(ModelError, match=rf"The model has {message}, which is in neither baseline; the autoencoder"):
        Graph(content)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda k: k.layers.Conv2D(8, 3, groups=2), "a CONV_2D whose weights are not one for each channel"),
        (lambda k: k.layers.DepthwiseConv2D(3, depth_multiplier=2), "a DEPTHWISE_CONV_2D whose weights are not one"),
    ],
)
def test_a_convolution_of_a_form_that_neither_baseline_has_is_refused(layer, message):
    keras = import_keras()
    inputs = keras.Input((12, 12, 4))
    with pytest.raises(ModelError, match=f"The model has {message}"):
        Graph(to_float(keras.Model(inputs, layer(keras)(inputs))))
