"""An emulated board in an exported project: the support that our own proofs run on."""

from __future__ import annotations

from typing import Any

from edge_asd.firmware_export.qemu.building import SUPPORT, TEMPLATES
from edge_asd.firmware_export.qemu.targets import BOARDS

BOARD = "cortex-m4"
"""Whose support a project holds."""

_HEADERS = ("hostio.h", "machine.h", "sections.ld")


def board_facts(name: str) -> dict[str, Any]:
    """Tell how to build for a board and how to run what was built."""
    target = BOARDS[name]
    assert target.machine is not None
    return {
        "name": name,
        "compiler": target.compiler,
        "flags": target.flags,
        "emulator": target.emulator,
        "packages": target.packages,
        "sources": [*SUPPORT, target.machine.processor, target.machine.counter],
        "defines": target.machine.defines,
        "script": target.machine.script,
    }


def board_files(name: str) -> dict[str, str]:
    """Collect the files of a board's support, by name."""
    facts = board_facts(name)
    names = (*facts["sources"], facts["script"], *_HEADERS)
    return {name: (TEMPLATES / name).read_text(encoding="utf-8") for name in sorted(names)}
