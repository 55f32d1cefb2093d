"""Processors that tests run C on, where their tools are installed."""

from __future__ import annotations

import pytest

from edge_asd.firmware_export import qemu


def needs(name: str) -> qemu.Target:
    """Return a target of `qemu.TARGETS`, or skip the test where its tools are missing."""
    found = qemu.TARGETS[name]
    if missing := found.missing():
        pytest.skip(f"needs {', '.join(missing)}: apt install {found.packages}")
    return found
