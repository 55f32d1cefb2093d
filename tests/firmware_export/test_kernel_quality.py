"""The kernels as sources: they compile without a warning wherever firmware is built, and need nothing but memcpy."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge_asd.firmware_export import qemu
from tests.firmware_export.kernels import CSRC

SOURCES = sorted(CSRC.glob("*.c"))
CPLUSPLUS = [flag.replace("c99", "c++17") for flag in qemu.WARNINGS]
COMPILERS = {
    "gcc": ["gcc", *qemu.WARNINGS],
    "clang": ["clang", *qemu.WARNINGS],
    "C++": ["g++", "-x", "c++", *CPLUSPLUS],
    "Cortex-M4": ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", *qemu.WARNINGS],
    "Cortex-M0+": ["arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb", *qemu.WARNINGS],
}


@pytest.mark.parametrize("name", COMPILERS)
def test_no_warnings(name: str, tmp_path: Path) -> None:
    command = COMPILERS[name]
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    done = subprocess.run([*command, "-O2", "-c", *SOURCES], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    if name.startswith("Cortex"):
        objects = sorted(tmp_path.glob("*.o"))
        listed = subprocess.run(["arm-none-eabi-nm", "-u", *objects], capture_output=True, text=True, check=True)
        needed = {line.split()[-1] for line in listed.stdout.splitlines() if " U " in line}
        of_the_processor = {name for name in needed if name.startswith(("__aeabi_", "__gnu_thumb1_"))}
        assert {name for name in needed - of_the_processor if not name.startswith("edge_asd_")} <= {"memcpy", "memset"}
        # No floating point: a compiler names what it needs for that.
        assert not {name for name in of_the_processor if name.startswith(("__aeabi_f", "__aeabi_d"))}


def test_cppcheck() -> None:
    if shutil.which("cppcheck") is None:
        pytest.skip("needs cppcheck: apt install cppcheck")
    command = ["cppcheck", "--quiet", "--std=c99", "--enable=warning,style,performance,portability"]
    done = subprocess.run([*command, "--error-exitcode=1", *SOURCES], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
