"""Archives for tests, and what the tables of their scores hold."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import parquet

from edge_asd.archive.tables import FILES, SCORES, part_number
from tests.data import write_wav
from tests.golden.committed import NAMES, made_sound
from tests.sweeps.calling import children

BUNDLE = NAMES["ae"]
SOUND = made_sound(3, 200)

# What a shell in the background starts ignores Ctrl-C.
_PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from edge_asd.start import main
main()
"""


def fill(folder: Path, count: int, seconds: int = 6) -> Path:
    """Write recordings 00.wav, 01.wav, ... of different sound."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        whole = np.tile(made_sound(number, 200), -(-seconds // 6))
        write_wav(folder / f"{number:02}.wav", whole[: seconds * 16000])
    return folder


def rows(out: Path, table: str = SCORES) -> list[dict[str, Any]]:
    """All rows of a table, sorted by recording; within one they are as they were written."""
    paths = sorted((out / table).glob("*.parquet"), key=part_number)
    return sorted((row for path in paths for row in read(path)), key=lambda row: row["file"])


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of one file."""
    table = parquet.read_table(path, partitioning=None)
    if "modified" in table.column_names:
        place = table.column_names.index("modified")
        table = table.set_column(place, "modified", table.column(place).cast("int64"))
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def passed_over(out: Path) -> dict[str, str]:
    """Why each recording without scores has none."""
    return {row["file"]: row["passed_over"] for row in rows(out, FILES) if row["passed_over"] is not None}


def contents(out: Path) -> dict[str, bytes]:
    """Every file in a folder of scores, whatever its name."""
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def parts(out: Path) -> list[str]:
    """Partitions that are whole."""
    return sorted(path.name for path in (out / FILES).glob("part-*.parquet"))


def at_work(of: int, where: Path) -> int:
    """Stop a process that reads a recording, of those that a process has started; return 0 if none does."""
    for child in children(of):
        os.kill(child, signal.SIGSTOP)
        try:
            if any(os.readlink(entry).startswith(f"{where}/") for entry in Path(f"/proc/{child}/fd").iterdir()):
                return child
        except FileNotFoundError:  # closed, or ended, before it stopped
            pass
        os.kill(child, signal.SIGCONT)
    return 0


def start(where: Path, out: Path, *options: object, bundle: Path = BUNDLE) -> subprocess.Popen[str]:
    """Start to score in a process of its own, which leads a group of processes; a partition is a recording of 6 s."""
    words = ["score", bundle, where, "--section", "00", "--out", out, "--partition", 0.1, "--json", *options]
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
