"""Running ``edge-asd`` as its user does: a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

NO_MICROPHONE = "pcm.nothing { type hw card 99 }\n"
"""An ALSA configuration of one card that is not there; PortAudio aborts on an empty one."""

Command = Callable[..., subprocess.CompletedProcess[str]]
"""What the fixture `tests.in_process.command` returns."""

EDGE_ASD = Path(sys.executable).with_name("edge-asd")


def edge_asd(
    *arguments: object, cwd: Path | None = None, env: dict[str, str] | None = None, data: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command; standard output and error come back as text."""
    done = subprocess.run(
        [str(EDGE_ASD), *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=data,
        stdin=None if data is not None else subprocess.DEVNULL,
        capture_output=True,
        timeout=900,  # a busy machine needs minutes for the demonstration
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def json_decisions(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Decisions that ``edge-asd monitor --json`` printed, without events, and without when and whence."""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [{k: v for k, v in line.items() if k not in ("time", "source")} for line in lines if "event" not in line]


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Lines of the standard error but those of progress: each names a stage and ends in three dots."""
    return [line for line in done.stderr.splitlines() if line.startswith("Error: ") or not line.endswith(" ...")]


def assert_error(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 1, nothing on the standard output, one paragraph that holds `words`, no traceback."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    lines = [line for line in said(done) if not line.startswith("Note: ")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Error: ")
    for word in words:
        assert word in lines[0], lines[0]


def without_microphone(folder: Path) -> dict[str, str]:
    """Environment of a computer without a microphone."""
    path = folder / "no-microphone.conf"
    path.write_text(NO_MICROPHONE)
    return {"ALSA_CONFIG_PATH": str(path)}
