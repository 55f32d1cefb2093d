"""The computer itself: how busy, how hot, how full."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from edge_asd.doctor.check import Check, bad, good
from edge_asd.monitor.board import Board, BoardHealth
from edge_asd.threads import cores

HOT_C = 80.0
"""A Raspberry Pi slows down from here on."""

LEAST_FREE_BYTES = 500 * 2**20
"""Less than this is soon full of clips and updates."""


def checks() -> list[Check]:
    """Look at all of it."""
    found = [load(os.getloadavg()[1], cores())] if hasattr(os, "getloadavg") else []
    return [*found, board(Board().read()), *(disk(folder) for folder in folders(os.environ))]


def load(busy: float, cores: int) -> Check:
    """Judge how many processes wanted to run in the last five minutes, in the mean."""
    found = f"{busy:.1f} of {cores} core{'s' if cores > 1 else ''} busy"
    if busy <= cores:
        return good("CPU load", found)
    return bad(
        "CPU load", found, "More wants to run than can: `top` shows what. Sound may be lost; stop what is not needed."
    )


def board(health: BoardHealth) -> Check:
    """Judge temperature, supply and throttling."""
    hot = health.temperature_c
    words = ["temperature unknown" if hot is None else f"{hot:.0f} °C", *health.now]
    if health.before:
        words.append(f"since it started: {', '.join(health.before)}")
    found, advice = "; ".join(words), []
    if any("voltage" in text for text in (*health.now, *health.before)):
        advice.append("Use the board's own power supply and a short cable: the voltage dropped.")
    if (hot is not None and hot >= HOT_C) or {*health.now, *health.before} - {"under-voltage"}:
        advice.append("Cool it: a heat sink, a fan, or a place out of the sun; a slowed processor may not keep up.")
    return bad("board", found, " ".join(advice)) if advice else good("board", found)


def folders(environment: Mapping[str, str]) -> list[Path]:
    """Name the folders that are written to: this one, and under systemd that of the service's state."""
    state = environment.get("STATE_DIRECTORY", "").split(":")[0]
    return [Path.cwd(), *([Path(state)] if state else [])]


def disk(folder: Path) -> Check:
    """Judge the free space."""
    name = "free disk"
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return bad(name, f"{folder} cannot be read", f"{error.strerror or error}. Check that the disk is mounted.")
    found = f"{free / 1e9:.1f} GB in {folder}"
    if free >= LEAST_FREE_BYTES:
        return good(name, found)
    return bad(name, found, "Clips and records need room: delete what is not needed (`sudo apt clean`, old clips).")
