"""Sweeps of small parts, and what they leave behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_asd.sweeps.running import Where, sweep
from edge_asd.train.backend import TRAINING

ROOT = Path(__file__).parents[2]


def call(
    what: Callable[..., Any], folder: Path, where: Where, parts: int = 4, notes: list[str] | None = None, **options: Any
) -> list[Any]:
    folder.mkdir(exist_ok=True)
    tell = [].append if notes is None else notes.append
    options = {"reads": [folder], "writes": folder, "alike": TRAINING, "main": "squaring", "note": tell} | options
    return sweep([(f"part {i}", (folder, i)) for i in range(parts)], what, where, **options)


def begun(folder: Path) -> dict[int, set[int]]:
    """Processes in which each part was begun."""
    found: dict[int, set[int]] = {}
    for path in folder.glob("[0-9]*"):
        number, process = path.name.split(".")
        found.setdefault(int(number), set()).add(int(process))
    return found


def children(of: int) -> list[int]:
    """Processes that a process has started to work on parts."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == of and b"popen_loky" in words:
            found.append(int(entry.name))
    return found
