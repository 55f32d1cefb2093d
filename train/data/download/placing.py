"""Putting an archive's files into the data set: unpacked beside it, then moved; never over a file of the user's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from edge_asd.errors import DataError, OutputError
from edge_asd.own_set import is_own
from edge_asd.train.data.download.archives import opened, unpack
from edge_asd.train.data.download.layout import Layout, lay_out
from edge_asd.train.data.download.placed import Placed, stamp
from edge_asd.train.data.download.space import check_room
from edge_asd.train.data.marker import read_marker

_SHOWN = 3


def place(
    archive: Path,
    data: Path,
    work: Path,
    *,
    record: int,
    md5: str,
    machine: str | None,
    older: list[Placed],
    go_on: Callable[[], bool],
    progress: Callable[[int, int], None],
) -> tuple[Placed, Layout]:
    """Put the files of an archive into a data set.

    A file that is there already with the same contents stays. One that `older` revisions of the archive placed, and
    that has not been changed since, is replaced; what they had and this one has not is removed.

    Parameters
    ----------
    archive : Path
    data : Path
        The data set.
    work : Path
        A folder on the same file system, to unpack in; it is emptied first.
    record : int
    md5 : str
        What is kept of where the files are from.
    machine : str or None
        See `lay_out`.
    older : list of Placed
    go_on : callable
        Tells whether to go on; `Stopped` is raised where not.
    progress : callable
        Told how many of how many files are unpacked.

    Raises
    ------
    RefusedArchiveError
        If the archive is refused; then nothing is placed.
    DataError
        If files of other contents are in the way; then nothing is placed.
    OutputError
        If the data set cannot be written.
    """
    where = archive.name
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        with opened(archive) as (zipped, members):
            layout = lay_out(members, where, machine)
            refuse_made_here(data, layout.machines)
            files = {name: (member.info.file_size, member.info.CRC) for name, member in layout.places.items()}
            ours = {name: found for placed in older for name, found in placed.files.items()}
            there = _standing(data, files, ours, where)
            wanted = [name for name in files if name not in there]
            check_room(data, sum(files[name][0] for name in wanted), f"what {where} unpacks to")
            for i, name in enumerate(wanted):
                target = work / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    unpack(zipped, layout.places[name], file, where, go_on)
                progress(i + 1, len(wanted))
        for name in ours:
            if name in files and name not in there:
                (data / name).unlink(missing_ok=True)
        _merge(work, data, where)
        for name in sorted(set(ours) - set(files)):
            with suppress(OSError):
                if stamp(data / name) == ours[name]:
                    (data / name).unlink()
        os.sync()  # what the record says is there, is: once for thousands of files
    except OSError as error:
        raise OutputError(
            f"The files of {where} cannot be written into {data}: {error.strerror or error}"
            f"{f' ({error.filename})' if error.filename else ''}. Free some space, or choose another --out; the same "
            "command goes on from here."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Placed(record, where, md5, files), layout


def refuse_made_here(data: Path, machines: Iterable[str]) -> None:
    """Refuse to mix published clips with a user's own, or with made-up ones.

    Raises
    ------
    DataError
        If a machine's folder is marked as either.
    """
    for machine in machines:
        folder = data / machine
        if is_own(folder) or read_marker(folder) is not None:
            raise DataError(
                f"{folder} holds clips that were made with edge-asd, not published ones: they are not mixed. Choose "
                "another --out."
            )


def _standing(data: Path, files: dict[str, tuple[int, int]], ours: dict[str, tuple[int, int]], where: str) -> set[str]:
    """Return what is there already; refuse to touch what is there with other contents."""
    there, in_the_way = set(), []
    for name, expected in files.items():
        path = data / name
        if not os.path.lexists(path):
            in_the_way += _file_above(data, name)
        elif (found := stamp(path)) == expected:
            there.add(name)
        elif found is None or found != ours.get(name):
            in_the_way.append(name)
    if in_the_way:
        some = ", ".join(in_the_way[:_SHOWN]) + (", ..." if len(in_the_way) > _SHOWN else "")
        raise DataError(
            f"{len(in_the_way):,} of the {len(files):,} files of {where} are in {data} with other contents ({some}). "
            "Nothing of yours is overwritten: move them away, or choose another --out."
        )
    return there


def _file_above(data: Path, name: str) -> list[str]:
    """Return what stands where a folder is needed."""
    above = [data / parent for parent in Path(name).parents if parent != Path(".")]
    return [str(path.relative_to(data)) for path in above if os.path.lexists(path) and not path.is_dir()]


def _merge(source: Path, target: Path, where: str) -> None:
    """Move what is in a folder into another: whole folders at once where they are new."""
    for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
        place = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            if not os.path.lexists(place):
                os.rename(entry.path, place)
            else:
                _merge(Path(entry.path), place, where)
        else:
            _move(entry.path, place, where)


def _move(source: str, place: Path, where: str) -> None:
    """Move a file to a place where none is: one that has come in the meantime stays, and is an error."""
    try:
        os.link(source, place)
    except FileExistsError as error:
        raise DataError(f"{place} was made while {where} was unpacked. It was left alone; try again.") from error
    except OSError:  # a file system without links
        if os.path.lexists(place):
            raise DataError(f"{place} was made while {where} was unpacked. It was left alone; try again.") from None
        os.rename(source, place)
    else:
        os.unlink(source)
