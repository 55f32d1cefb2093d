"""Ending several things at the same time, where each may take a moment and none may wait for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

Call = Callable[[], Any]


def end_together(calls: Iterable[Call]) -> None:
    """Make all calls at the same time, each in a thread, and wait for them; raise what the first of them raised."""
    errors: list[BaseException] = []

    def run(call: Call) -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,), name="ending", daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@contextmanager
def inside(*parts: AbstractContextManager[Any], at_once: bool) -> Iterator[None]:
    """Enter some contexts in their order; leave them from the last to the first, or all `at_once`."""
    leave: list[Call] = []
    try:
        for part in parts:
            part.__enter__()
            leave.insert(0, partial(part.__exit__, None, None, None))
        yield
    finally:
        if at_once:
            end_together(leave)
        else:
            for call in leave:
                call()
