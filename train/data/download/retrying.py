"""Trying again what may pass: how often, how long between, and what the server asks for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event, Lock
from typing import TypeVar

from edge_asd.errors import DownloadError

_T = TypeVar("_T")


class Stopped(Exception):
    """The download was told to stop; whoever told so knows why."""


class PassingError(Exception):
    """What went wrong may pass by itself.

    Parameters
    ----------
    text : str
        What went wrong, as the end of a sentence.
    after : float >= 0 [s] or None
        How long the server asks to wait.
    """

    def __init__(self, text: str, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


class NoServerError(PassingError):
    """No connection could be made at all: the server's name is not known, or nobody listens there."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is given.

    Attributes
    ----------
    attempts : int > 0
        In a row, none of which brings the work forward.
    few : int > 0
        The same for a small document, and for a server that was never reached: who has no network, or another than he
        thinks, should know soon.
    first_wait, longest_wait : float > 0 [s]
        Before the second attempt, doubled from one to the next, and the bound of it.
    longest_asked : float > 0 [s]
        The longest wait that a server may ask for; where it asks for more, the download ends.
    connect, read : float > 0 [s]
        How long a connection, and then the next bytes, may take.
    restarts : int > 0
        Times that a whole file is fetched because its checksum is wrong.
    """

    attempts: int = 8
    few: int = 4
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_asked: float = 900.0
    connect: float = 20.0
    read: float = 60.0
    restarts: int = 3

    def wait(self, failures: int) -> float:
        """Return how long to wait after a number of failures: between half and all of the bound, by chance."""
        bound = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 30))
        return bound * random.uniform(0.5, 1.0)  # so that several do not come back all at once


class Turnstile:
    """Lets attempts through: none after a stop, none before the time that the server asked to wait for.

    What one server asks of one request it asks of all: all threads wait.
    """

    def __init__(self, stop: Event) -> None:
        self.stop = stop
        self._lock, self._not_before = Lock(), 0.0

    def hold(self, seconds: float) -> None:
        """Let nobody through for a while."""
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises
        ------
        Stopped
            If the download was told to stop.
        """
        if self.stop.wait(seconds):
            raise Stopped

    def enter(self) -> None:
        """Wait for as long as the server asked.

        Raises
        ------
        Stopped
            If the download was told to stop.
        """
        self.pause(0)
        while (left := self._not_before - time.monotonic()) > 0:
            self.pause(left)


def persist(
    what: str,
    once: Callable[[], _T],
    *,
    patience: Patience,
    turnstile: Turnstile,
    gained: Callable[[], bool] = lambda: False,
    reached: Callable[[], bool] = lambda: True,
    waiting: Callable[[str], None] = lambda text: None,
) -> _T:
    """Do something until it succeeds.

    Parameters
    ----------
    what : str
        What messages call it.
    once : callable
        One attempt; raises `PassingError` where another is worth while.
    patience : Patience
    turnstile : Turnstile
    gained : callable, optional
        Tells whether the last attempt brought the work forward: then the count begins anew.
    reached : callable, optional
        Tells whether the server has ever answered.
    waiting : callable, optional
        Told what is being waited for, and "" when the wait is over.

    Raises
    ------
    DownloadError
        If it failed too often, or the server asks for a longer wait than `patience` has.
    Stopped
        If the download was told to stop.
    """
    failures = 0
    while True:
        turnstile.enter()
        try:
            return once()
        except PassingError as trouble:
            failures = 1 if gained() else failures + 1
            never = isinstance(trouble, NoServerError) and not reached()
            attempts = min(patience.attempts, patience.few) if never else patience.attempts
            if failures >= attempts:
                raise DownloadError(
                    f"{what}: {trouble}. That was the last of {attempts} attempts. Check the network, or try "
                    "later: the same command goes on where this one ended."
                ) from trouble
            asked = trouble.after or 0.0
            if asked > patience.longest_asked:
                raise DownloadError(
                    f"{what}: {trouble}, and asks to wait for {asked / 60:.0f} minutes. Try again then: the same "
                    "command goes on where this one ended."
                ) from trouble
            if asked:
                turnstile.hold(asked)
            wait = max(asked, patience.wait(failures))
            waiting(f"{what}: {trouble}; waiting {wait:.0f} s")
            turnstile.pause(wait)
            waiting("")


def retry_after(text: str | None) -> float | None:
    """Read the header Retry-After: seconds, or a date; None where it is missing or cannot be read.

    >>> retry_after("120"), retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), retry_after("soon")
    (120.0, 0.0, None)
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
