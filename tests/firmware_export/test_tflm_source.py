"""The files for TensorFlow Lite Micro: the same bytes, just the operators that are used, C and C++ that compiles."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cffi
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_asd.bundle.bundle import Bundle
from edge_asd.firmware_export.tflm import TflmModel
from edge_asd.firmware_export.tflm_source import _ADDERS, tflm_files
from edge_asd.model_file import OPERATORS
from tests.firmware_export.one_operator import Values, build
from tests.golden.committed import NAMES, NETWORKS
from tests.once import Once

pytest.importorskip("tflite_micro", reason="TensorFlow Lite Micro has packages for Linux on x86-64 alone")

HERE = Path(__file__).parent
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Werror")


@pytest.fixture(scope="module", params=NETWORKS)
def exported(request: pytest.FixtureRequest, once: Once) -> tuple[bytes, Path]:
    """A model, and the folder of its files."""
    content = Bundle.load(NAMES[request.param]).model

    def make(folder: Path) -> None:
        for name, text in tflm_files(content).items():
            (folder / name).write_text(text)

    return content, once(f"tflm_{request.param}", make)


def _arrays(text: str) -> Iterator[npt.NDArray[np.int64]]:
    for values in re.findall(r"= \{\n(.*?)\};", text, re.DOTALL):
        yield np.array([int(value) for value in values.replace("\n", "").split(",")[:-1]])


def test_the_array_is_the_file(exported: tuple[bytes, Path]) -> None:
    content, folder = exported
    (array,) = _arrays((folder / "edge_asd_model.c").read_text())
    assert array.astype(np.uint8).tobytes() == content


def test_the_array_compiles_in_c_and_cpp(tmp_path: Path) -> None:
    content = build("RELU", [Values((1, 4), 0.5)], Values((1, 4), 0.5))
    for name, text in tflm_files(content).items():
        (tmp_path / name).write_text(text)
    for number, compiler in enumerate((("gcc", "-std=c99"), ("gcc", "-std=c11"), ("g++", "-x", "c++", "-std=c++17"))):
        library = tmp_path / f"{number}.so"
        command = [*compiler, *WARNINGS, "-pedantic", "-shared", "-fPIC", tmp_path / "edge_asd_model.c", "-o", library]
        subprocess.run(command, check=True)
        ffi = cffi.FFI()
        ffi.cdef(f"extern const unsigned char edge_asd_model[{len(content)}];")
        array = ffi.addressof(ffi.dlopen(str(library)), "edge_asd_model")
        assert bytes(ffi.buffer(array)) == content
        assert int(ffi.cast("uintptr_t", array)) % 16 == 0


def test_each_operator_is_added_once(exported: tuple[bytes, Path]) -> None:
    content, folder = exported
    text = (folder / "edge_asd_model_operators.h").read_text()
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    codes = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content)).operatorCodes
    used = {names[code.builtinCode] for code in codes}
    added = re.findall(r"operators\.(Add\w+)\(\)", text)
    assert sorted(added) == sorted({_ADDERS[kind] for kind in used})
    assert f"MicroMutableOpResolver<{len(used)}>" in text


def test_every_operator_that_is_read_can_be_added() -> None:
    assert set(_ADDERS) == set(OPERATORS.values())
    for kind, adder in _ADDERS.items():
        assert adder.removeprefix("Add").upper() == kind.replace("_", "")


def test_the_figures_are_those_measured(exported: tuple[bytes, Path]) -> None:
    content, folder = exported
    arena = {318344: 22048, 984672: 220736}[len(content)]
    header = (folder / "edge_asd_model.h").read_text()
    assert f"EDGE_ASD_MODEL_BYTES {len(content)}U" in header
    assert f"EDGE_ASD_MODEL_ARENA_BYTES {arena}U" in header
    assert f"| {arena:,} bytes" in (folder / "README.md").read_text()
    assert "$" not in (folder / "README.md").read_text()


def test_the_golden_output_is_what_the_runtime_computes(exported: tuple[bytes, Path]) -> None:
    content, folder = exported
    given, expected = (values.astype(np.int8) for values in _arrays((folder / "edge_asd_model_golden.h").read_text()))
    model = TflmModel(content)
    assert np.array_equal(model.run(given.reshape(1, *model.input_shape)).ravel(), expected)


def test_the_example_compiles_against_the_runtime_s_declarations(exported: tuple[bytes, Path]) -> None:
    """Declarations alone: the package of the runtime holds no headers."""
    command = ["g++", "-std=c++17", *WARNINGS, "-fsyntax-only", "-I", HERE / "c" / "tflm"]
    subprocess.run([*command, exported[1] / "main.cc"], check=True)
