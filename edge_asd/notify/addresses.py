"""Apprise URLs: each holds a secret, so that none is ever shown, and none is kept where others may read it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from urllib.parse import unquote

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31})://(?=[^\s])")
_HOST_FIRST = {"json", "jsons", "xml", "xmls", "form", "forms"}  # where no secret stands for the host
_HOST = re.compile(r"(?:[^/?#@]*@)?([A-Za-z0-9.-]+(?::[0-9]+)?)(?=[/?#]|$)")
_SHORTEST_SECRET = 3
_ANY_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)\S+")


def key_of(url: str) -> str:
    """Return what the queue calls a URL by, from which the URL cannot be had again."""
    return hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def masked(url: str) -> str:
    """Return what may be shown of a URL: its scheme, and the host where that is no secret.

    Examples
    --------
    >>> masked("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    'slack://...'
    >>> masked("json://user:password@pi.local:8080/token")
    'json://pi.local:8080/...'
    """
    found = SCHEME.match(url)
    if found is None:
        return "..."
    scheme = found[1].lower()
    host = _HOST.match(url, found.end()) if scheme in _HOST_FIRST else None
    return f"{scheme}://{host[1]}/..." if host else f"{scheme}://..."


def label(number: int, url: str) -> str:
    """Name a URL in messages by its place among the others, counted from 1.

    Examples
    --------
    >>> label(2, "mailtos://user:password@example.com")
    'notification URL 2 (mailtos://...)'
    """
    return f"notification URL {number} ({masked(url)})"


def scrubbed(text: str, urls: Iterable[str]) -> str:
    """Take all parts of the URLs out of others' words, and what follows the scheme of any URL."""
    parts: set[str] = set()
    for url in urls:
        rest = SCHEME.sub("", url, count=1)
        for piece in (rest, unquote(rest)):
            parts.update(re.split(r"[/:@?&=#,;+]+", piece))
            parts.add(piece)
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SHORTEST_SECRET:
            text = text.replace(part, "***")
    return _ANY_URL.sub(r"\1***", text)
