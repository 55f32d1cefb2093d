"""TensorFlow Lite Micro as a reference: what it computes, needs and refuses."""

from __future__ import annotations

import subprocess
import sys

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import DependencyError, ModelError
from edge_asd.firmware_export import tflm_arena
from edge_asd.firmware_export.network import read_network
from edge_asd.firmware_export.tflm import TflmModel, arena_bytes
from edge_asd.interpreter import Model
from edge_asd.model_file import read_model
from tests.firmware_export.one_operator import Values, build
from tests.golden.committed import NETWORKS

pytest.importorskip("tflite_micro", reason="TensorFlow Lite Micro has packages for Linux on x86-64 alone")


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    return {name: Bundle.load(path).model for name, path in NETWORKS.items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_model_runs_and_shows_its_tensors(contents: dict[str, bytes], name: str) -> None:
    model, other = TflmModel(contents[name]), Model(contents[name], arithmetic="litert-ref", keep_activations=True)
    assert (model.input_shape, model.output_shape, model.dtype, model.output_dtype) == (
        other.input_shape,
        other.output_shape,
        other.dtype,
        other.output_dtype,
    )
    windows = np.random.default_rng(0).integers(-128, 128, (3, *model.input_shape)).astype(np.int8)
    outputs, expected = model.run(windows), other.run(windows)
    assert np.array_equal(outputs, expected)  # these scales round alike
    graph = read_model(contents[name])
    assert (model.activation(graph.outputs[0])[0] == outputs[-1]).all()
    assert (model.activation(graph.inputs[0])[0] == windows[-1]).all()
    first = graph.operators[0].outputs[0]
    assert (model.activation(first) == other.activation(first)[-1]).all()
    for tensor in (-1, len(graph.tensors)):
        with pytest.raises(ModelError, match="no tensor"):
            model.activation(tensor)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_arena_is_the_smallest(contents: dict[str, bytes], name: str) -> None:
    size = arena_bytes(contents[name])
    assert size == {"ae": 22048, "mobilenetv2": 220736}[name]
    # Out of process: where the arena is too small, the runtime may crash.
    command = [sys.executable, "-m", tflm_arena.__name__, str(size - 16)]
    assert subprocess.run(command, input=contents[name], capture_output=True, check=True).stdout == b"0\n"


def test_what_does_not_fit_is_refused(contents: dict[str, bytes]) -> None:
    model = TflmModel(contents["ae"])
    for windows in (np.zeros((1, 639), np.int8), np.zeros((1, 640), np.float32)):
        with pytest.raises(ModelError, match="takes windows of int8"):
            model.run(windows)
    for refused in (b"", contents["ae"][:3000]):
        with pytest.raises(ModelError):
            TflmModel(refused)
        with pytest.raises(ModelError):
            arena_bytes(refused)


def test_a_model_that_the_runtime_refuses(capfd: pytest.CaptureFixture[str]) -> None:
    """It concatenates no more than ten tensors."""
    parts = [Values((1, 4), 0.5)] + [Values((1, 4), 0.5, data=np.zeros((1, 4), np.int8))] * 10
    made = build("CONCATENATION", parts, Values((1, 44), 0.5), {"type": "ConcatenationOptions", "axis": 1})
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(made))
    model.subgraphs[0].operators[0].inputs = [0] * len(parts)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    content = bytes(builder.Output())
    assert read_network(content, twice=True).output.shape == (1, 44)
    with pytest.raises(ModelError, match=r"TensorFlow Lite Micro cannot load the model: .*kMaxInputNum"):
        TflmModel(content)
    with pytest.raises(ModelError, match="TensorFlow Lite Micro cannot run the model"):
        arena_bytes(content)
    assert capfd.readouterr().err == ""


def test_without_the_package_the_command_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    for use in (TflmModel, arena_bytes):
        with pytest.raises(DependencyError, match="pip install 'tflite-micro>="):
            use(b"")
