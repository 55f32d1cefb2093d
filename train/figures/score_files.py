"""Score files of the DCASE Task 2 baselines, this project's and everybody's.

One file with the scores of a section's test clips (2021: of a section and domain; 2020: of a machine's
id), and, from 2021 on, one of the same form with the decisions (1: anomaly): see `scores_name`,
`decisions_name` and `edge_asd.train.data.clip_tables`. The baselines from 2023 on write the year before
the machine's name and the seed behind the section's; such names are read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from edge_asd.clips import Domain
from edge_asd.errors import DataError
from edge_asd.train.data.clip_tables import read_clip_table
from edge_asd.train.figures.official_csv import write_lines

_SCORES, _DECISIONS = "anomaly_score_", "decision_result_"
_NAME = re.compile(
    rf"({_SCORES}|{_DECISIONS})(?:DCASE(?P<year>20[0-9]{{2}})T2)?"
    # Machines' names end up on terminals and in text files: no control characters, no bytes that are not UTF-8.
    r"(?P<machine>[^/\x00-\x1f\x7f-\x9f\ud800-\udfff]+)"
    r"(?:_id_(?P<id>[0-9]{2})"
    r"|_section_(?P<section>[0-9]{2})(?:_(?P<domain>source|target))?_test(?:_seed[0-9][^/\x00-\x1f]*)?)\.csv"
)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class CellScores:
    """Scores of one machine's section, and domain where the file is of one.

    Attributes
    ----------
    path : Path
        The file they were read from.
    machine, section : str
    domain : {"source", "target"} or None
        None where the file is of both domains, or of a set without domains.
    year : int
        That the file's name tells: 2020, 2021, or 2022 for later years as well, whose files have the same names.
    scores : dict of str to float
        By file name of the clip; the higher, the more anomalous.
    decisions : dict of str to bool, or None
        True for an anomaly; None where there is no file of decisions.
    """

    path: Path
    machine: str
    section: str
    domain: Domain | None
    year: int
    scores: dict[str, float]
    decisions: dict[str, bool] | None

    @property
    def cell(self) -> Cell:
        """Machine, section and domain."""
        return self.machine, self.section, self.domain


Cell = tuple[str, str, Domain | None]
"""Machine, section and domain, None for a file of both."""


def scores_name(machine: str, section: str, domain: str | None, year: int = 2021) -> str:
    """Name of the file that holds the scores of a section, in 2021 of a domain of it."""
    return _SCORES + _place_name(machine, section, domain, year)


def decisions_name(machine: str, section: str, domain: str | None, year: int = 2021) -> str:
    """Name of the file that holds the decisions of a section, in 2021 of a domain of it."""
    return _DECISIONS + _place_name(machine, section, domain, year)


def _place_name(machine: str, section: str, domain: str | None, year: int) -> str:
    if year == 2020:
        return f"{machine}_id_{section}.csv"
    return f"{machine}_section_{section}_{f'{domain}_' if domain else ''}test.csv"


def write_pairs(path: Path, pairs: Iterable[tuple[str, int | float]]) -> None:
    """Write "file name,value" lines, without a header."""
    write_lines(path, [[name, value] for name, value in pairs])


def remove_contradicted(folder: Path, written: Collection[Cell], year: int) -> None:
    """Remove files of the same clips as others that were just written, under the names of another year.

    An earlier result left them; `read_score_files` would refuse the folder for them.

    Parameters
    ----------
    folder : Path
        It need not exist.
    written : collection of Cell
        What was written; files of other machines and sections, or of another domain alone, stay.
    year : int
        Whose names were written.
    """
    names = {name(*cell, year) for cell in written for name in (scores_name, decisions_name)}
    for path in sorted(folder.glob("*.csv")):
        match = _NAME.fullmatch(path.name)
        if match is None or path.name in names:
            continue
        machine, section, domain = _cell(match)
        beside = [cell[2] for cell in written if cell[:2] == (machine, section)]
        if beside and (domain is None or None in beside):
            path.unlink(missing_ok=True)


def scores_there(folder: Path, machine: str) -> list[Path]:
    """Return the files in a folder, which need not exist, that are by their names scores of a machine."""
    found = ((path, _NAME.fullmatch(path.name)) for path in sorted(folder.glob(f"{_SCORES}*.csv")))
    return [path for path, match in found if match and match["machine"] == machine]


def read_score_files(folders: Sequence[Path]) -> tuple[list[CellScores], list[str]]:
    """Read the score files, and the decisions beside them, of folders that belong together.

    Parameters
    ----------
    folders : sequence of Path
        Not searched below; files of other names are passed over.

    Returns
    -------
    cells : list of CellScores
        By machine, domain and section.
    notes : list of str
        What the user should know.

    Raises
    ------
    DataError
        If there is no score file, one is misnamed or cannot be used, two folders have the same
        section and domain of a machine, or the decisions are of other clips than the scores.
    """
    cells: dict[Cell, CellScores] = {}
    notes = []
    for folder in folders:
        files = _files(folder)
        decided = {_cell(match): path for path, match in files.items() if match[1] == _DECISIONS}
        scored = [(path, match) for path, match in files.items() if match[1] == _SCORES]
        for path, match in scored:
            cell = _cell(match)
            if cell in cells:
                raise DataError(f"{path} and {cells[cell].path} are of the same clips. Give one of the folders.")
            scores = read_clip_table(path, *cell[1:], kind="scores", value="a finite number", parse=parse_score)
            beside = decided.pop(cell, None)
            decisions = _read_decisions(beside, path, cell, scores) if beside else None
            cells[cell] = CellScores(path, *cell, _year(match), scores, decisions)
        notes += [f"{path} has no scores beside it and was left out." for path in decided.values()]
    for machine, section, domain in cells:
        if domain is not None and (machine, section, None) in cells:
            one, other = cells[machine, section, domain].path, cells[machine, section, None].path
            raise DataError(f"{one} and {other} are of the same clips. Give one of them.")
    return sorted(cells.values(), key=lambda c: (c.machine, c.domain or "", c.section)), notes


def _cell(match: re.Match[str]) -> Cell:
    # The pattern of the file's name knows no other domain.
    return match["machine"], match["id"] or match["section"], cast("Domain | None", match["domain"])


def _year(match: re.Match[str]) -> int:
    if match["year"]:
        return int(match["year"])
    return 2020 if match["id"] else 2021 if match["domain"] else 2022


def _files(folder: Path) -> dict[Path, re.Match[str]]:
    """Return the files of scores and decisions in a folder, with what their names say."""
    if not folder.is_dir():
        raise DataError(
            f"There is no folder {folder}. Give one that holds {scores_name('fan', '00', 'source')} or such."
        )
    files = {}
    for path in sorted(folder.iterdir()):
        if not path.name.startswith((_SCORES, _DECISIONS)):
            continue
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise DataError(
                f"{str(path)!r} is not named as a file of scores or decisions. Expected, for example, "
                f"{scores_name('fan', '00', 'source')}. Rename it, or move it away."
            )
        files[path] = match
    if not any(match[1] == _SCORES for match in files.values()):
        below = sorted({path.parent.name for path in folder.glob(f"*/{_SCORES}*.csv")})
        advice = f"There are some in its {', '.join(below[:5])}; give {folder / below[0]}." if below else ""
        raise DataError(
            f"{folder} holds no score files. Expected {scores_name('fan', '00', 'source')} or such. {advice}".strip()
        )
    return files


def _read_decisions(path: Path, scores_path: Path, cell: Cell, scores: dict[str, float]) -> dict[str, bool]:
    value = "0 (normal) or 1 (anomaly)"
    parse = {"0": False, "1": True}.get
    decisions = read_clip_table(path, *cell[1:], kind="decisions", value=value, parse=parse, known=scores)
    for here, listed, there, others in ((path, decisions, scores_path, scores), (scores_path, scores, path, decisions)):
        if missing := [name for name in others if name not in listed]:
            raise DataError(f"{here} lacks {missing[0]}, which {there} lists. Make both files of the same clips.")
    return decisions


def parse_score(text: str) -> float | None:
    """Return a finite number in the plain digits of other people's files, or None."""
    # float() takes more: "nan", "inf", "1_000" and digits of other scripts.
    if not _NUMBER.fullmatch(text):
        return None
    score = float(text)
    return score if math.isfinite(score) else None
