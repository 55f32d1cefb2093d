"""Rows of figures, their means, and the official score, as the published code computes them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from edge_asd.train.figures.measures import Mean, Measures

Value = float | None

ZERO = sys.float_info.epsilon
"""What a zero counts as in harmonic means, as in the published code."""

_AUC, _PAUC, _COLUMNS = 0, 1, 5


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of a row: AUC, pAUC, precision, recall, F1; None where they do not exist.

    `domain` is None where a row is of the whole section (`edge_asd.train.figures.measures.RowClips`).
    """

    machine: str
    section: str
    domain: str | None
    values: tuple[Value, ...]


def means(rows: Sequence[Row], kind: Mean, measures: Measures) -> list[Value]:
    """Average each figure over rows, "arithmetic" or "harmonic"; None where no row has it.

    A pAUC that belongs to a whole section counts once. As in the published code, zeros count as the
    smallest float step in harmonic means, and sums run from the first row to the last: NumPy's
    pairwise and Python's compensated sums (from 3.12 on) give other last digits.
    """
    counted = {_PAUC: list(counted_once(rows, measures))}
    return [mean([row.values[column] for row in counted.get(column, rows)], kind) for column in range(_COLUMNS)]


def mean(values: Sequence[Value], kind: Mean) -> Value:
    """Average the figures that exist; None where none does. See `means`."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    return reduce(add, there) / len(there) if kind == "arithmetic" else harmonic_mean(there)


def harmonic_mean(values: Sequence[float]) -> float:
    """Return the harmonic mean of figures; see `means`."""
    return len(values) / reduce(add, (1 / max(value, ZERO) for value in values))


def official_score(rows: Sequence[Row], measures: Measures) -> Value:
    """Return the challenge's one figure: the harmonic mean over all AUC and pAUC; None where there is none.

    A pAUC that belongs to a whole section counts once. Where the domain of a row that has an AUC is
    not known, that is not a published figure, and there is no official score.

    Source: Kawaguchi et al., "Description and discussion on DCASE 2021 Challenge Task 2" (2021), and those of the
    following years (`edge_asd.train.figures.measures`).
    """
    if not measures.official or any(row.domain is None and row.values[_AUC] is not None for row in rows):
        return None
    return mean(
        [*(row.values[_AUC] for row in rows), *(row.values[_PAUC] for row in counted_once(rows, measures))], "harmonic"
    )


def counted_once(rows: Sequence[Row], measures: Measures) -> Iterator[Row]:
    """Yield the rows whose pAUC counts: every row, or one for each section."""
    seen = set()
    for row in rows:
        place = (row.machine, row.section)
        if not measures.mixed or place not in seen:
            seen.add(place)
            yield row
