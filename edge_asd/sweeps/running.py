"""The one function that works on the parts of a job: in this process, in several, or on a Dask cluster."""

from __future__ import annotations

import importlib.util
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from edge_asd.errors import ClusterError, DependencyError, SweepError
from edge_asd.sweeps.alike import FOR_PARTS, Alike
from edge_asd.sweeps.cluster import on_cluster
from edge_asd.sweeps.parts import Failure, Item, Result, Told, Voice, Work, attempt
from edge_asd.sweeps.processes import Seat, in_processes, seated

_TOLD = 3
"""Failures that the error at the end repeats; each was told when it came."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where parts are worked on. The default is one after the other, in this process.

    Attributes
    ----------
    jobs : int > 0
        Parts at a time, each in a process of its own.
    scheduler : str, optional
        Address of a Dask cluster's scheduler, in place of this computer.
    seats : sequence of Seat
        Processes of this computer that are there already (`staying`).
    """

    jobs: int = 1
    scheduler: str | None = None
    seats: Sequence[Seat] = ()

    @contextmanager
    def staying(self, parts: int) -> Iterator[Where]:
        """Keep the processes for sweeps of so many parts, at most, that follow one another."""
        jobs = min(self.jobs, parts)
        with seated(jobs) if self.scheduler is None and jobs > 1 else nullcontext(()) as seats:
            yield replace(self, jobs=max(1, jobs), seats=seats)

    def path(self, path: Path) -> Path:
        """Return a path as the parts are to be told it: workers of a cluster run in folders of their own."""
        return path if self.scheduler is None else path.absolute()


HERE = Where()
"""One part after the other, in this process."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a sweep is, after a step of one of its parts.

    Attributes
    ----------
    name : str
        The part's.
    number, parts : int
        The part's number, from 1 on, and how many there are.
    stage, done, total, detail
        The step (`edge_asd.sweeps.parts.Told`); no stage where the part is at its end.
    ended : int
        Parts that are at their end.
    share : float [parts]
        The same, with the shares of those that are worked on.
    left_s : float or None [s]
        Time that is left; None where it cannot be told yet.
    """

    name: str
    number: int
    parts: int
    stage: str
    done: int
    total: int
    detail: str
    ended: int
    share: float
    left_s: float | None


def sweep(
    parts: Sequence[tuple[str, Item]],
    work: Work[Item, Result],
    where: Where,
    *,
    reads: Sequence[Path],
    writes: Path,
    alike: Alike,
    main: str,
    progress: Callable[[Standing], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
    ended: Callable[[int, Result | Failure], None] = lambda *_: None,
) -> list[Result | Failure]:
    """Work on all parts; those that fail are told, and the others go on.

    Parameters
    ----------
    parts : sequence of (str, object)
        Names, for people, and what `work` needs to know.
    work : callable
        See `edge_asd.sweeps.parts.Work`. A part whose process is killed is begun again.
    where : Where
    reads : sequence of Path
        What the parts read: the workers of a cluster must see it.
    writes : Path
        The folder that the parts write into; it must be there.
    alike : Alike
        What the workers of a cluster must have as this computer has it.
    main : str
        The stage that takes the most time: how far it is, the part is.
    progress : callable, optional
        Called with a `Standing` for each step.
    note : callable, optional
        Called with a sentence for the user.
    ended : callable, optional
        Called with the number of each part, from 0 on, that is at its end, and what came of it. An error that it raises
        ends the sweep.

    Returns
    -------
    outcomes : list
        Of each part in its turn: what `work` returned, or a `Failure`.

    Raises
    ------
    DependencyError
        If a package is missing.
    ClusterError
        If the cluster cannot be used, or has gone.
    """
    if not parts:
        return []
    check_installed(alike)
    watched = _Watched([name for name, _ in parts], main, progress, note)
    items = [item for _, item in parts]
    jobs = min(where.jobs, len(parts))
    outcomes: dict[int, Result | Failure] = {}
    if where.scheduler is None and jobs <= 1:
        for number, item in enumerate(items):
            outcomes[number] = attempt(work, item, Voice(number, watched.told))
            watched.ended(number, outcomes[number])
            ended(number, outcomes[number])
        return list(outcomes.values())
    events: SimpleQueue[Any] = SimpleQueue()
    with ExitStack() as stack:
        if where.scheduler is None:
            results = stack.enter_context(in_processes(work, items, jobs, events.put, where.seats))
            watch: Callable[[], str] = str
        else:
            results, watch = stack.enter_context(
                on_cluster(work, items, where.scheduler, reads, writes, alike, events.put)
            )
        # In a thread: this one is to hear Ctrl-C, the parts and the end of a scheduler.
        threading.Thread(target=_collect, args=(results, events), daemon=True).start()
        waiting = ""
        while len(outcomes) < len(items):
            try:
                event = events.get(timeout=0.5)
            except Empty:
                before, waiting = waiting, watch()
                if waiting and not before:
                    note(waiting)
                continue
            if isinstance(event, Told):
                watched.told(event)
            elif isinstance(event, Exception):
                watch()
                raise ClusterError(f"The parts cannot go on ({type(event).__name__}: {event}). Try again.") from event
            else:
                number, outcome = event
                outcomes[number] = outcome
                watched.ended(number, outcome)
                ended(number, outcome)
    return [outcomes[number] for number in range(len(items))]


def _collect(results: Callable[[], Iterator[Any]], events: SimpleQueue[Any]) -> None:
    try:
        for result in results():
            events.put(result)
    except Exception as error:
        events.put(error)


class _Watched:
    """Keeps account of the parts."""

    def __init__(
        self,
        names: Sequence[str],
        main: str,
        progress: Callable[[Standing], None],
        note: Callable[[str], None],
    ) -> None:
        self._names, self._main, self._progress, self._note = names, main, progress, note
        self._noted: set[str] = set()
        self._at_work: dict[int, float] = {}  # shares of the parts that are begun: few, where there are many parts
        self._done: set[int] = set()
        self._start = time.monotonic()

    def told(self, told: Told) -> None:
        name = self._names[told.number]
        if told.note:
            if told.note not in self._noted:  # that features cannot be kept, all parts would tell
                self._noted.add(told.note)
                self._note(f"{name}: {told.note}" if len(self._names) > 1 else told.note)
            return
        if told.stage == self._main and told.total and told.number not in self._done:
            # What comes after it takes its time, too.
            self._at_work[told.number] = min(0.95, told.done / told.total)
        self._tell(told)

    def ended(self, number: int, outcome: Any) -> None:
        self._at_work.pop(number, None)
        self._done.add(number)
        if isinstance(outcome, Failure) and len(self._names) > 1:
            self._note(f"{self._names[number]} failed. {outcome.error}")
        self._tell(Told(number))

    def _tell(self, told: Told) -> None:
        ended, parts = len(self._done), len(self._names)
        share = ended + sum(self._at_work.values())
        left = (time.monotonic() - self._start) * (parts - share) / share if share else None
        self._progress(
            Standing(
                self._names[told.number],
                told.number + 1,
                parts,
                told.stage,
                told.done,
                told.total,
                told.detail,
                ended,
                share,
                left,
            )
        )


def check_installed(alike: Alike) -> None:
    """Find what a sweep needs, wherever it is.

    Raises
    ------
    DependencyError
        If a package is missing.
    """
    if missing := [name for name in FOR_PARTS if importlib.util.find_spec(name) is None]:
        raise DependencyError(
            f"Work in parts needs the package {' and '.join(missing)}. "
            f"Install it with: pip install 'edge-asd[{alike.extra}]'"
        )


def results_of(parts: Sequence[tuple[str, Item]], outcomes: Sequence[Result | Failure], further: str) -> list[Result]:
    """Return the results where no part has failed.

    Parameters
    ----------
    parts : sequence of (str, object)
        As in `sweep`, which has returned `outcomes`.
    outcomes : sequence
    further : str
        Says what is kept, and what to do next.

    Raises
    ------
    SweepError
        If some parts have failed. A single part's own error is raised as it is.
    """
    failed = [
        (name, outcome.error)
        for (name, _), outcome in zip(parts, outcomes, strict=True)
        if isinstance(outcome, Failure)
    ]
    if not failed:
        return [outcome for outcome in outcomes if not isinstance(outcome, Failure)]
    if len(parts) == 1:
        raise failed[0][1]
    told = " ".join(f"{name}: {error}" for name, error in failed[:_TOLD])
    more = f" And {len(failed) - _TOLD} more, told above." if len(failed) > _TOLD else ""
    raise SweepError(f"{len(failed)} of {len(parts)} parts failed. {told}{more} {further}") from failed[0][1]
