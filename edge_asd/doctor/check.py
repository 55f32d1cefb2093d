"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """What was found.

    Attributes
    ----------
    name : str
    ok : bool
        Nothing needs to be done.
    found : str
        In a few words.
    advice : str or None
        What to do, or could be done.
    """

    name: str
    ok: bool
    found: str
    advice: str | None = None


def good(name: str, found: str, advice: str | None = None) -> Check:
    """Nothing needs to be done; `advice` tells what could be."""
    return Check(name, True, found, advice)


def bad(name: str, found: str, advice: str) -> Check:
    """Something needs to be done."""
    return Check(name, False, found, advice)
