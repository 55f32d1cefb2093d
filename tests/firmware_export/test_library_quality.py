"""A whole exported library, generated files included, under every compiler's warnings and static analysis."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.library import detector_library, frontend_library
from edge_asd.firmware_export.sources import CSRC
from tests.golden.committed import NAMES

C99 = qemu.WARNINGS
CPP = tuple(flag.replace("c99", "c++17") for flag in C99)

COMPILERS = {
    "gcc": ("gcc", *C99, "-O2"),
    "clang": ("clang", *C99, "-O2"),
    "g++": ("g++", "-x", "c++", *CPP, "-O2"),
    "clang++": ("clang++", "-x", "c++", *CPP, "-O2"),
    "Cortex-M4": ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", *C99, "-O2"),
    "Cortex-M4, -Os": ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", *C99, "-Os", "-flto"),
    "Cortex-M55": ("arm-none-eabi-gcc", "-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard", *C99, "-O2"),
    "Cortex-M55 as C++": ("arm-none-eabi-g++", "-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard", "-x", "c++", *CPP),
    "Cortex-M4 as C++": ("arm-none-eabi-g++", "-mcpu=cortex-m4", "-mthumb", "-x", "c++", *CPP, "-O2"),
    "Cortex-M0+": ("arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb", *C99, "-O2"),
    "RV32": ("riscv64-unknown-elf-gcc", "-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs", *C99, "-O2"),
}


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The detectors of both committed bundles, and a front end alone."""
    made = {name: detector_library(Bundle.load(path)) for name, path in NAMES.items()}
    made["frontend"] = frontend_library(Bundle.load(NAMES["ae"]))
    folders = []
    for name, library in made.items():
        folder = tmp_path_factory.mktemp(name)
        for file, text in library.files.items():
            (folder / file).write_text(text)
        folders.append(folder)
    return folders


def call(*command: object, folder: Path) -> str:
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"needs {command[0]}")
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("compiler", COMPILERS)
def test_no_warnings(compiler: str, libraries: list[Path], tmp_path: Path) -> None:
    for folder in libraries:
        sources = sorted(folder.glob("*.c"))
        assert call(*COMPILERS[compiler], f"-I{folder}", "-c", *sources, folder=tmp_path) == ""


def test_cppcheck(libraries: list[Path], tmp_path: Path) -> None:
    """Of what joins the parts; the parts are checked where they lie, and constants would take it minutes."""
    options = ("--quiet", "--std=c99", "--enable=warning,style,performance,portability", "--error-exitcode=1")
    for folder in libraries[:2]:
        ours = [folder / path.name for path in sorted((CSRC / "detector").glob("*.c"))]
        defined = ("-DEDGE_ASD_KERNELS=0", "-U__cplusplus", "-UEDGE_ASD_TRACE")
        assert call("cppcheck", *options, *defined, f"-I{folder}", *ours, folder=tmp_path) == ""
