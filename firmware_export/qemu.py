"""Build C for another processor and run it there: microcontrollers and 64-bit ARM in QEMU.

Programs talk to their surroundings through ``templates/qemu/hostio.h`` only, so the same
``main`` runs on this machine, on an emulated Cortex-M (semihosting) and on emulated aarch64.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_asd.errors import DependencyError, EdgeAsdError

TEMPLATES = Path(__file__).parent / "templates" / "qemu"

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Werror")
"""Flags that all our C compiles with; C++ and Arduino builds are more lenient."""


@dataclass(frozen=True)
class Target:
    """A processor to build for and the command that runs its programs.

    Attributes
    ----------
    compiler : str
        Name of the C compiler.
    flags : tuple of str
        Processor flags, for compiling and linking.
    emulator : tuple of str
        Command before the program's path; empty on this machine.
    packages : str
        Debian packages that provide all this.
    """

    compiler: str
    flags: tuple[str, ...]
    emulator: tuple[str, ...]
    packages: str

    @property
    def is_microcontroller(self) -> bool:
        """Whether programs run without an operating system."""
        return self.compiler.startswith("arm-none-eabi")

    def missing(self) -> list[str]:
        """Return the commands of this target that are not installed."""
        commands = [self.compiler, *self.emulator[:1]]
        return [command for command in commands if shutil.which(command) is None]


def _cortex(cpu: str, board: str, *flags: str) -> Target:
    return Target(
        compiler="arm-none-eabi-gcc",
        flags=(f"-mcpu={cpu}", "-mthumb", *flags),
        emulator=(
            *("qemu-system-arm", "-M", board, "-display", "none", "-monitor", "none", "-serial", "none"),
            *("-semihosting-config", "enable=on,target=native", "-kernel"),
        ),
        packages="gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm",
    )


TARGETS = {
    "host": Target("gcc", (), (), "gcc libc6-dev"),
    "cortex-m3": _cortex("cortex-m3", "mps2-an385"),
    "cortex-m4": _cortex("cortex-m4", "mps2-an386", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "cortex-m7": _cortex("cortex-m7", "mps2-an500", "-mfloat-abi=hard", "-mfpu=fpv5-d16"),
    "aarch64": Target(
        "aarch64-linux-gnu-gcc",
        ("-static",),
        ("qemu-aarch64-static",),
        "gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static",
    ),
}
"""The processors that programs can be proven on."""


def build(
    target: Target,
    sources: Sequence[Path],
    program: Path,
    *,
    include: Sequence[Path] = (),
    flags: Sequence[str] = ("-O2",),
) -> Path:
    """Compile and link `sources` with ``hostio`` for `target` as `program`.

    Raises
    ------
    DependencyError
        If the compiler is not installed.
    EdgeAsdError
        If the C does not compile; the message holds what the compiler said.
    """
    _require(target)
    command = [target.compiler, *WARNINGS, *target.flags, *flags, f"-I{TEMPLATES}", *(f"-I{path}" for path in include)]
    sources = [*sources, TEMPLATES / ("semihosting.c" if target.is_microcontroller else "stdio.c")]
    if target.is_microcontroller:
        command += ["-nostartfiles", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]
        command += ["-T", str(TEMPLATES / "memory.ld")]
    _call([*command, *map(str, sources), "-o", str(program)])
    return program


def compile_object(target: Target, source: Path, output: Path, *, include: Sequence[Path] = ()) -> dict[str, int]:
    """Compile one file at -O2 and return its section sizes ``text``, ``data``, ``bss`` [bytes]."""
    _require(target)
    flags = [*WARNINGS, *target.flags, "-O2", "-fstack-usage", *(f"-I{path}" for path in include)]
    _call([target.compiler, *flags, "-c", str(source), "-o", str(output)])
    row = _call([target.compiler.removesuffix("gcc") + "size", str(output)]).splitlines()[1].split()
    return {"text": int(row[0]), "data": int(row[1]), "bss": int(row[2])}


def run(target: Target, program: Path, folder: Path, *, count: bool = False, timeout: float = 600) -> None:
    """Run `program` in `folder`; what it reads and writes are files there.

    Parameters
    ----------
    count : bool
        Make ``hostio_count`` count instructions (exact, but three times slower).

    Raises
    ------
    EdgeAsdError
        If the program fails or does not end within `timeout` seconds.
    """
    _require(target)
    emulator = list(target.emulator)
    if count and target.is_microcontroller:
        emulator[1:1] = ["-icount", "shift=6"]
    _call([*emulator, str(program.resolve())], folder=folder, timeout=timeout)


def _require(target: Target) -> None:
    if missing := target.missing():
        raise DependencyError(f"Not installed: {', '.join(missing)}. On Debian: apt install {target.packages}.")


def _call(command: list[str], folder: Path | None = None, timeout: float = 600) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise EdgeAsdError(f"{command[0]} did not end within {timeout:g} seconds: {' '.join(command)}") from error
    if done.returncode != 0:
        raise EdgeAsdError(
            f"{command[0]} failed with {done.returncode}: {' '.join(command)}\n{done.stdout}{done.stderr}".strip()
        )
    return done.stdout
