"""Which files an exported project needs: only those whose kernels its model calls, and what they include."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from edge_asd import frontend
from edge_asd.firmware_export.c_text import LICENCE

HERE = Path(__file__).parent
CSRC = HERE / "csrc"
"""Kernels, and what decides; the files in ``detector`` need the headers that are made for a bundle."""

NETWORK, DISTANCE = "network", "distance"
"""What makes scores of sound; each has a folder of its own in that of the detector."""

_FOLDERS = (CSRC, CSRC / "detector", Path(frontend.__file__).parent / "csrc")
_HOST_ONLY = ("edge_asd_frontend_batch",)  # the front end for many frames at once

_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


def library_files(generated: Mapping[str, str], roots: Iterable[str], scores: str = NETWORK) -> dict[str, str]:
    """Collect the C files of a library: generated ones, and those of ours that they need.

    A source belongs to the header that it includes first, and comes with it.

    Parameters
    ----------
    generated : mapping of str to str
        Contents by name.
    roots : iterable of str
        Headers that the user includes.
    scores : {"network", "distance"}
        What makes them in a detector.

    Returns
    -------
    files : dict of str to str
        Contents by name, sorted.
    """
    available = {**_ours(scores), **generated}
    owners = {name: _INCLUDE.findall(text)[:1] for name, text in available.items() if name.endswith(".c")}
    wanted: set[str] = set()
    new = set(roots)
    while new:
        wanted |= new
        included = {name for each in new for name in _INCLUDE.findall(available[each])}
        sources = {name for name, owner in owners.items() if owner and owner[0] in wanted}
        new = (included | sources) - wanted
    return {name: available[name] for name in sorted(wanted)}


def public_headers(files: Mapping[str, str], roots: Iterable[str]) -> set[str]:
    """Headers that the roots include, and what those include."""
    found: set[str] = set()
    new = set(roots)
    while new:
        found |= new
        new = {name for each in new for name in _INCLUDE.findall(files[each])} - found
    return found


def _ours(scores: str) -> dict[str, str]:
    return {
        path.name: _licensed(path.read_text())
        for folder in (*_FOLDERS, CSRC / "detector" / scores)
        for path in sorted(folder.glob("edge_asd*.[ch]"))
        if not path.name.startswith(_HOST_ONLY)
    }


def _licensed(text: str) -> str:
    return text if text.startswith("/* SPDX") else LICENCE + text
