"""Scales of sums and means: every sum that a model can meet, in every arithmetic of LiteRT."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_asd.interpreter import ARITHMETICS, Model
from edge_asd.quantize.int8.agreeing_activations import DENOMINATOR, beyond_divisor, settle_activations
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.methods import quantise
from edge_asd.quantize.int8.representative import Representative
from edge_asd.requantisation import fixed_multiplier, rounded_twice

RNG = np.random.default_rng(16)
EVERY = np.arange(-128, 128)


def network(size: tuple[int, int], name: str):
    """A sum of two convolutions, or a mean over `size`, and what follows to make a classifier of it."""
    from edge_asd.quantize.int8.convert import to_float
    from edge_asd.train.backend import import_keras, make_repeatable

    layers = import_keras().layers
    make_repeatable(0)
    inputs = import_keras().Input((*size, 1))
    x = layers.Conv2D(8, 1)(inputs)
    if name == "ADD":
        for _ in range(3):  # a chain of sums
            x = layers.Add()([x, layers.Conv2D(8, 1)(layers.ReLU(6.0)(layers.Conv2D(16, 1)(x)))])
    x = layers.ReLU(6.0)(layers.Conv2D(300, 1)(x))
    outputs = layers.Dense(3)(layers.GlobalAveragePooling2D()(x))
    windows = np.random.default_rng(16).normal(-1, 2, (60, *size, 1)).astype(np.float32)
    return to_float(import_keras().Model(inputs, outputs)), windows


def alone(content: bytes, place: int) -> bytes:
    """Cut one operation out of a model, with its inputs as the model's."""
    graph = Graph(content)
    raw, operation = graph._graph, graph.operations[place]
    raw.operators, raw.inputs, raw.outputs = [raw.operators[place]], list(operation.inputs), [operation.output]
    for tensor in (*operation.inputs, operation.output):
        raw.tensors[tensor].shapeSignature = [-1, *list(raw.tensors[tensor].shape)[1:]]
    graph._model.signatureDefs = []
    return graph.to_bytes()


def places(content: bytes, kind: str) -> list[int]:
    return [i for i, operation in enumerate(Graph(content).operations) if operation.kind == kind]


def added(content: bytes, place: int, arithmetic: str) -> np.ndarray:
    """Add every int8 to every other [shape=(256, 256)]."""
    from ai_edge_litert import interpreter as litert

    run = litert.Interpreter(
        model_content=alone(content, place),
        experimental_op_resolver_type=litert.OpResolverType[ARITHMETICS[arithmetic]],
    )
    details = run.get_input_details()
    pairs = np.stack(np.meshgrid(EVERY, EVERY, indexing="ij")).astype(np.int8).reshape(2, 256, -1)
    shape = (-1, *details[0]["shape"][1:])
    room = int(np.prod(details[0]["shape"][1:]))
    assert pairs[0].size % room == 0
    for detail in details:
        run.resize_tensor_input(detail["index"], (pairs[0].size // room, *shape[1:]))
    run.allocate_tensors()
    for detail, values in zip(details, pairs, strict=True):
        run.set_tensor(detail["index"], values.reshape(shape))
    run.invoke()
    outputs: np.ndarray = run.get_tensor(run.get_output_details()[0]["index"])
    return outputs.reshape(256, 256)


def test_sums_are_exact_and_alike_for_every_pair():
    content, windows = network((4, 8), "ADD")
    int8 = quantise(content, Representative(windows)).model
    graph = Graph(int8)
    found = places(int8, "ADD")
    assert len(found) == 3
    for place in found:
        operation = graph.operations[place]
        (output,), (zero,) = graph.quantisation(operation.output)
        wanted = np.zeros((256, 256))
        for axis, tensor in enumerate(operation.inputs):
            (scale,), (offset,) = graph.quantisation(tensor)
            parts = scale / output * DENOMINATOR
            assert parts == pytest.approx(round(parts), abs=1e-3)
            wanted += np.expand_dims((EVERY - offset) * round(parts), 1 - axis)
        exact = np.clip(np.rint(wanted / DENOMINATOR) + zero, -128, 127)
        for arithmetic in ARITHMETICS:
            np.testing.assert_array_equal(added(int8, place, arithmetic), exact)


def settled_mean(size: tuple[int, int], ratio: float) -> tuple[bytes, int, float]:
    """Settle a mean over `size` whose step is `ratio` of its input's: the model, its place, and the ratio then."""
    content, windows = network(size, "MEAN")
    int8 = quantise(content, Representative(windows), method="plain").model
    (place,) = places(int8, "MEAN")
    graph = Graph(int8)
    operation = graph.operations[place]
    (step,), _ = graph.quantisation(operation.inputs[0])
    graph.set_scales(operation.output, np.array([step * ratio]))
    settle_activations(graph)
    (found,), _ = graph.quantisation(operation.output)
    return graph.to_bytes(), place, float(found / step)


@pytest.mark.parametrize(
    ("size", "ratio", "divisor"),
    [
        ((2, 4), 0.7, 6), ((2, 4), 0.9, 10), ((1, 5), 0.9, 6), ((3, 3), 0.3, 6), ((2, 2), 1, 6),
        ((1, 1), 1, 1), ((1, 2), 1, 2), ((1, 3), 1, 3), ((1, 3), 0.6, 2), ((3, 4), 1, 14), ((2, 3), 0.5, 3),
    ],
)  # fmt: skip
def test_means_are_exact_and_alike_for_every_sum(size, ratio, divisor):
    int8, place, found = settled_mean(size, ratio)
    count = size[0] * size[1]
    assert found * count == pytest.approx(divisor, rel=2**-14)
    # Every sum there is, of values as alike as can be; the last channels repeat the largest.
    sums = np.minimum(np.arange(-(-(255 * count + 1) // 300) * 300), 255 * count)
    places_ = sums[:, None] // count + (np.arange(count) < sums[:, None] % count)
    values = (places_ - 128).reshape(-1, 300, *size).transpose(0, 2, 3, 1).astype(np.int8)
    # Halves go up.
    exact = np.clip((2 * sums + divisor) // (2 * divisor), 0, 255) - 128
    for arithmetic in ARITHMETICS:
        model = Model(alone(int8, place), arithmetic=arithmetic, check=lambda _: None)
        np.testing.assert_array_equal(model.run(values).reshape(-1), exact)


@pytest.mark.parametrize(("size", "ratio"), [((2, 3), 1), ((1, 31), 0.8)])
def test_a_mean_that_no_divisor_serves_keeps_its_scale(size, ratio):
    assert settled_mean(size, ratio)[2] == pytest.approx(ratio, rel=2**-23)


@given(st.integers(1, 2048), st.integers(1, 4096))
@example(6, 6)
@example(7, 14)
def test_a_divisor_is_taken_where_every_sum_is_rounded_once_and_alike(count, divisor):
    """Against the two roundings themselves, done in whole numbers as TFLite's kernels of means do them."""
    beyond = beyond_divisor(count, divisor)
    if not beyond:
        return
    most = min(255 * count, 256 * divisor)
    sums = np.unique(np.concatenate([np.arange(most + 1)[:4096], np.linspace(0, most, 4096).astype(np.int64)]))
    multiplier, shift = fixed_multiplier(count / divisor * (1 + beyond))
    digits = count.bit_length() - 1
    products = rounded_twice(sums, (multiplier << digits) // count, shift - digits)
    np.testing.assert_array_equal(products, (2 * sums + divisor) // (2 * divisor))


def test_means_of_the_converters_scales_are_not_alike():
    content, windows = network((2, 4), "MEAN")
    int8 = quantise(content, Representative(windows), method="plain").model
    (place,) = places(int8, "MEAN")
    values = RNG.integers(-128, 128, (40, 2, 4, 300)).astype(np.int8)
    reference, xnnpack = (
        Model(alone(int8, place), arithmetic=name, check=lambda _: None).run(values)
        for name in ("litert-ref", "xnnpack")
    )
    assert np.mean(reference != xnnpack) > 0.02


def test_scales_only_grow_and_by_little():
    content, windows = network((4, 8), "ADD")
    before, after = (Graph(quantise(content, Representative(windows), method="plain").model) for _ in range(2))
    settle_activations(after)
    for tensor in before.activations:
        ratio = after.quantisation(tensor)[0][0] / before.quantisation(tensor)[0][0]
        assert ratio >= 1 - 1e-6
        # A sum's output grows by a part, its input by another.
        assert ratio < 1 + 2 / DENOMINATOR * 4 or before.name(tensor).endswith("mean")
