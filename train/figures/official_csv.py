"""``result.csv`` of the DCASE 2021 Task 2 baselines: figures, their means, and the official score."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

from edge_asd.csv_writing import check_csv_replaceable, csv_bytes
from edge_asd.files import write_atomically

_METRICS = ("AUC", "pAUC", "precision", "recall", "F1 score")
_HEADER = ("section", "domain", *_METRICS)
_OVERALL = "{} mean over all machine types, sections, and domains"

ZERO = sys.float_info.epsilon
"""What a zero counts as in harmonic means, as in the published code."""

Value = float | None


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one section and domain: AUC, pAUC, precision, recall, F1; None where they do not exist."""

    machine: str
    section: str
    domain: str
    values: tuple[Value, ...]


def write_result(path: Path, rows: Sequence[Row]) -> None:
    """Write ``result.csv``: a block for each machine, then the means over everything.

    Missing figures are empty cells and are left out of the means.
    """
    lines: list[Sequence[object]] = []
    for machine in dict.fromkeys(row.machine for row in rows):
        block = sorted((row for row in rows if row.machine == machine), key=lambda row: (row.domain, row.section))
        lines += [[machine], [*_HEADER]]
        lines += [[row.section, row.domain, *row.values] for row in block]
        lines += [[f"{kind} mean", "", *means(block, kind)] for kind in ("arithmetic", "harmonic")] + [[]]
    lines += [["", "", *_METRICS]]
    lines += [[_OVERALL.format(kind), "", *means(rows, kind)] for kind in ("arithmetic", "harmonic")] + [[]]
    write_lines(path, lines)


def check_result_replaceable(path: Path) -> None:
    """Refuse to replace anything but a ``result.csv``, whose first line is a machine's name, by one.

    Raises
    ------
    OutputError
    """
    check_csv_replaceable(path, _HEADER, 1, what="a table of results", option="--out")


def means(rows: Sequence[Row], kind: str) -> list[Value]:
    """Average each figure over rows, "arithmetic" or "harmonic"; None where no row has it.

    As in the published code, zeros count as the smallest float step in harmonic means, and sums
    run from the first row to the last: NumPy's pairwise and Python's compensated sums (from 3.12
    on) give other last digits.
    """
    result: list[Value] = []
    for column in range(len(_METRICS)):
        values = [value for row in rows if (value := row.values[column]) is not None]
        if not values:
            result.append(None)
        elif kind == "arithmetic":
            result.append(_running_sum(values) / len(values))
        else:
            result.append(harmonic_mean(values))
    return result


def harmonic_mean(values: Sequence[float]) -> float:
    """Return the harmonic mean of non-negative values, zeros taken as the smallest float step."""
    return len(values) / _running_sum([1 / max(value, ZERO) for value in values])


def official_score(rows: Sequence[Row]) -> Value:
    """Return the challenge's one figure: the harmonic mean over all AUC and pAUC; None where there is none.

    Source: Kawaguchi et al., "Description and discussion on DCASE 2021 Challenge Task 2" (2021).
    """
    values = [value for column in (0, 1) for row in rows if (value := row.values[column]) is not None]
    return harmonic_mean(values) if values else None


def _running_sum(values: Sequence[float]) -> float:
    return reduce(add, values)


def write_lines(path: Path, lines: Iterable[Sequence[object]]) -> None:
    """Write lines of cells as CSV, as the published code does."""
    write_atomically(path, csv_bytes(lines))
