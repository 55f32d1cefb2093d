"""Compilers and emulators as functions that raise errors for people."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_asd.errors import EdgeAsdError


def call(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    timeout: float = 600,
    statuses: Mapping[int, str] | None = None,
) -> str:
    """Run `command` and return what it printed.

    Parameters
    ----------
    statuses : mapping of int to str, optional
        What exit statuses mean, for the error.

    Raises
    ------
    EdgeAsdError
        If it fails or does not end within `timeout` seconds.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EdgeAsdError(f"{command[0]} did not end within {timeout:g} seconds: {' '.join(command)}") from error
    if done.returncode != 0:
        reason = (statuses or {}).get(done.returncode, f"failed with {done.returncode}")
        raise EdgeAsdError(f"{command[0]} {reason}: {' '.join(command)}\n{done.stdout}{done.stderr}".strip())
    return done.stdout
