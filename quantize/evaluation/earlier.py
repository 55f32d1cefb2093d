"""What an earlier evaluation left in the folder of results."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from edge_asd.errors import OutputError
from edge_asd.files import printable
from edge_asd.strict_json import read_object
from edge_asd.train.figures.score_files import scores_there

DOCUMENT = "evaluation.json"
"""The document that an evaluation writes last, and that its folder is known by."""

_LARGEST = 1 << 24  # bytes


def check_earlier(out: Path, machine: str, year: int, *, any_year: bool) -> None:
    """Refuse to mix results of two machines, or of sets of two years, in one folder.

    Parameters
    ----------
    out : Path
        It need not exist.
    machine : str
    year : int
        Whose measures are to be computed.
    any_year : bool
        Whether results of another year's measures may be replaced.

    Raises
    ------
    OutputError
        If `out` holds the results of another machine or year, or a damaged document of them.
    """
    document = read_object(out / DOCUMENT, OutputError, _LARGEST)
    if document is None:
        return
    results = document.get("results")
    rows = [row for row in results if isinstance(row, dict)] if isinstance(results, list) else []
    there = sorted({name for row in rows if isinstance(name := row.get("machine"), str)})
    if there and there != [machine]:
        raise OutputError(
            f"{out} holds the results of {printable(', '.join(there))}, not of {machine}. Each machine gets a folder "
            "of its own: choose another --out. edge-asd metrics takes several folders as one result."
        )
    earlier = document.get("year", 2021)  # version 0.1 did not write it
    if earlier != year and not any_year:
        raise OutputError(
            f"{out} holds results by the measures of {earlier!r:.20}, and this set is one of {year}. Choose another "
            f"--out, or give --year {year} to replace them."
        )


def left_note(out: Path, machine: str, written: Collection[str]) -> str | None:
    """Say which scores of the machine lie in `out` that are not replaced by those of the names `written`."""
    left = sorted(path.name for path in scores_there(out, machine) if path.name not in written)
    if not left:
        return None
    return (
        f"{out} still holds scores of an earlier evaluation, which metrics takes for part of the same result: "
        f"{', '.join(map(printable, left[:3]))}{', ...' if len(left) > 3 else ''}. Where they are not, remove them."
    )
