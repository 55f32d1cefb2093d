"""Text in a terminal's cells: names made harmless, cut to a width, and the glyphs that a terminal can show."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TextIO

Run = tuple[str, str]
"""Text and its tone, the name of a style; the empty tone is plain."""

Line = list[Run]

_RIGHT_TO_LEFT = {"R", "AL", "AN"}
_MOST_CHARACTERS = 500  # of one text; no terminal is that wide


@dataclass(frozen=True, slots=True, eq=False)
class Glyphs:
    """What charts and meters are drawn with.

    Attributes
    ----------
    bars : str
        A cell filled from below by 0 to 8 eighths.
    line, mark : str
        The threshold, and a place where a score was over it.
    axis, rule : str
        Borders, upright and flat.
    full, empty, peak : str
        Of a meter.
    more : str
        Stands for what was cut off.
    encoding : str
        That texts are limited to.
    """

    bars: str
    line: str
    mark: str
    axis: str
    rule: str
    full: str
    empty: str
    peak: str
    more: str
    encoding: str


UNICODE = Glyphs(" ▁▂▃▄▅▆▇█", "━", "▲", "│", "─", "█", "░", "┃", "…", "utf-8")
ASCII = Glyphs(" ...:::##", "-", "^", "|", "-", "#", ".", "!", "~", "ascii")


def glyphs_for(stream: TextIO, term: str) -> Glyphs:
    """Choose what a terminal can show; Linux's own console has no font for the finer blocks."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("_", "-")
    return UNICODE if encoding in ("utf-8", "utf8") and term != "linux" else ASCII


@lru_cache(maxsize=1024)
def clean(text: str, glyphs: Glyphs = UNICODE) -> str:
    """Make a text harmless that came from outside, as a terminal can show it on one line.

    Control characters, bytes that were not text, letters written from right to left (which make some terminals turn
    what follows about) and whatever terminals give different widths become question marks; marks that would be put
    upon other characters go.
    """
    out = []
    for character in unicodedata.normalize("NFC", text[:_MOST_CHARACTERS]):
        if character.isascii():
            out.append(character if character.isprintable() else "?")
        elif unicodedata.category(character)[0] != "M" and unicodedata.category(character) != "Cf":
            out.append(character if _sure(character) else "?")
    return (
        "".join(out)
        .replace("²", "^2" if glyphs is ASCII else "²")
        .encode(glyphs.encoding, "replace")
        .decode(glyphs.encoding)
    )


def _sure(character: str) -> bool:
    from rich.cells import cell_len

    return (
        character.isprintable()
        and unicodedata.bidirectional(character) not in _RIGHT_TO_LEFT
        and cell_len(character) == width(character)
    )


def width(text: str) -> int:
    """Count the cells [>= 0] of a cleaned text."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def fit(text: str, cells: int, glyphs: Glyphs, *, right: bool = False) -> str:
    """Cut a cleaned text to `cells`, or fill it up with spaces, before it where it stands to the `right`."""
    have = width(text)
    if have > cells:
        text = cut(text, cells, glyphs)
        have = width(text)
    return " " * (cells - have) + text if right else text + " " * (cells - have)


def cut(text: str, cells: int, glyphs: Glyphs) -> str:
    """Cut a cleaned text to at most `cells`, with a sign that it was cut."""
    if width(text) <= cells:
        return text
    if cells < 1:
        return ""
    kept, left = [], cells - 1
    for character in text:
        left -= width(character)
        if left < 0:
            break
        kept.append(character)
    return "".join(kept) + glyphs.more


def crop(line: Line, cells: int, glyphs: Glyphs) -> Line:
    """Cut a line of cleaned texts to at most `cells`."""
    out: Line = []
    left = cells
    for text, tone in line:
        if left <= 0:
            break
        text = cut(text, left, glyphs)
        left -= width(text)
        out.append((text, tone))
    return out


def wrap(text: str, cells: int, lines: int, glyphs: Glyphs) -> list[str]:
    """Break a cleaned text between words into at most so many lines of at most `cells`; the last is cut."""
    out = [""]
    for word in text.split(" "):
        longer = f"{out[-1]} {word}" if out[-1] else word
        if width(longer) <= cells or not out[-1] or len(out) == lines:
            out[-1] = longer
        else:
            out.append(word)
    return [cut(line, cells, glyphs) for line in out]


def ends(left: str, right: str, cells: int, glyphs: Glyphs) -> str:
    """Put one text at the left end of a line and one at its right; the left one is cut where both do not fit."""
    room = cells - width(right) - 1
    return f"{fit(left, room, glyphs)} {right}" if room > 0 else cut(right, cells, glyphs)
