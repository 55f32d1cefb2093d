"""Progress on the standard error: bars with the time that is left on a terminal, a line per stage elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from edge_asd.sweeps.running import Standing


class Progress:
    """Shows how far the work is; called with each step of it. After a `with`, what it shows is taken away."""

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

    def __enter__(self) -> Self:
        """Show nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take away what is shown."""
        self.clear()

    @property
    def on_terminal(self) -> bool:
        """True where bars are shown."""
        return self._bars is not None

    def __call__(self, stage: str, done: float = 0, total: int = 0, detail: str = "") -> None:
        """Show a step.

        Parameters
        ----------
        stage : str
            What is being done; another one begins a new line or bar.
        done, total : float
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


class SweepProgress:
    """Shows how far a sweep is; called with each standing of it.

    On a terminal, one bar for all parts, with the time that is left and the last step; elsewhere a line for each stage
    of a part, and for each part that is done. A single part is shown as if there were no sweep.
    """

    def __init__(self, line: Progress) -> None:
        self._line = line
        self._stages: dict[int, str] = {}

    def __call__(self, now: Standing) -> None:
        """Show a step."""
        if now.parts == 1:
            if now.stage:
                self._line(now.stage, now.done, now.total, now.detail)
        elif self._line.on_terminal:
            how_far = f" {now.done}/{now.total}" if now.total else ""
            what = f"; {now.name}: {now.stage}{how_far} {now.detail}".rstrip() if now.stage else ""
            self._line(f"{now.parts} parts, %", 100 * now.share / now.parts, 100, f"{now.ended} done{what}")
        elif not now.stage:
            left = "" if now.left_s is None or now.ended == now.parts else f", about {duration(now.left_s)} left"
            self._line(f"{now.ended} of {now.parts} parts done{left}")
        elif self._stages.get(now.number) != now.stage:
            self._stages[now.number] = now.stage
            self._line(f"[{now.number}/{now.parts}] {now.name}: {now.stage}")


def duration(seconds: float) -> str:
    """Write a time for people."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
