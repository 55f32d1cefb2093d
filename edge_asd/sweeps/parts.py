"""A part of a sweep: what it tells while it is worked on, and what comes of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from edge_asd.errors import EdgeAsdError, SweepError, in_words
from edge_asd.threads import bounded

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Told:
    """What a part tells: a step of its work, or a note for the user.

    Attributes
    ----------
    number : int
        The part's, from 0 on.
    stage : str
        What is being done.
    done, total : int
        How far it is; 0 of 0 where that is not known.
    detail : str
    note : str
        A sentence for the user, and no step.
    """

    number: int
    stage: str = ""
    done: int = 0
    total: int = 0
    detail: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A part that came to nothing, and why."""

    error: EdgeAsdError


class Voice:
    """Handed to a part's work, to tell how far it is.

    Parameters
    ----------
    number : int
        The part's.
    send : callable
        Brings it to whoever started the sweep.
    every : float >= 0 [s]
        Of the steps of a stage, the first is sent, the last, and one so often between them.
    """

    def __init__(self, number: int, send: Callable[[Told], None], every: float = 0.0) -> None:
        self._number, self._send, self._every = number, send, every
        self._stage, self._next = "", 0.0

    def step(self, stage: str, done: int = 0, total: int = 0, detail: str = "") -> None:
        """Tell a step."""
        now = time.monotonic()
        if stage == self._stage and now < self._next and (done != total or not total):
            return
        self._stage, self._next = stage, now + self._every
        self._send(Told(self._number, stage, done, total, detail))

    def note(self, text: str) -> None:
        """Tell the user something."""
        self._send(Told(self._number, note=text))


Work = Callable[[Item, Voice], Result]
"""Does one part; a function of a module, or a `functools.partial` of one, so that other processes find it."""


def attempt(work: Work[Item, Result], item: Item, voice: Voice, share: int | None = None) -> Result | Failure:
    """Work on a part in this process; what goes wrong is its result, so that others go on.

    Parameters
    ----------
    work : callable
    item : object
    voice : Voice
    share : int > 0, optional
        See `edge_asd.threads.bounded`.
    """
    try:
        with bounded(share):
            return work(item, voice)
    except EdgeAsdError as error:
        return Failure(error)
    except Exception as error:
        told = SweepError(in_words(error))
        told.add_note("".join(traceback.format_exception(error)))  # which --debug shows; error may not cross processes
        return Failure(told)
