"""Scales of sums and means: every sum that a model can meet, in every arithmetic of LiteRT."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asd.interpreter import ARITHMETICS, Model
from edge_asd.quantize.int8.agreeing_activations import DENOMINATOR, settle_activations
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.methods import quantise
from edge_asd.quantize.int8.representative import Representative

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
    windows = RNG.normal(-1, 2, (60, *size, 1)).astype(np.float32)
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


@pytest.mark.parametrize("size", [(2, 4), (1, 5), (3, 3), (2, 2)])
def test_means_are_exact_and_alike_for_every_sum(size):
    content, windows = network(size, "MEAN")
    int8 = quantise(content, Representative(windows)).model
    (place,) = places(int8, "MEAN")
    graph = Graph(int8)
    operation = graph.operations[place]
    count = size[0] * size[1]
    ratio = graph.quantisation(operation.output)[0][0] / graph.quantisation(operation.inputs[0])[0][0]
    divisor = round(ratio * count)
    assert divisor >= 6
    assert divisor % 2 == 0
    assert divisor & (divisor - 1)
    # Every sum there is, of values as alike as can be; the last channels repeat the largest.
    sums = np.minimum(np.arange(-(-(255 * count + 1) // 300) * 300), 255 * count)
    places_ = sums[:, None] // count + (np.arange(count) < sums[:, None] % count)
    values = (places_ - 128).reshape(-1, 300, *size).transpose(0, 2, 3, 1).astype(np.int8)
    # Halves go up.
    exact = np.clip((2 * sums + divisor) // (2 * divisor), 0, 255) - 128
    for arithmetic in ARITHMETICS:
        model = Model(alone(int8, place), arithmetic=arithmetic, check=lambda _: None)
        np.testing.assert_array_equal(model.run(values).reshape(-1), exact)


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
