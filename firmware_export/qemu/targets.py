"""The processors that programs can be proven on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from edge_asd.errors import DependencyError

NANOSECONDS = 128
"""Virtual time that an instruction takes while instructions are counted; a power of two."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a board needs besides the program, all of it in ``templates/qemu``.

    Attributes
    ----------
    processor : str
        C file with the way from reset to ``main``.
    counter : str
        C file that reads the clock from which instructions are counted.
    clock : int [Hz]
        Of that counter.
    script : str
        Linker script.
    base : int
        Address of the counter.
    """

    processor: str
    counter: str
    clock: int
    script: str
    base: int = 0

    @property
    def defines(self) -> tuple[str, ...]:
        """Macros that the board's C files are compiled with."""
        instructions, rest = divmod(512 * 10**9, self.clock * NANOSECONDS)
        assert rest == 0
        return (f"COUNTER_BASE={self.base:#x}U", f"INSTRUCTIONS_PER_512_TICKS={instructions}U")


@dataclass(frozen=True, slots=True)
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
    library : str
        File of the C library that the compiler must find.
    machine : Machine, optional
        The board of a microcontroller, which runs programs without an operating system.
    """

    compiler: str
    flags: tuple[str, ...]
    emulator: tuple[str, ...]
    packages: str
    library: str = "libc.a"
    machine: Machine | None = None

    @property
    def is_microcontroller(self) -> bool:
        """Whether programs run without an operating system."""
        return self.machine is not None

    def missing(self) -> list[str]:
        """Return what this target needs and is not installed: commands, or the compiler's C library."""
        commands = [self.compiler, *self.emulator[:1]]
        if missing := [command for command in commands if shutil.which(command) is None]:
            return missing
        return [] if _finds(self.compiler, self.library) else [f"{self.library} of {self.compiler}"]

    def require(self) -> None:
        """Make sure that all is installed.

        Raises
        ------
        DependencyError
            If something is not; the message names the Debian packages.
        """
        require([self])


def require(targets: Iterable[Target]) -> None:
    """Make sure that all is installed that several targets need.

    Raises
    ------
    DependencyError
        If something is not; the message names all of it, and the Debian packages.
    """
    lacking = {target: missing for target in targets if (missing := target.missing())}
    if lacking:
        commands = dict.fromkeys(name for missing in lacking.values() for name in missing)
        packages = dict.fromkeys(package for target in lacking for package in target.packages.split())
        raise DependencyError(f"Not installed: {', '.join(commands)}. On Debian: apt install {' '.join(packages)}.")


@cache
def _finds(compiler: str, name: str) -> bool:
    done = subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=False)
    return done.stdout.strip() not in ("", name)  # a file that it does not find comes back as it was


def _emulator(command: str, *arguments: str) -> tuple[str, ...]:
    silent = ("-display", "none", "-monitor", "none", "-serial", "none")
    return (command, *arguments, *silent, "-semihosting-config", "enable=on,target=native", "-kernel")


def _cortex(cpu: str, board: str, machine: Machine, *flags: str) -> Target:
    return Target(
        compiler="arm-none-eabi-gcc",
        flags=(f"-mcpu={cpu}", "-mthumb", *flags),
        emulator=_emulator("qemu-system-arm", "-M", board),
        packages="gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm",
        machine=machine,
    )


_MPS2 = Machine("cortex_m.c", "counter_cmsdk.c", 25_000_000, "mps2.ld", base=0x40000000)
_AN505 = Machine("cortex_m.c", "counter_cmsdk.c", 20_000_000, "an505.ld", base=0x50000000)
_AN547 = Machine("cortex_m.c", "counter_sse.c", 32_000_000, "an547.ld", base=0x58100000)
_VIRT = Machine("riscv.c", "counter_riscv.c", 1_000_000_000, "virt.ld")

BOARDS = {
    "cortex-m4": _cortex("cortex-m4", "mps2-an386", _MPS2, "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "cortex-m7": _cortex("cortex-m7", "mps2-an500", _MPS2, "-mfloat-abi=hard", "-mfpu=fpv5-d16"),
    "cortex-m33": _cortex("cortex-m33", "mps2-an505", _AN505, "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"),
    # With the floating-point registers, which Helium shares: without them the compiler leaves it out.
    "cortex-m55": _cortex("cortex-m55", "mps3-an547", _AN547, "-mfloat-abi=hard"),
    "cortex-m3": _cortex("cortex-m3", "mps2-an385", _MPS2),
    # QEMU has no board with an M0+ and memory enough; an M3 executes all its instructions.
    "cortex-m0plus": _cortex("cortex-m0plus", "mps2-an385", _MPS2),
    "riscv32": Target(
        compiler="riscv64-unknown-elf-gcc",
        flags=("-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs"),
        emulator=_emulator("qemu-system-riscv32", "-M", "virt", "-bios", "none"),
        packages="gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc",
        library="picolibc.specs",
        machine=_VIRT,
    ),
}
"""The microcontrollers, by the names that reports use."""

TARGETS = {
    "host": Target("gcc", (), (), "gcc libc6-dev", library="crt1.o"),
    "aarch64": Target(
        "aarch64-linux-gnu-gcc",
        ("-static",),
        ("qemu-aarch64-static",),
        "gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static",
    ),
    **BOARDS,
}
"""All processors that programs can be built for and run on."""
