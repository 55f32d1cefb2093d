"""What a long command says when Ctrl-C has stopped it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from edge_asd.cli.common import note


@contextmanager
def told_when_stopped(text: Callable[[], str]) -> Iterator[None]:
    """Answer Ctrl-C with a sentence and exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        note(text())
        raise typer.Exit(130) from None


def goes_on(out: Path) -> str:
    """Say that the same command goes on where it was stopped."""
    return f"Stopped. What is finished is kept in {out}; the same command goes on from there."
