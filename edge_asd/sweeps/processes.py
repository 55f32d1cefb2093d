"""Parts in processes of this computer, one process for each job.

Each is a pool of its own: of a pool with several processes, all are lost with the first that is killed.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from edge_asd import threads
from edge_asd.errors import SweepError, in_words
from edge_asd.sweeps.parts import Failure, Item, Result, Told, Voice, Work, attempt

RETRIES = 3
"""How often a part is begun again whose process was killed; as often as Dask does."""

_POLL_S = 0.1
_EVERY_S = 0.25

Done = tuple[int, Any]
"""A part's number, and its result or `Failure`."""


@contextmanager
def in_processes(
    work: Work[Item, Result],
    items: Sequence[Item],
    jobs: int,
    send: Callable[[Told], None],
    seats: Sequence[Seat] = (),
) -> Iterator[Callable[[], Iterator[Done]]]:
    """Give a function that yields the parts as they are done; at the end the processes are stopped, done or not.

    Parameters
    ----------
    work : callable
    items : sequence
    jobs : int > 0
        Parts at a time.
    send : callable
        Gets what the parts tell, from any thread.
    seats : sequence of Seat, optional
        Those of `seated`, which go on afterwards, in place of new ones.
    """
    free: SimpleQueue[Seat] = SimpleQueue()

    def one(number: int) -> Done:
        seat = free.get()
        try:
            return number, seat.run(work, number, items[number], send)
        finally:
            free.put(seat)

    def results() -> Iterator[Done]:
        from joblib import Parallel, delayed

        # Threads of this process wait for the processes of the seats.
        run = Parallel(n_jobs=jobs, backend="threading", return_as="generator_unordered", batch_size=1)
        yield from run(delayed(one)(number) for number in range(len(items)))

    with nullcontext(seats) if seats else seated(jobs) as taken:
        for seat in taken[:jobs]:
            free.put(seat)
        yield results


@contextmanager
def seated(jobs: int) -> Iterator[Sequence[Seat]]:
    """Give so many seats; at the end their processes are stopped, whatever they do."""
    seats = [Seat(max(1, threads.available() // jobs)) for _ in range(jobs)]
    try:
        yield seats
    finally:
        for seat in seats:
            seat.close()


class Seat:
    """A place for one process, in which one part after another is worked on.

    Parameters
    ----------
    share : int > 0
        Threads that parts may use.
    """

    def __init__(self, share: int) -> None:
        self._share = share
        self._executor: Any = None
        self._reader: Connection | None = None
        self._closed = False
        self._lock = threading.Lock()

    def run(self, work: Work[Item, Result], number: int, item: Item, send: Callable[[Told], None]) -> Result | Failure:
        """Work on a part, and begin again where the process is killed."""
        from joblib.externals.loky.process_executor import BrokenProcessPool

        for left in range(RETRIES, -1, -1):
            process = ""
            try:
                with self._lock:
                    if self._closed:
                        break
                    executor, reader = self._open()
                    # Ctrl-C reaches all processes, and the first one stops the others. They inherit what this thread
                    # blocks: while they start, they would answer with a traceback. To start the tracker unblocks it.
                    resource_tracker.ensure_running()
                    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
                    future = executor.submit(_work, work, number, item, self._share)
                    process = ", ".join(map(str, executor._processes))
                while not future.done():
                    _hear(reader, send, _POLL_S)
                outcome: Result | Failure = future.result()
            except BrokenProcessPool:
                with self._lock:
                    self._stop()
                if process and left and not self._closed:
                    send(Told(number, note=f"its process ({process}) was killed. It is begun again."))
                continue
            except Exception as error:  # what cannot go from one process to another
                return Failure(SweepError(in_words(error)))
            _hear(reader, send, 0)
            return outcome
        return Failure(
            SweepError(
                f"Its process was killed {RETRIES + 1} times before it was done. If the memory does not suffice, use "
                "fewer --jobs."
            )
        )

    def close(self) -> None:
        """Stop the process, whatever it does."""
        with self._lock:
            self._closed = True
            self._stop()

    def _open(self) -> tuple[Any, Connection]:
        from joblib.externals.loky import ProcessPoolExecutor
        from joblib.externals.loky.backend.context import get_context

        if self._executor is None or self._reader is None:
            self._reader, writer = get_context("loky").Pipe(duplex=False)
            self._executor = ProcessPoolExecutor(
                max_workers=1,
                context=get_context("loky"),
                initializer=_begin,
                initargs=(writer, os.getpid()),
            )
            self._writer = writer
        return self._executor, self._reader

    def _stop(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None
        if self._reader is not None:
            self._reader.close()
            self._writer.close()
            self._reader = None


def _hear(reader: Connection, send: Callable[[Told], None], seconds: float) -> None:
    """Pass on what a process tells, and wait for its first word."""
    try:
        while reader.poll(seconds):
            send(reader.recv())
            seconds = 0
    except (EOFError, OSError):  # it was killed in the middle of a word
        time.sleep(seconds)


_writer: Connection | None = None


def _begin(writer: Connection, parent: int) -> None:
    """Prepare the new process."""
    global _writer
    _writer = writer

    def follow() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    # Killed itself, the first one stops nobody.
    threading.Thread(target=follow, daemon=True).start()


def _work(work: Work[Item, Result], number: int, item: Item, share: int) -> Result | Failure:
    """Run in the process: work on one part."""
    assert _writer is not None
    return attempt(work, item, Voice(number, _writer.send, _EVERY_S), share)
