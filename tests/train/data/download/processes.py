"""``edge-asd data download`` as a process that can be killed, stopped or kept short of room."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.train.data.download.http_server import Server
from tests.train.data.download.impatient import LARGEST_FILE

ROOT = Path(__file__).resolve().parents[4]


def started(server: Server, data: Path, *arguments: object, largest_file: int | None = None) -> subprocess.Popen[str]:
    """Start the command; no file that it writes may be larger than `largest_file` bytes."""
    words = ["data", "download", "--out", str(data), "--base-url", server.url, *map(str, arguments)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.train.data.download.impatient", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), LARGEST_FILE: str(largest_file or "")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
