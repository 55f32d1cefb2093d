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


def goes_on(out: Path, scheduler: str | None) -> str:
    """Say that the same command goes on where it was stopped, and what a cluster does meanwhile."""
    if scheduler is not None:
        return (
            f"Stopped. The workers come to the end of what they are at, and it is kept in {out} as the rest; the same "
            "command goes on from there."
        )
    return f"Stopped. What is finished is kept in {out}; the same command goes on from there."
