"""Progress on the standard error: bars with the time that is left on a terminal, a line per stage elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class Progress:
    """Shows how far the work is; called with each step of it."""

    def __init__(self) -> None:
        self._stage = ""
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        # Rich is loaded for a terminal alone: a program that reads our output waits for nothing.
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bars = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[detail]}", markup=False),
                console=Console(stderr=True),
                transient=True,
                # Where standard error is replaced for a while, as a microphone is open, its end finds another one.
                redirect_stderr=False,
            )

    def __call__(self, stage: str, done: int = 0, total: int = 0, detail: str = "") -> None:
        """Show a step.

        Parameters
        ----------
        stage : str
            What is being done; another one begins a new line or bar.
        done, total : int
            How far it is; 0 of 0 where that is not known.
        detail : str
            What else is known at this step.
        """
        new, self._stage = stage != self._stage, stage
        if self._bars is None:
            if new:
                print(f"{stage} ...", file=sys.stderr, flush=True)
            return
        self._bars.start()
        if self._task is None or new:
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._task = self._bars.add_task(stage, total=total or None, detail=detail)
        self._bars.update(self._task, completed=done, total=total or None, detail=detail)

    def note(self, text: str) -> None:
        """Tell the user something for good, above what is shown."""
        if self._bars is not None and self._task is not None:
            self._bars.console.print(f"Note: {text}", markup=False, highlight=False, soft_wrap=True)
        else:
            print(f"Note: {text}", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take away what is shown."""
        if self._bars is not None:
            if self._task is not None:
                self._bars.remove_task(self._task)
                self._task = None
            self._bars.stop()
        self._stage = ""
