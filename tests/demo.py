"""The demonstration, run once for all tests that need a detector worth its name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.command import edge_asd

if TYPE_CHECKING:
    from tests.once import Once


@dataclass(frozen=True)
class Demo:
    """What ``edge-asd demo --json`` printed, and the folder that it left."""

    folder: Path
    document: dict[str, Any]


@pytest.fixture(scope="session")
def demo(once: Once) -> Demo:
    """Run ``edge-asd demo --json``; do not change its folder, copy it."""

    def run(folder: Path) -> None:
        done = edge_asd("demo", "--out", folder / "demo", "--json")
        assert done.returncode == 0, done.stderr
        # Through a pipe: a line per stage, and nothing else.
        stages = done.stderr.splitlines()
        assert len(stages) == len(set(stages)) > 8
        assert all(line.endswith(" ...") for line in stages), stages
        (folder / "document.json").write_text(done.stdout)

    folder = once("demo", run)
    return Demo(folder / "demo", json.loads((folder / "document.json").read_text()))
