"""What cannot be exported is told: which operation, at which place, why, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import ModelError
from edge_asd.firmware_export.network import read_network
from tests.firmware_export.graphs import RELU6, Graph, Layer
from tests.firmware_export.zoo import ZOO
from tests.golden.committed import NAMES, NETWORKS

IMAGE = (1, 6, 6, 4)


def edited(content: bytes, edit: Callable[[Any], None]) -> bytes:
    """Change a file through the schema's own classes."""
    model: Any = schema.ModelT.InitFromPackedBuf(content)
    edit(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def made(make: Callable[[Graph], int], shape: tuple[int, ...] = IMAGE, **options: Any) -> bytes:
    graph = Graph(shape, **options)
    return graph.written(make(graph))


def changed(make: Callable[[Graph], int], change: Callable[[Graph], None], shape: tuple[int, ...] = IMAGE) -> bytes:
    """Make a network, and change the graph before it is written."""
    graph = Graph(shape)
    output = make(graph)
    change(graph)
    return graph.written(output)


def dense(g: Graph) -> int:
    return g.dense(g.input, 8)


def convolution(g: Graph) -> int:
    return g.convolution(g.input, 8, (3, 3))


def depthwise(g: Graph) -> int:
    return g.depthwise(g.input)


def option(name: str, value: int) -> Callable[[Graph], None]:
    return lambda g: g.operators[0][3].update({name: value})


def weights(**fields: Any) -> Callable[[Graph], None]:
    return lambda g: g.values[2].__dict__.update(fields)


def bias(**fields: Any) -> Callable[[Graph], None]:
    return lambda g: g.values[3].__dict__.update(fields)


def output(**fields: Any) -> Callable[[Graph], None]:
    return lambda g: g.values[1].__dict__.update(fields)


NO_SCALES = np.empty(0, np.float32)

OPERATIONS = {
    # name: (kind, what is wrong, file)
    "hybrid": ("FULLY_CONNECTED", "its input is float32 with 0 scales, not int8 with one",
               lambda: changed(dense, lambda g: g.values[0].__dict__.update(dtype="float32", scales=NO_SCALES))),
    "float weights": ("CONV_2D", "its weights are not constant int8, but float32",
                      lambda: changed(convolution, weights(dtype="float32", data=np.ones((8, 3, 3, 4), np.float32)))),
    "computed weights": ("FULLY_CONNECTED", "its weights are not constant int8, but int8",
                         lambda: made(lambda g: g.operation("FULLY_CONNECTED", [g.input, g.input],
                                                            g.tensor((1, 8), 0.1, 0)), (1, 8))),
    "weights of other axes": ("FULLY_CONNECTED", "its weights have the shape .8, 2, 72., not 2 axes",
                              lambda: changed(dense, weights(shape=(8, 2, 72)))),
    "two vectors": ("FULLY_CONNECTED", r"\(1, 6, 6, 4\) times \(8, 72\) does not give one vector \(1, 8\).*one window",
                    lambda: changed(dense, weights(shape=(8, 72), data=np.ones((8, 72), np.int8)))),
    "a vector of another shape": ("FULLY_CONNECTED", r"does not give one vector \(1, 2, 4\)",
                                  lambda: changed(dense, output(shape=(1, 2, 4)))),
    "order of weights": ("FULLY_CONNECTED", "its weights are in an order of their own",
                         lambda: changed(dense, option("weightsFormat", 1))),
    "scales along another axis": ("DEPTHWISE_CONV_2D", "scales of its weights run along axis 2, not 3",
                                  lambda: made(_scales_along_the_width, (1, 6, 6, 3))),
    "several scales": ("CONV_2D", "its output is int8 with 6 scales, not int8 with one",
                       lambda: changed(convolution, output(scales=np.full(6, 0.1, np.float32), axis=1))),
    "bias of bytes": ("CONV_2D", "its bias is not a constant of 8 int32, but int8",
                      lambda: changed(convolution, bias(dtype="int8", data=np.ones(8, np.int8)))),
    "bias of another length": ("CONV_2D", r"its bias is not a constant of 8 int32, but int32 \(4,\)",
                               lambda: changed(convolution, bias(shape=(4,), data=np.ones(4, np.int32),
                                                                 scales=np.ones(4, np.float32)))),
    "dilated": ("CONV_2D", "its filters are dilated. Use filters without dilation",
                lambda: changed(convolution, option("dilationHFactor", 2))),
    "stride": ("DEPTHWISE_CONV_2D", "it moves filters of 3 by 65; at most 255 and 64.*Use smaller",
               lambda: changed(depthwise, option("strideW", 65))),
    "groups": ("CONV_2D", r"its filters \(8, 3, 3, 2\) do not make .* of \(1, 6, 6, 4\). Use filters without",
               lambda: changed(convolution, weights(shape=(8, 3, 3, 2), data=np.ones((8, 3, 3, 2), np.int8)))),
    "multiplier": ("DEPTHWISE_CONV_2D", r"its filters \(1, 3, 3, 4\) do not make",
                   lambda: changed(depthwise, option("depthMultiplier", 3))),
    "high filters": ("DEPTHWISE_CONV_2D", "its filters have 17 rows; at most 16 are possible. Use smaller filters",
                     lambda: made(lambda g: g.depthwise(g.input, (17, 1)))),
    "another size": ("CONV_2D", r"\(1, 6, 6, 4\) does not give \(1, 5, 6, 8\)",
                     lambda: changed(convolution, output(shape=(1, 5, 6, 8)))),
    "no image": ("CONV_2D", r"it makes \(1, 36, 8\) of \(1, 6, 6, 4\), not an image of another",
                 lambda: changed(convolution, output(shape=(1, 36, 8)))),
    "a batch within": ("CONV_2D", r"a batch of 6. Convert the model for one window",
                       lambda: made(lambda g: g.reshape(g.convolution(g.reshape(g.input, (6, 2, 3, 4)), 4),
                                                        (1, 144)))),
    "sums": ("FULLY_CONNECTED", "its sums could overflow 32 bits. Quantise the model anew, with smaller weights",
             lambda: changed(dense, output(scales=np.array([1e-8], np.float32)))),
    "scales": ("FULLY_CONNECTED", "its scales are too far apart, by a factor of",
               lambda: changed(dense, output(scales=np.array([1e-30], np.float32)))),
    "relu6": ("CONV_2D", "its output's scale 1e-09 is too small for its activation",
              lambda: changed(lambda g: g.convolution(g.input, 4, layer=Layer(RELU6)), _tiny_scales)),
    "what nothing computed": ("FULLY_CONNECTED", "it reads what nothing has computed",
                              lambda: changed(dense, lambda g: g.operators[0][1].__setitem__(0, 1))),
    "written twice": ("FULLY_CONNECTED", "it writes where it may not", lambda: made(_written_twice)),
}  # fmt: skip


def _scales_along_the_width(g: Graph) -> int:
    x = g.depthwise(g.input)
    g.values[2].axis = 2
    return x


def _tiny_scales(g: Graph) -> None:
    g.values[0].scales = g.values[1].scales = np.array([1e-9], np.float32)


def _written_twice(g: Graph) -> int:
    x = g.dense(g.input, 8)
    g.operators.append(g.operators[0])
    return x


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name: str) -> None:
    kind, why, make = OPERATIONS[name]
    with pytest.raises(ModelError, match=rf"^Operation \d of the model, {kind}, cannot be exported: .*{why}") as error:
        read_network(make(), twice=False)
    assert str(error.value).endswith(".")
    assert str(error.value).count(". ") >= 1  # what to do


def several_inputs() -> bytes:
    graph = Graph((1, 8))
    other = graph.tensor((1, 8), 0.1, 0)
    return graph.written(graph.sum(graph.input, other), inputs=[graph.input, other])


def several_outputs() -> bytes:
    graph = Graph((1, 8))
    x = graph.dense(graph.input, 8)
    return graph.written([x, graph.softmax(x)])


def dynamic() -> bytes:
    def edit(model: Any) -> None:
        model.subgraphs[0].tensors[0].shapeSignature = [1, -1, 6, 4]

    return edited(made(convolution), edit)


def unknown() -> bytes:
    return made(lambda g: g.operation("TANH", [g.dense(g.input, 8)], g.tensor((1, 8), 1 / 128, 0)))


def nothing() -> bytes:
    graph = Graph((1, 8))
    return graph.written(graph.input)


def constant_input() -> bytes:
    graph = Graph((1, 8))
    graph.values[0].data = np.zeros((1, 8), np.int8)
    return graph.written(graph.dense(graph.input, 8))


def input_as_output() -> bytes:
    graph = Graph((1, 8))
    graph.dense(graph.input, 8)
    return graph.written(graph.reshape(graph.input, (1, 8)))


def large() -> bytes:
    graph = Graph((1, 512, 512, 1))
    x = graph.convolution(graph.input, 64)
    return graph.written(graph.sum(x, graph.convolution(graph.input, 64)))


FILES = {
    "several inputs": ("The model has 2 inputs and 1 outputs; it must have one of each", several_inputs),
    "several outputs": ("The model has 1 inputs and 2 outputs; it must have one of each", several_outputs),
    "dynamic": (r"has a shape that is not known \(\(1, -1, 6, 4\)\)", dynamic),
    "unknown operator": (r"an operator \(number 28\) that is none of ADD, AVERAGE_POOL_2D", unknown),
    "no operation": ("The model holds no operation", nothing),
    "constant input": ("The model's input is a constant", constant_input),
    "input as output": ("The model's output is not computed from its input", input_as_output),
    "batch": (r"The model's input is \(2, 8\); its batch must be 1. Convert it for one window",
              lambda: made(dense, (2, 8))),
    "large": (r"The model needs 33 MiB of memory and .* at most 32 MiB", large),
    "no model": ("This is not a .tflite file. Convert the model anew", lambda: b"\0" * 64),
    "cut": ("The model file is damaged", lambda: ZOO["chain"]()[:-1000]),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files(name: str) -> None:
    why, make = FILES[name]
    with pytest.raises(ModelError, match=why):
        read_network(make(), twice=False)


@pytest.mark.parametrize("name", NETWORKS)
def test_float_models(name: str) -> None:
    with pytest.raises(ModelError, match=r"Operation 1 .* is float32 with 0 scales, not int8 .* fully to int8"):
        read_network(Bundle.load(NAMES[name]).float_model, twice=False)


def test_several_hops() -> None:
    with pytest.raises(ModelError, match=r"CONV_2D, .* only fully connected networks score several hops at once. Omit"):
        read_network(made(convolution), twice=False, hops=4)
    graph = Graph((1, 8))
    graph.dense(graph.input, 8)
    two_readers = graph.written(graph.dense(graph.input, 8))
    with pytest.raises(ModelError, match=r"cannot be read several windows at once. Export it without --batch-hops"):
        read_network(two_readers, twice=False, hops=4)


def test_a_channel_too_small_to_be_seen_is_no_reason() -> None:
    """A channel of zeros may have any scale; it keeps nothing from the quick kernels."""
    graph = Graph((1, 16))
    x = graph.dense(graph.input, 8)
    graph.values[2].scales[3] = 1e-30
    network = read_network(graph.written(x), twice=False)
    assert network.steps[0].fields["matrix"].quick
    assert network.steps[0].fields["matrix"].multipliers[3] == 0
