"""What is wanted, and which archives of which records that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_asd.errors import DataError
from edge_asd.strict_json import Json
from edge_asd.train.data.download.archive_names import is_of, machine_of, newest
from edge_asd.train.data.download.records import MIMII_DUE, PARTS, RECORDS, RecordFile, parse_record


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched.

    Attributes
    ----------
    year : int
        One of `RECORDS`.
    parts : tuple of str
        Of `PARTS`, or `MIMII_DUE` alone.
    machines : tuple of str
        None of them: all that there are.
    record : int or None
        The record to take for the one part, instead of the known one.
    """

    year: int
    parts: tuple[str, ...]
    machines: tuple[str, ...] = ()
    record: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One archive that is wanted.

    Attributes
    ----------
    part : str
    record : int
    file : RecordFile
    machine : str or None
        None where the archive's name does not tell.
    replaces : tuple of str
        Archives of the record that this one takes the place of.
    """

    part: str
    record: int
    file: RecordFile
    machine: str | None
    replaces: tuple[str, ...]


def wanted(year: int, parts: Sequence[str], machines: Sequence[str], record: int | None) -> Wanted:
    """Read a choice of parts and machines: names, or "all".

    Returns
    -------
    wanted : Wanted

    Raises
    ------
    DataError
        If the choice cannot be met.
    """
    if year not in RECORDS:
        raise DataError(f"There is no set of {year}. Years: {min(RECORDS)} to {max(RECORDS)}.")
    chosen = list(dict.fromkeys(parts))
    if "all" in chosen:
        chosen = list(PARTS)
    known = (*PARTS, *([MIMII_DUE] if MIMII_DUE in RECORDS[year] else []))
    if strange := [part for part in chosen if part not in known]:
        raise DataError(f"{year} has no part {strange[0]!r}. Choose from: {', '.join(known)}, all.")
    if MIMII_DUE in chosen and len(chosen) > 1:
        raise DataError(f"{MIMII_DUE} holds clips that the other parts of {year} have, too. Fetch it alone.")
    if record is not None and len(chosen) != 1:
        raise DataError("--record is the record of one part. Say which with --part.")
    names = [] if "all" in machines else list(dict.fromkeys(machines))
    if bad := [name for name in names if not name or not name.isprintable() or set(name) & set("/\\")]:
        raise DataError(f"{bad[0]!r} is not the name of a machine. Names are such as fan, or all.")
    return Wanted(year, tuple(chosen), tuple(names), record)


def make_plan(choice: Wanted, document: Callable[[int], tuple[Json, str]]) -> tuple[list[Item], list[str]]:
    """Find the archives of a choice.

    Parameters
    ----------
    choice : Wanted
    document : callable
        Returns a record's JSON, and what messages call it.

    Returns
    -------
    items : list of Item
    notes : list of str

    Raises
    ------
    DataError
        If no archive is of a machine that was named.
    DownloadError
        If a record cannot be read.
    """
    items: list[Item] = []
    notes: list[str] = []
    there: list[str] = []
    for part in choice.parts:
        record = choice.record or RECORDS[choice.year][part]
        listed, where = document(record)
        revisions = newest(parse_record(listed, record, where))
        there += [machine_of(file.name) or file.name for file in revisions]
        for file, replaces in revisions.items():
            if choice.machines and not any(is_of(file.name, machine) for machine in choice.machines):
                continue
            items.append(Item(part, record, file, machine_of(file.name), tuple(replaces)))
            if replaces:
                notes.append(f"{file.name} takes the place of {', '.join(replaces)}, which is not fetched.")
        for machine in choice.machines:
            if not any(is_of(file.name, machine) for file in revisions):
                notes.append(f"There are no {part} clips of {machine} in {choice.year}.")
    for machine in choice.machines:
        if not any(is_of(item.file.name, machine) for item in items):
            raise DataError(
                f"{', '.join(choice.parts)} of {choice.year} has no machine {machine!r}. It has: "
                f"{', '.join(sorted(set(there), key=str.casefold))}."
            )
    return items, notes
