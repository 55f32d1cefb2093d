"""A whole exported library, generated files included, under every compiler's warnings and static analysis."""

from __future__ import annotations

import re
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
    "Cortex-M0+, -O0": ("arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb", *C99, "-O0", "-fno-omit-frame-pointer"),
    "Cortex-M0+, -Os": ("arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb", *C99, "-Os", "-fno-omit-frame-pointer"),
    "pedantic C++": ("g++", "-x", "c++", "-std=c++11", "-Wpedantic", "-Wshadow", *CPP[1:], "-O2"),
    "Cortex-M0+": ("arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb", *C99, "-O2"),
    "RV32": ("riscv64-unknown-elf-gcc", "-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs", *C99, "-O2"),
}

EVERY_TIME = ("gcc", "Cortex-M4", "Cortex-M55 as C++")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The detectors of the committed bundles, and a front end alone."""
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


@pytest.mark.parametrize(
    "compiler", [name if name in EVERY_TIME else pytest.param(name, marks=pytest.mark.prove) for name in COMPILERS]
)
def test_no_warnings(compiler: str, libraries: list[Path], tmp_path: Path) -> None:
    for folder in libraries:
        # Long arrays are all of one form, and take compilers as long as the rest together.
        long = () if compiler in ("gcc", "pedantic C++") else ("weights", "golden")
        sources = [path for path in sorted(folder.glob("*.c")) if not any(word in path.name for word in long)]
        assert call(*COMPILERS[compiler], f"-I{folder}", "-c", *sources, folder=tmp_path) == ""


@pytest.mark.parametrize(
    "flags", [["-fstack-protector-all"], ["-finstrument-functions"], ["-pg"], ["-fsanitize-coverage=trace-pc"], ["-O0"]]
)
def test_nothing_is_put_before_the_assembly(flags: list[str], libraries: list[Path], tmp_path: Path) -> None:
    """A naked function starts by saving registers; a compiler's own prologue would spoil its caller's stack."""
    cross = COMPILERS["Cortex-M4"]
    found = 0
    for name in ("edge_asd_matrix_dsp", "edge_asd_depthwise_dsp"):
        call(*cross, *flags, f"-I{libraries[1]}", "-c", libraries[1] / f"{name}.c", "-o", "x.o", folder=tmp_path)
        listing = call("arm-none-eabi-objdump", "-d", "--no-show-raw-insn", "x.o", folder=tmp_path)
        for function in ("rows_once", "rows_twice", "pairs_once", "pairs_twice", "one_place"):
            if start := re.search(rf"<{function}>:\n\s+[0-9a-f]+:\s+(.*)", listing):
                assert start[1].split() == [
                    "stmdb",
                    "sp!,",
                    "{r4,",
                    "r5,",
                    "r6,",
                    "r7,",
                    "r8,",
                    "r9,",
                    "sl,",
                    "fp,",
                    "lr}",
                ]
                found += 1
    assert found == 5


@pytest.mark.prove
def test_clang_for_cortex_m4(libraries: list[Path], tmp_path: Path) -> None:
    headers = Path("/usr/include/newlib")
    if not headers.is_dir():
        pytest.skip("needs newlib's headers: apt install libnewlib-arm-none-eabi")
    target = ("--target=thumbv7em-none-eabihf", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-isystem", headers)
    for folder in libraries:
        sources = [path for path in sorted(folder.glob("*.c")) if "weights" not in path.name]
        assert call("clang", *target, *C99, "-O2", f"-I{folder}", "-c", *sources, folder=tmp_path) == ""


def test_cppcheck(libraries: list[Path], tmp_path: Path) -> None:
    """Of what joins the parts; the parts are checked where they lie, and constants would take it minutes."""
    options = ("--quiet", "--std=c99", "--enable=warning,style,performance,portability", "--error-exitcode=1")
    for folder in libraries[:-1]:
        ours = sorted({folder / path.name for path in (CSRC / "detector").rglob("*.c")})
        defined = ("-DEDGE_ASD_KERNELS=0", "-U__cplusplus", "-UEDGE_ASD_TRACE")
        assert call("cppcheck", *options, *defined, f"-I{folder}", *ours, folder=tmp_path) == ""
