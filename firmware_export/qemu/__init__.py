"""Build C for another processor and run it there: microcontrollers and 64-bit ARM in QEMU.

Programs talk to their surroundings through ``templates/qemu/hostio.h`` only, so the same
``main`` runs on this machine, on an emulated board (semihosting) and on emulated aarch64.
"""

from edge_asd.firmware_export.qemu.building import WARNINGS, build, compile_object
from edge_asd.firmware_export.qemu.running import run
from edge_asd.firmware_export.qemu.sizes import Footprint, Part, footprint
from edge_asd.firmware_export.qemu.targets import BOARDS, TARGETS, Target, require

__all__ = [
    "BOARDS",
    "TARGETS",
    "WARNINGS",
    "Footprint",
    "Part",
    "Target",
    "build",
    "compile_object",
    "footprint",
    "require",
    "run",
]
