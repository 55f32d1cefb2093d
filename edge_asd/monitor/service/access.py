"""Whether the user that a service runs as gets to a file, and what is in the way."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from edge_asd.errors import ConfigError
from edge_asd.files import printable

READ, WRITE, ENTER = 4, 2, 1

_MOST_LINKS = 40


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose rights are asked for.

    Attributes
    ----------
    uid : int or None
        None for a user that does not exist yet, and so owns nothing.
    groups : frozenset of int
    """

    uid: int | None
    groups: frozenset[int]

    @classmethod
    def named(cls, user: str | None, groups: Iterable[str] = ()) -> Person:
        """Return the user of this name, or a new one, who is in these groups, too.

        Raises
        ------
        ConfigError
            If there is no such user or group.
        """
        ids = set()
        for name in groups:
            try:
                ids.add(grp.getgrnam(name).gr_gid)
            except KeyError:
                raise ConfigError(
                    f"There is no group {name} here, whose members may use sound cards. "
                    f"Add it: groupadd --system {name}"
                ) from None
        if user is None:
            return cls(None, frozenset(ids))
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            raise ConfigError(
                f"There is no user {user} here. Make one (useradd --system {user}), or leave --user out."
            ) from None
        return cls(entry.pw_uid, frozenset({*ids, *os.getgrouplist(user, entry.pw_gid)}))

    def may(self, status: os.stat_result, wanted: int) -> bool:
        """Tell whether the mode bits grant `wanted`; access control lists are not looked at."""
        if self.uid == 0:
            return True
        if self.uid == status.st_uid:
            bits = status.st_mode >> 6
        elif status.st_gid in self.groups:
            bits = status.st_mode >> 3
        else:
            bits = status.st_mode
        return bits & wanted == wanted


class Obstacle(NamedTuple):
    """What is in the way, and how to mend it; sentences without their full stops."""

    what: str
    mend: str

    def __str__(self) -> str:
        """Say both."""
        return f"{self.what}. {self.mend}"


def obstacle(path: Path, who: Person, hidden: Iterable[Path] = (), wanted: int = READ) -> Obstacle | None:
    """Return what keeps somebody from a file or folder; None if nothing does.

    Parameters
    ----------
    path : Path
        Absolute.
    who : Person
    hidden : iterable of Path
        Folders that the service does not see, whatever their modes.
    wanted : int
        `READ`, `WRITE` and `ENTER`, added up. A folder that is read is entered, too.
    """
    hidden = tuple(hidden)
    try:
        for place, status, last in _steps(path):
            if any(place.is_relative_to(folder) for folder in hidden):
                return Obstacle(f"{_named(path, place)} is hidden from the service", "Move it, as to /etc/edge-asd")
            folder = stat.S_ISDIR(status.st_mode)
            need = (wanted | (ENTER if folder else 0)) if last else ENTER
            if stat.S_ISLNK(status.st_mode) or who.may(status, need):
                continue
            letters = "".join(letter for bit, letter in ((READ, "r"), (WRITE, "w"), (ENTER, "x")) if need & bit)
            verb = "used" if need == ENTER else "written" if need & WRITE else "read"
            mode = f"{stat.S_IMODE(status.st_mode):04o}"
            return Obstacle(
                f"{_named(path, place)} cannot be {verb} by the service's user (mode {mode})",
                f"Move it, or: chmod o+{letters} {quote(printable(str(place)))}",
            )
    except OSError as error:
        return Obstacle(f"{printable(str(path))}: {error.strerror or error}", "Check its name")
    return None


def _named(path: Path, place: Path) -> str:
    return printable(str(path)) if place == path else f"{printable(str(path))}: {printable(str(place))}"


def _steps(path: Path) -> Iterator[tuple[Path, os.stat_result, bool]]:
    """Go from the root to a file through each folder and link, as the kernel does; the last step is marked."""
    todo = list(reversed(path.parts[1:]))
    here, links = Path("/"), 0
    yield here, os.lstat(here), not todo
    while todo:
        part = todo.pop()
        if part == "..":
            here = here.parent
            continue
        status = os.lstat(here / part)
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise OSError(40, "Too many levels of symbolic links", str(path))
            target = Path(os.readlink(here / part))
            if target.is_absolute():
                here = Path("/")
                todo += reversed(target.parts[1:])
            else:
                todo += reversed(target.parts)
            continue
        here = here / part
        yield here, status, not todo
