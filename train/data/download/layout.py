"""Where an archive's files belong in a data set: ``MACHINE/FOLDER/CLIP``, whatever folders it puts around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from edge_asd.clips import FOLDERS, SUFFIXES
from edge_asd.own_set import OWN_FILES
from edge_asd.train.data.download.archives import Member, RefusedArchiveError, alike
from edge_asd.train.data.marker import MARKER

CLIP_FOLDERS = frozenset({*FOLDERS, "test", "supplemental"})
"""Folders that clips lie in, in any year's sets."""

_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db")
_MARKS = {(name,) for name in (MARKER, *OWN_FILES)}
"""What tells a machine made up by this program, or recorded by its user, from a published one."""

_MACHINE = re.compile(r"\w[\w .+-]*")


@dataclass(frozen=True, slots=True)
class Layout:
    """What goes where.

    Attributes
    ----------
    places : dict of str to Member
        By path relative to the data set.
    machines : list of str
    left_out : list of str
        Files that belong to no machine, and marks of this program.
    """

    places: dict[str, Member]
    machines: list[str]
    left_out: list[str]


def lay_out(members: Sequence[Member], where: str, machine: str | None) -> Layout:
    """Find out what belongs where.

    A clip's folder is one of `CLIP_FOLDERS`, and the folder above it is the machine; what else lies in a machine's
    folder (attributes, for instance) keeps its place there.

    Parameters
    ----------
    members : sequence of Member
    where : str
        What messages call the archive.
    machine : str or None
        The machine of clips whose folder has none above it, where the archive's name tells.

    Raises
    ------
    RefusedArchiveError
        If there are no clips, or two files would lie in one place.
    """
    kept = [member for member in members if not any(_is_litter(part) for part in member.parts)]
    bases = {base for member in kept if (base := _base(member)) is not None}
    if not bases:
        raise RefusedArchiveError(
            f"{where} holds no clips in folders such as fan/train or fan/test. It was refused; is it one of these sets?"
        )
    places: dict[str, Member] = {}
    left_out: list[str] = []
    taken: dict[str, str] = {}
    for member in kept:
        base = next((member.parts[:n] for n in range(len(member.parts)) if member.parts[:n] in bases), None)
        if base is None or member.parts[len(base) :] in _MARKS:
            left_out.append(member.name)
            continue
        name = base[-1] if base else machine
        if name is None or name in CLIP_FOLDERS or not _MACHINE.fullmatch(name):
            raise RefusedArchiveError(
                f"{where} does not tell which machine {member.name!r:.120} is of. It was refused."
            )
        place = str(PurePosixPath(name, *member.parts[len(base) :]))
        if (other := taken.setdefault(alike(place), member.name)) != member.name:
            raise RefusedArchiveError(
                f"{where} holds two files for one place, {other!r:.120} and {member.name!r:.120}. Refused."
            )
        places[place] = member
    left_out += [member.name for member in members if member not in kept]
    return Layout(places, sorted({place.split("/")[0] for place in places}), sorted(left_out))


def _base(member: Member) -> tuple[str, ...] | None:
    """Return the path of the machine's folder that a clip lies below; None for what is no clip."""
    *folders, name = member.parts
    if not folders or folders[-1] not in CLIP_FOLDERS or not name.lower().endswith(SUFFIXES):
        return None
    return tuple(folders[:-1])


def _is_litter(part: str) -> bool:
    """Tell what the systems that archives are made on leave in them."""
    return part in _LITTER or part.startswith(".")
