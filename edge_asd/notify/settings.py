"""Who is told of what, and how often."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_asd.notify.addresses import SCHEME, key_of

URLS_VARIABLE = "EDGE_ASD_NOTIFY_URLS"
"""The environment variable that may hold URLs, between white space, so that secrets need not lie in a file."""

EVENTS = ("alarm", "escalated", "cleared", "signal-lost", "dead")
"""Events that people are told of by default."""

MAX_URLS = 16
MAX_URL_LENGTH = 2000

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Who is told of what, and how often.

    Attributes
    ----------
    urls : tuple of str
        Apprise URLs (https://github.com/caronc/apprise/wiki), 1 to 16. They are secrets, and no part of the `repr`.
    events : tuple of str
        Names of the events that are told.
    max_per_source : int, 1 to 1000
        Messages about one source in any `period_s`; those beyond are summed up in one.
    period_s : float, 1 to 86400 [s]
    max_queue : int, 1 to 100000
        Messages that wait at most; the oldest is dropped for a new one, and the loss told.
    max_queue_bytes : int, 65536 to 1 GiB
        Their size at most.
    send_timeout_s : float, 1 to 600 [s]
        A service that has not answered by then has failed.
    retry_first_s, retry_max_s : float [s], 0.01 to 86400
        The pause after a failure; it doubles with each one, up to `retry_max_s`.

    Raises
    ------
    ValueError
        If one is out of its range; the message shows no URL.
    """

    urls: tuple[str, ...] = field(repr=False)
    events: tuple[str, ...] = EVENTS
    max_per_source: int = 10
    period_s: float = 600.0
    max_queue: int = 1000
    max_queue_bytes: int = 4 << 20
    send_timeout_s: float = 30.0
    retry_first_s: float = 5.0
    retry_max_s: float = 300.0

    def __post_init__(self) -> None:
        check_urls(self.urls)
        for name in self.events:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r:.60} is no event's name, such as {EVENTS[0]} or signal-lost")
        for name, low, high in (
            ("max_per_source", 1, 1000),
            ("period_s", 1, 86400),
            ("max_queue", 1, 100_000),
            ("max_queue_bytes", 64 << 10, 1 << 30),
            ("send_timeout_s", 1, 600),
            ("retry_first_s", 0.01, 86400),
            ("retry_max_s", 0.01, 86400),
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise ValueError(f"{name} cannot be {value}; use {low} to {high}")
        if self.retry_first_s > self.retry_max_s:
            raise ValueError(f"retry_first_s ({self.retry_first_s}) cannot be more than retry_max_s")

    @property
    def keys(self) -> tuple[str, ...]:
        """What the queue calls the URLs by."""
        return tuple(map(key_of, self.urls))

    def retry_after(self, failures: int) -> float:
        """Return the pause after so many failures in a row [s]."""
        return float(min(self.retry_max_s, self.retry_first_s * 2.0 ** min(failures - 1, 60)))


def check_urls(urls: tuple[str, ...]) -> None:
    """Refuse what cannot be a list of Apprise URLs.

    Raises
    ------
    ValueError
        Telling the place of the wrong one, and nothing of its text.
    """
    if not 1 <= len(urls) <= MAX_URLS:
        raise ValueError(f"there are {len(urls)} notification URLs; use 1 to {MAX_URLS}")
    for number, url in enumerate(urls, 1):
        if len(url) > MAX_URL_LENGTH:
            raise ValueError(f"notification URL {number} is longer than {MAX_URL_LENGTH} characters")
        if not url.isprintable() or not SCHEME.match(url):
            raise ValueError(f"notification URL {number} is no Apprise URL, such as ntfy://topic or mailto://...")
    if len(set(urls)) < len(urls):
        twice = next(i for i, url in enumerate(urls, 1) if url in urls[: i - 1])
        raise ValueError(f"notification URL {twice} is there twice")


def urls_from_environment(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the URLs that the environment names, each once."""
    return tuple(dict.fromkeys(environment.get(URLS_VARIABLE, "").split()))
