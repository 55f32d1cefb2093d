"""``result.csv`` as the baselines of each year write it: figures and their means, machine by machine.

- 2020 (y-kawagu/dcase2020_task2_baseline): a line for each id, AUC and pAUC, and their average.
- 2021 (y-kawagu/dcase2021_task2_baseline_ae): a line for each section and domain.
- 2022 (Kota-Dohi/dcase2022_task2_baseline_ae): a line for each section, columns for both domains. The
  baselines of later years write a file for each machine, with the pAUC of each domain besides, which
  enters no official figure; they get the layout of 2022 here. Where no domain is known, the columns
  are those that the baselines from 2023 on write for a single domain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from edge_asd.clips import DOMAINS
from edge_asd.csv_writing import check_csv_replaceable, csv_bytes
from edge_asd.files import write_atomically
from edge_asd.train.figures.means import Row, Value, mean, means
from edge_asd.train.figures.measures import Mean, Measures

_METRICS = ("AUC", "pAUC", "precision", "recall", "F1 score")
_BY_ROW = ("section", "domain", *_METRICS)
_BY_ID = ("id", *_METRICS[:2])
_OVERALL = "{} mean over all machine types, sections, and domains"

Column = tuple[str, str | None, int]
"""Heading, the domain whose row it is from (None: any), and the number of its figure."""

_BOTH_DOMAINS: tuple[Column, ...] = tuple(
    (metric, None, i) if metric == "pAUC" else (f"{metric} ({domain})", domain, i)
    for i, metric in enumerate(_METRICS)
    for domain in (DOMAINS if metric != "pAUC" else DOMAINS[:1])
)
_ONE_DOMAIN: tuple[Column, ...] = tuple((metric, None, i) for i, metric in enumerate(_METRICS))

_HEADERS = (_BY_ROW, _BY_ID, *(("section", *(name for name, _, _ in kind)) for kind in (_BOTH_DOMAINS, _ONE_DOMAIN)))


def write_result(path: Path, rows: Sequence[Row], measures: Measures) -> None:
    """Write ``result.csv``: a block for each machine, then, from 2021 on, the means over everything.

    Missing figures are empty cells and are left out of the means.

    Parameters
    ----------
    path : Path
    rows : sequence of Row
    measures : Measures
        Of the year whose layout it gets.

    Raises
    ------
    OutputError
    """
    blocks = [[row for row in rows if row.machine == machine] for machine in dict.fromkeys(row.machine for row in rows)]
    if not measures.domains:
        lines = _lines_by_id(blocks, measures)
    elif measures.mixed:
        lines = _lines_by_section(blocks, measures.means)
    else:
        lines = _lines_by_row(blocks, measures)
    write_lines(path, lines)


def check_result_replaceable(path: Path) -> None:
    """Refuse to replace anything but a ``result.csv``, whose first line is a machine's name, by one.

    Raises
    ------
    OutputError
    """
    check_csv_replaceable(path, _HEADERS, 1, what="a table of results", option="--out")


def write_lines(path: Path, lines: Iterable[Sequence[object]]) -> None:
    """Write lines of cells as CSV, as the published code does."""
    write_atomically(path, csv_bytes(lines))


def _lines_by_row(blocks: Sequence[Sequence[Row]], measures: Measures) -> list[Sequence[object]]:
    lines: list[Sequence[object]] = []
    for block in blocks:
        ordered = sorted(block, key=lambda row: (row.domain or "", row.section))
        lines += [[ordered[0].machine], [*_BY_ROW]]
        lines += [[row.section, row.domain, *row.values] for row in ordered]
        lines += [[f"{kind} mean", "", *means(ordered, kind, measures)] for kind in measures.means] + [[]]
    everything = [row for block in blocks for row in block]
    lines += [["", "", *_METRICS]]
    lines += [[_OVERALL.format(kind), "", *means(everything, kind, measures)] for kind in measures.means] + [[]]
    return lines


def _lines_by_id(blocks: Sequence[Sequence[Row]], measures: Measures) -> list[Sequence[object]]:
    lines: list[Sequence[object]] = []
    for block in blocks:
        ordered = sorted(block, key=lambda row: row.section)
        lines += [[ordered[0].machine], [*_BY_ID]]
        lines += [[row.section, *row.values[:2]] for row in ordered]
        lines += [["Average", *means(ordered, "arithmetic", measures)[:2]], []]
    return lines


def _lines_by_section(blocks: Sequence[Sequence[Row]], kinds: Sequence[Mean]) -> list[Sequence[object]]:
    lines: list[Sequence[object]] = []
    every_table: list[list[Value]] = []
    columns = _columns([row for block in blocks for row in block])
    for block in blocks:
        mine = _columns(block)
        sections = sorted({row.section for row in block})
        table = [_cells(block, section, mine) for section in sections]
        lines += [[block[0].machine], ["section", *(name for name, _, _ in mine)]]
        lines += [[section, *cells] for section, cells in zip(sections, table, strict=True)]
        lines += [[f"{kind} mean", *_means(table, kind)] for kind in kinds] + [[]]
        every_table += [_cells(block, section, columns) for section in sections]
    lines += [["", *(name for name, _, _ in columns)]]
    lines += [[_OVERALL.format(kind), *_means(every_table, kind)] for kind in kinds] + [[]]
    return lines


def _columns(rows: Sequence[Row]) -> tuple[Column, ...]:
    return _ONE_DOMAIN if rows and all(row.domain is None for row in rows) else _BOTH_DOMAINS


def _cells(rows: Sequence[Row], section: str, columns: Sequence[Column]) -> list[Value]:
    """Return a section's figures; where a column is of a domain without a row, None."""
    mine = [row for row in rows if row.section == section]
    found = [[row for row in mine if domain in (None, row.domain)] for _, domain, _ in columns]
    return [some[0].values[i] if some else None for some, (_, _, i) in zip(found, columns, strict=True)]


def _means(table: Sequence[Sequence[Value]], kind: Mean) -> list[Value]:
    return [mean(column, kind) for column in zip(*table, strict=True)]
