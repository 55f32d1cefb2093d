"""The demonstration, run once for all tests that need a detector worth its name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import edge_asd


@dataclass(frozen=True)
class Demo:
    """What ``edge-asd demo --json`` printed, and the folder that it left."""

    folder: Path
    document: dict[str, Any]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Run ``edge-asd demo --json``; do not change its folder, copy it."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    done = edge_asd("demo", "--out", folder, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return Demo(folder, json.loads(done.stdout))
