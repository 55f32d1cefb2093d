"""Every tensor of every kind of network is the one of LiteRT's reference kernels, on this machine and on the boards."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_asd.firmware_export.depthwise import Depthwise
from edge_asd.firmware_export.matrix import Matrix
from edge_asd.firmware_export.network import read_network
from edge_asd.firmware_export.network_source import network_sources
from edge_asd.firmware_export.step import Structure
from edge_asd.quiet import quiet_stderr
from tests.firmware_export.exported import Program, Reference, build_kernels, mismatches, records
from tests.firmware_export.graphs import Graph, Layer
from tests.firmware_export.runtimes import Case, install_tflm, run_tflm
from tests.firmware_export.zoo import LARGE, ZOO, Maker, dense_network
from tests.once import Once

BOARDS = ("cortex-m4", "cortex-m55", "cortex-m0plus", "riscv32")

# All kernels, in the processors' own order and in the portable one.
QUICK = (
    "chain",
    "broadcast beside",
    "reshaped within",
    "dense 33 columns",
    "dense weights of -128",
    "convolution weights of -128",
)


def kernels(once: Once, target: str) -> Path:
    return once(f"kernels_{target}", partial(build_kernels, target))


def check(once: Once, target: str, makers: dict[str, Maker], folder: Path, *, count: int) -> None:
    wrong = {}
    for number, (name, make) in enumerate(makers.items()):
        content = make()
        network = read_network(content, twice=False)
        inputs = records(network, count, number)
        program = Program(target, kernels(once, target), network, inputs[0].ring.size, folder / str(number))
        if found := mismatches(network, Reference(content), inputs, program.run(inputs)):
            wrong[name] = found
    assert wrong == {}


@pytest.mark.parametrize("target", ["host", "cortex-m4", pytest.param("cortex-m55", marks=pytest.mark.prove)])
def test_some_networks(target: str, once: Once, tmp_path: Path) -> None:
    check(once, target, {name: ZOO[name] for name in QUICK}, tmp_path, count=3)


@pytest.mark.prove
@pytest.mark.parametrize("target", ["host", *BOARDS])
def test_all_networks(target: str, once: Once, tmp_path: Path) -> None:
    check(once, target, {**ZOO, **LARGE}, tmp_path, count=6)


@pytest.mark.prove
def test_networks_rounded_twice_equal_tflm(once: Once, tmp_path: Path) -> None:
    cases: list[Case] = []
    ours = []
    for number, name in enumerate(name for name in ZOO if name != "tables"):  # TFLM rescales no RELU6
        content = ZOO[name]()
        network = read_network(content, twice=True)
        inputs = records(network, 3, number)
        program = Program("host", kernels(once, "host"), network, inputs[0].ring.size, tmp_path / str(number))
        ours += list(program.run(inputs)[0])
        cases += [(content, record.windows(network)) for record in inputs]
    outputs = run_tflm(once("tflm", install_tflm), cases, tmp_path)
    different = [number for number, (a, b) in enumerate(zip(ours, outputs, strict=True)) if a.tobytes() != b.tobytes()]
    assert different == []


@pytest.mark.parametrize("hop", [1, 8, 24])
@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_four_windows_of_a_ring_at_once(target: str, hop: int, once: Once, tmp_path: Path) -> None:
    content = dense_network((1, 24), (16, 12, 4, 24), Layer())
    network = read_network(content, twice=False, hops=4)
    inputs = records(network, 12, 3, hop=hop)
    program = Program(target, kernels(once, target), network, inputs[0].ring.size, tmp_path / "program")
    assert mismatches(network, Reference(content), inputs, program.run(inputs)) == []


def test_a_ring_wraps_anywhere(once: Once, tmp_path: Path) -> None:
    """Every start in turn: rows of convolutions, single values of dense layers and of what is copied."""
    for number, name in enumerate(("chain of odd sizes", "dense 15 columns", "pool first", "depthwise at both ends")):
        content = ZOO[name]()
        network = read_network(content, twice=False)
        (record, *_) = records(network, 1, number)[3:]
        starts = range(0, record.ring.size, network.row)
        inputs = [type(record)(record.ring, 0, start) for start in starts][:200]
        program = Program("host", kernels(once, "host"), network, record.ring.size, tmp_path / str(number))
        assert mismatches(network, Reference(content), inputs, program.run(inputs)) == []


def streams(fields: Mapping[str, Any]) -> list[Matrix | Depthwise]:
    """Return all weights of a step."""
    found: list[Matrix | Depthwise] = []
    for name, value in fields.items():
        if isinstance(value, Structure):
            found += streams(value.fields)
        elif isinstance(value, Matrix | Depthwise) and name != "quick":
            found.append(value)
    return found


def test_the_quick_networks_hold_all_kernels() -> None:
    kinds = set()
    for name in QUICK:
        steps = read_network(ZOO[name](), twice=False).steps
        for stream in (stream for step in steps for stream in streams(step.fields)):
            if isinstance(stream, Matrix):
                kinds.add(("quads" if stream.quads else "rows", stream.twice, stream.quick))
            else:
                kinds.add(("depthwise", stream.dsp_quick, stream.helium_quick))
    assert kinds >= {
        *(("rows", False, quick) for quick in (False, True)),
        *(("quads", True, quick) for quick in (False, True)),
        ("depthwise", True, True),
    }


def test_nothing_of_the_file_but_numbers_is_in_the_c() -> None:
    content = ZOO["chain"]()
    sources = network_sources(read_network(content, twice=False))
    renamed = content.replace(b"named ", b"*/ x \n")
    assert renamed != content
    assert network_sources(read_network(renamed, twice=False)) == sources
    assert not [name for name, text in sources.items() if "named" in text]


def test_the_smaller_arena_is_taken() -> None:
    """A pointwise convolution between two depthwise ones belongs to either, whichever leaves the smaller tensor."""
    for name in ("separable, wide ends", "separable, wide middle"):
        network = read_network(ZOO[name](), twice=False)
        assert [step.kernel for step in network.steps] == ["block", "block"]
        assert network.model.tensors[network.steps[0].output].shape[3] == 4


def test_operations_in_place_need_no_memory() -> None:
    graph = Graph((1, 64))
    x = graph.dense(graph.input, 64)
    plain = read_network(graph.written(x), twice=False).arena
    x = graph.softmax(graph.table("RELU", graph.sum_with_constant(x)))
    assert read_network(graph.written(x), twice=False).arena == plain


def make_converted(folder: Path) -> None:
    """Have TensorFlow convert a MobileNetV2 of three classes, and a network with a sum, per channel and per tensor."""
    from edge_asd.train.backend import import_tensorflow
    from edge_asd.train.networks.section_classifier import logits_of, section_classifier

    tf = import_tensorflow()
    rng = np.random.default_rng(0)
    tf.keras.utils.set_random_seed(1)
    x = image = tf.keras.Input((17, 12, 2))
    x = short = tf.keras.layers.Conv2D(12, 3, strides=2, activation="relu6")(x)
    x = tf.keras.layers.SeparableConv2D(12, 3, padding="same", activation="relu")(x)
    x = tf.keras.layers.Add()([x, short])
    x = tf.keras.layers.DepthwiseConv2D((5, 3), depth_multiplier=2)(tf.keras.layers.ZeroPadding2D(1)(x))
    x = tf.keras.layers.Dense(5, activation="softmax")(tf.keras.layers.GlobalAveragePooling2D()(x))
    small = tf.keras.Model(image, x)
    for name, model in (("small", small), ("mobilenetv2", logits_of(section_classifier(96, 3)))):
        for channels in (True, False):
            converter = tf.lite.TFLiteConverter.from_keras_model(model)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
            converter._experimental_disable_per_channel = not channels
            shape = (1, *model.input_shape[1:])
            samples = [[rng.normal(0, 1, shape).astype(np.float32)] for _ in range(10)]
            converter.representative_dataset = lambda samples=samples: iter(samples)
            with quiet_stderr(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "Statistics for quantized inputs were expected": they are measured
                (folder / f"{name} {channels}.tflite").write_bytes(converter.convert())


@pytest.mark.prove
@pytest.mark.parametrize("target", ["host", *BOARDS])
def test_the_converters_networks(target: str, once: Once, tmp_path: Path) -> None:
    folder = once("converted_networks", make_converted)
    contents = {path.stem: path.read_bytes for path in sorted(folder.glob("*.tflite"))}
    assert len(contents) == 4
    check(once, target, contents, tmp_path, count=2)
