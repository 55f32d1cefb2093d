"""Threads that work on a list of jobs, and end when one fails for good or the user stops them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from edge_asd.train.data.download.retrying import Stopped

_LOOK = 0.2  # s
_FAREWELL = 5.0  # s


def work_on(
    jobs: Sequence[Callable[[], None]],
    threads: int,
    stop: threading.Event,
    watch: Callable[[], None],
    goes_on: Callable[[Exception], bool],
) -> list[Exception]:
    """Do jobs in threads.

    Parameters
    ----------
    jobs : sequence of callable
    threads : int > 0
    stop : threading.Event
        Set when the jobs under way should end with `Stopped`, and no other should begin.
    watch : callable
        Called in this thread every now and then.
    goes_on : callable
        Tells whether the other jobs go on after an error.

    Returns
    -------
    errors : list of Exception
        What the jobs raised, but for `Stopped`.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C is pressed; the threads have been told to stop, and had a while to do so.
    """
    waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    errors: list[Exception] = []

    def run() -> None:
        while not stop.is_set():
            try:
                waiting.get_nowait()()
            except (queue.Empty, Stopped):
                return
            except Exception as error:
                errors.append(error)
                if not goes_on(error):
                    stop.set()

    # Daemons: one that waits for a silent server must not keep the program from ending.
    crew = [threading.Thread(target=run, daemon=True) for _ in range(min(threads, len(jobs)))]
    for thread in crew:
        thread.start()
    try:
        for thread in crew:
            while thread.is_alive():
                thread.join(_LOOK)
                watch()
    except BaseException:
        stop.set()
        for thread in crew:
            thread.join(_FAREWELL / len(crew))
        raise
    return errors
