"""The files of the DCASE 2021 Task 2 baselines: scores and decisions a clip, figures a machine."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

from edge_asd.files import write_atomically

_METRICS = ("AUC", "pAUC", "precision", "recall", "F1 score")
_OVERALL = "{} mean over all machine types, sections, and domains"

Value = float | None


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one section and domain: AUC, pAUC, precision, recall, F1; None where they do not exist."""

    machine: str
    section: str
    domain: str
    values: tuple[Value, ...]


def scores_name(machine: str, section: str, domain: str) -> str:
    """Name of the file that holds the scores of a section and domain."""
    return f"anomaly_score_{machine}_section_{section}_{domain}_test.csv"


def decisions_name(machine: str, section: str, domain: str) -> str:
    """Name of the file that holds the decisions of a section and domain."""
    return f"decision_result_{machine}_section_{section}_{domain}_test.csv"


def write_pairs(path: Path, pairs: Iterable[tuple[str, int | float]]) -> None:
    """Write "file name,value" lines, without a header."""
    _write(path, [[name, value] for name, value in pairs])


def write_result(path: Path, rows: Sequence[Row]) -> None:
    """Write ``result.csv``: a block for each machine, then the means over everything.

    Missing figures are empty cells and are left out of the means.
    """
    lines: list[list[object]] = []
    for machine in dict.fromkeys(row.machine for row in rows):
        block = sorted((row for row in rows if row.machine == machine), key=lambda row: (row.domain, row.section))
        lines += [[machine], ["section", "domain", *_METRICS]]
        lines += [[row.section, row.domain, *row.values] for row in block]
        lines += [[f"{kind} mean", "", *means(block, kind)] for kind in ("arithmetic", "harmonic")] + [[]]
    lines += [["", "", *_METRICS]]
    lines += [[_OVERALL.format(kind), "", *means(rows, kind)] for kind in ("arithmetic", "harmonic")] + [[]]
    _write(path, lines)


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
            inverses = [1 / max(value, sys.float_info.epsilon) for value in values]
            result.append(len(values) / _running_sum(inverses))
    return result


def _running_sum(values: Sequence[float]) -> float:
    return reduce(add, values)


def _write(path: Path, lines: Iterable[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(lines)
    write_atomically(path, text.getvalue().encode())
