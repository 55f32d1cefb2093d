"""Programs on their target."""

from __future__ import annotations

from pathlib import Path

from edge_asd.firmware_export.qemu.targets import NANOSECONDS, Target
from edge_asd.firmware_export.qemu.tools import call

# Of templates/qemu/semihosting.c.
STATUSES = {124: "ran over the end of its stack", 125: "stopped at a fault of the processor"}


def run(target: Target, program: Path, folder: Path, *, count: bool = False, timeout: float = 600) -> None:
    """Run `program` in `folder`; what it reads and writes are files there.

    Parameters
    ----------
    count : bool
        Make ``hostio_count`` count instructions on a microcontroller: exact, but three times slower.

    Raises
    ------
    DependencyError
        If the emulator is not installed.
    EdgeAsdError
        If the program fails or does not end within `timeout` seconds.
    """
    target.require()
    emulator = list(target.emulator)
    if count and target.is_microcontroller:
        emulator[1:1] = ["-icount", f"shift={NANOSECONDS.bit_length() - 1}"]
    statuses = STATUSES if target.is_microcontroller else None
    call([*emulator, str(program.resolve())], folder=folder, timeout=timeout, statuses=statuses)
