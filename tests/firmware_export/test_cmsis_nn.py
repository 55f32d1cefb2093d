"""The hand-over to the user's own CMSIS-NN: which layers, in which order, with which arguments.

CMSIS-NN is not part of this project; ``c/cmsis_nn`` declares what we use of it, and computes what it documents.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import cffi
import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import EdgeAsdError
from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.library import ROUNDINGS, Library, detector_library, model_library
from edge_asd.firmware_export.proof import programs
from edge_asd.firmware_export.proof.programs import Sources
from edge_asd.firmware_export.proof.reference import reference
from edge_asd.firmware_export.proof.windows import trial_windows
from edge_asd.firmware_export.sources import library_files
from edge_asd.interpreter import Model
from tests.golden.committed import NAMES

CMSIS_NN = Path(__file__).parent / "c" / "cmsis_nn"
SINGLE = "CMSIS_NN_USE_SINGLE_ROUNDING"
DEFINES = {"litert": ("EDGE_ASD_CMSIS_NN", SINGLE), "tflm": ("EDGE_ASD_CMSIS_NN",)}


def model(name: str) -> bytes:
    return Bundle.load(NAMES[name]).model


def build(library: Library, folder: Path, defines: tuple[str, ...]) -> Path:
    sources = Sources.write(library, folder / "src")
    files = [*sources.files, programs.HARNESS / "model.c", CMSIS_NN / "arm_nnfunctions.c"]
    include = [*sources.include, programs.HARNESS, CMSIS_NN]
    return qemu.build(
        qemu.TARGETS["host"], files, folder / "model", include=include, flags=programs.SANITIZE, defines=defines
    )


@pytest.mark.parametrize("helium", [(), ("HELIUM",)], ids=["biases", "sums"])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_it_computes_what_the_runtime_computes(rounding: str, helium: tuple[str, ...], tmp_path: Path) -> None:
    content = model("ae")
    library = model_library(content, rounding=rounding, cmsis_nn=True)
    network = library.network
    assert network is not None
    windows = trial_windows(network, 4)
    expected = reference(network, content, windows)
    if expected is None:
        pytest.skip("TensorFlow Lite Micro has packages for Linux on x86-64 alone")
    program = build(library, tmp_path, (*DEFINES[rounding], *helium))
    windows.tofile(tmp_path / "windows.bin")
    qemu.run(qemu.TARGETS["host"], program, tmp_path, count=False, timeout=100.0)
    outputs = np.fromfile(tmp_path / "outputs.bin", np.int8).reshape(len(windows), -1)
    assert np.array_equal(outputs, expected.outputs)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(("name", "count"), [("ae", 10), ("mobilenetv2", 1)])
def test_fully_connected_layers_are_handed_over(name: str, count: int, rounding: str) -> None:
    library = model_library(model(name), rounding=rounding, cmsis_nn=True)
    text = library.files["edge_asd_weights.h"]
    assert text.count("_KERNEL edge_asd_matrix_cmsis_nn\n") == count
    assert library.files["edge_asd_weights_cmsis_nn.c"].count("const uint32_t ") == count


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_another_rounding_does_not_compile(rounding: str, tmp_path: Path) -> None:
    library = model_library(model("ae"), rounding=rounding, cmsis_nn=True)
    (other,) = set(ROUNDINGS) - {rounding}
    with pytest.raises(EdgeAsdError, match=f"{'with' if rounding == 'litert' else 'without'} {SINGLE}"):
        build(library, tmp_path, DEFINES[other])


@pytest.mark.parametrize("hops", [1, 4])
def test_windows_that_go_round_a_ring(hops: int, tmp_path: Path) -> None:
    """Four windows at once are what one after the other is, and a ring what its values in a row are."""
    library = detector_library(Bundle.load(NAMES["ae"]), hops=hops, cmsis_nn=True)
    assert library.network is not None
    sources = Sources.write(library, tmp_path)
    needed = library_files(library.files, ("edge_asd_network.h",))
    files = [*(path for path in sources.files if path.name in needed), CMSIS_NN / "arm_nnfunctions.c"]
    defines = [f"-D{name}" for name in DEFINES["litert"]]
    command = ["gcc", "-std=c99", "-O1", "-shared", "-fPIC", f"-I{CMSIS_NN}", *defines, *files, "-o", tmp_path / "x.so"]
    subprocess.run(command, check=True)
    ffi = cffi.FFI()
    ffi.cdef("const int8_t *edge_asd_network_run(const int8_t *x, size_t hop, size_t start, size_t ring, void *arena);")
    lib = ffi.dlopen(str(tmp_path / "x.so"))
    hop, size = 128, 640 + (hops - 1) * 128
    ring = np.random.default_rng(0).integers(-128, 128, size, dtype=np.int8)
    arena = np.zeros(library.network.arena // 8 + 1, np.int64)
    memory = ffi.cast("void *", arena.ctypes.data)
    runtime = Model(model("ae"), arithmetic="litert-ref")
    for start in (0, 128, 517):
        result = lib.edge_asd_network_run(ffi.cast("int8_t *", ring.ctypes.data), hop, start, size, memory)
        row = np.roll(ring, -start)
        windows = np.stack([row[first : first + 640] for first in range(0, hops * hop, hop)])
        assert bytes(ffi.buffer(result, hops * 640)) == runtime.run(windows).tobytes()


@pytest.mark.parametrize("compiler", [("gcc", *qemu.WARNINGS), ("g++", "-x", "c++", "-std=c++17", *qemu.WARNINGS[1:])])
def test_no_warnings(compiler: tuple[str, ...], tmp_path: Path) -> None:
    sources = Sources.write(model_library(model("ae"), rounding="litert", cmsis_nn=True), tmp_path)
    defines = [f"-D{name}" for name in DEFINES["litert"]]
    files = [path for path in sources.files if re.search("cmsis_nn|network|portable", path.name)]
    command = [*compiler, *defines, f"-I{CMSIS_NN}", "-O2", "-c", *files]
    done = subprocess.run([*map(str, command)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_of_it_is_exported_unasked() -> None:
    library = model_library(model("ae"))
    assert not [name for name, text in library.files.items() if "cmsis_nn" in name or "CMSIS_NN" in text]
    asked = model_library(model("ae"), cmsis_nn=True)
    assert asked.files.keys() - library.files.keys() == {
        "edge_asd_matrix_cmsis_nn.c",
        "edge_asd_matrix_cmsis_nn.h",
        "edge_asd_weights_cmsis_nn.c",
    }
