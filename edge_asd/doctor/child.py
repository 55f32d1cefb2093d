"""Looking at what may crash or hang, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

SECONDS = 60
"""Slow computers that are busy took 20 s to import what a child needs."""


@dataclass(frozen=True, slots=True)
class Child:
    """What became of it.

    Attributes
    ----------
    documents : list of dict
        Each line that it printed; those that were no JSON object are left out.
    code : int or None
        Its exit code, negative for a signal; None where it did not end in `SECONDS`.
    error : str
        Its last words.
    """

    documents: list[dict[str, Any]]
    code: int | None
    error: str


def run_child(module: str, *arguments: str, seconds: float = SECONDS) -> Child:
    """Run a module of ours that prints a JSON object a line."""
    code: int | None
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            capture_output=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
        )
        out, err, code = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired as late:
        out, err, code = late.stdout or b"", late.stderr or b"", None
    words = err.decode(errors="replace").strip().splitlines()
    return Child([*_documents(out.decode(errors="replace"))], code, words[-1] if words else "")


def _documents(text: str) -> list[dict[str, Any]]:
    found = []
    for line in text.splitlines():
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict):
            found.append(document)
    return found
