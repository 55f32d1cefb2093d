"""All C of the firmware compiles everywhere without a warning and passes static analysis."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge_asd.firmware_export import qemu
from tests.firmware_export.c_library import CSRC

FRONTEND = CSRC.parents[1] / "edge_asd" / "frontend" / "csrc"
SOURCES = sorted(CSRC.glob("*.c"))
HEADERS = sorted(CSRC.glob("*.h"))
INCLUDE = (f"-I{CSRC}", f"-I{FRONTEND}")

CPP = ("-x", "c++", "-std=c++17", "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Werror")

COMPILERS = {
    "gcc": ("gcc", *qemu.WARNINGS),
    "clang": ("clang", *qemu.WARNINGS),
    "g++": ("g++", *CPP),
    "clang++": ("clang++", *CPP),
    **{
        f"arm-none-eabi-gcc for {cpu}": ("arm-none-eabi-gcc", f"-mcpu={cpu}", "-mthumb", *qemu.WARNINGS)
        for cpu in ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m33", "cortex-m55")
    },
}

EVERY_TIME = ("gcc", "clang++", "arm-none-eabi-gcc for cortex-m55")


def run(*command: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"needs {command[0]}")
    return subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "compiler", [name if name in EVERY_TIME else pytest.param(name, marks=pytest.mark.prove) for name in COMPILERS]
)
def test_no_warnings(compiler: str, tmp_path: Path) -> None:
    for level in ("-Os", "-O2"):
        done = run(*COMPILERS[compiler], *INCLUDE, level, "-c", *SOURCES, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("compiler", ["gcc", "g++"])
def test_every_header_stands_alone(compiler: str, tmp_path: Path) -> None:
    sources = []
    for header in HEADERS:
        sources.append(tmp_path / f"{header.stem}_alone.c")
        sources[-1].write_text(f'#include "{header.name}"\n#include "{header.name}"\n')
    done = run(*COMPILERS[compiler], *INCLUDE, "-fsyntax-only", *sources, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kernels", [0, 1, 2])
def test_cppcheck(kernels: int) -> None:
    """With the kernels of each kind of processor in turn."""
    command = ["cppcheck", "--quiet", "--std=c99", "--enable=warning,style,performance,portability"]
    defined = [f"-DEDGE_ASD_KERNELS={kernels}", "-U__cplusplus", "-UEDGE_ASD_TRACE"]
    done = run(*command, "--error-exitcode=1", *defined, *INCLUDE, *SOURCES)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", [*SOURCES, *HEADERS], ids=lambda path: path.name)
def test_every_file_states_its_licence_and_then_its_purpose(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0] == "/* SPDX-License-Identifier: MIT */"
    assert lines[1].startswith("/* ")


def test_the_code_needs_no_library_but_memory_functions_and_long_division(tmp_path: Path) -> None:
    done = run(
        "arm-none-eabi-gcc",
        *COMPILERS["arm-none-eabi-gcc for cortex-m4"][1:],
        *INCLUDE,
        "-O2",
        "-c",
        *SOURCES,
        folder=tmp_path,
    )
    assert done.returncode == 0
    objects = sorted(tmp_path.glob("*.o"))
    undefined = set(run("arm-none-eabi-nm", "-u", *objects).stdout.split())
    others = {name for name in undefined - {"U"} if not name.startswith("edge_asd_") and not name.endswith(".o:")}
    assert others <= {"memcpy", "memmove", "memset", "__aeabi_ldivmod", "__aeabi_uldivmod"}
