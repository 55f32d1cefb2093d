"""The report's tables: figures as text, with headings, for any machines, models, columns and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from statistics import fmean

from edge_asd.bundle.kinds import AUTOENCODER
from edge_asd.clips import DOMAINS, Domain
from edge_asd.train.figures.bootstrap import Interval
from edge_asd.train.report.figures import Figure, Figures, Key, Place, Spread, spread
from edge_asd.train.report.intervals import intervals
from edge_asd.train.report.results import COLUMNS, MODELS, NO_DOMAIN, SHORT
from edge_asd.train.report.table4 import table4

SURE = "95 % interval"

NONE = "\N{EN DASH}"
"""What stands where there is no figure."""

LOUD = "†"
"""Marks figures that loudness alone reaches, too."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table for the page.

    Attributes
    ----------
    name : str
        Its anchor.
    caption : str
    columns : list of str
        Headings; the first `heads` columns are the rows' headings.
    rows : list of list of str
    groups : list of (str, int)
        Headings above those behind the first `heads`, with the number of columns they span.
    notes : list of str
    heads : int
    last : int
        Rows at the end that sum up the others.
    """

    name: str
    caption: str
    columns: list[str]
    rows: list[list[str]]
    groups: list[tuple[str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    heads: int = 2
    last: int = 0

    @property
    def starts(self) -> set[int]:
        """Columns behind the first `heads` at which a group starts."""
        return set(accumulate((span for _, span in self.groups[:-1]), initial=0)) if self.groups else set()


def paper_table(figures: Figures) -> Table:
    """Table 4: the paper's AUC beside ours, and beside both what loudness alone gives."""
    column, domains, published = figures.columns[0], figures.domains, _published(figures)
    columns, rows, marked = ["machine", "section"], [], False
    for model in figures.models:
        columns += _sources(published, model) * len(domains)
    columns += [domain or NO_DOMAIN for domain in domains]
    for machine, section in figures.sections:
        row = [machine, section]
        for model in figures.models:
            for domain in domains:
                ours = figures.spread("auc", Key(machine, section, domain, model, column))
                loud = _loud(ours, figures.level.get((machine, section, domain)))
                marked |= loud
                row += [number(published.get((machine, section, domain, model)))] * _is_published(published, model)
                row.append(spread_text(ours) + LOUD * loud)
        rows.append(row + [number(figures.level.get((machine, section, domain))) for domain in domains])
    notes = [f"Ours: {COLUMNS[column]}{_over_seeds(figures)}."]
    notes += [f"{LOUD} Loudness alone separates these clips at least as well, in one direction or the other."] * marked
    last = _mean_rows(figures, column)
    notes += ["Means are over the sections that have a figure of ours."] * bool(last)
    groups = [
        (_title(model, domain), len(_sources(published, model))) for model in figures.models for domain in domains
    ]
    groups.append(("Level alone", len(domains)))
    return Table("table4", "AUC by section and domain", columns, rows + last, groups, notes, last=len(last))


def _mean_rows(figures: Figures, column: str) -> list[list[str]]:
    """Average over the sections that the paper has where there are such, so that both means are of the same rows."""
    if len(figures.sections) < 2:
        return []
    result = []
    of_paper = _published(figures)
    published = [place for place in figures.sections if (*place, "source", AUTOENCODER.name) in of_paper]
    for title, places, show_paper in (
        ("paper's", published, True),
        ("all", figures.sections, False),
    ):
        if not places or (not show_paper and places == published):
            continue
        row = ["mean", f"{title} {len(places)}"]
        for model in figures.models:
            for domain in figures.domains:
                there = [p for p in places if figures.spread("auc", Key(*p, domain, model, column))]
                if _is_published(of_paper, model):
                    row.append(number(_mean([of_paper[*p, domain, model] for p in there] if show_paper else [])))
                row.append(spread_text(_mean_of(figures, there, domain, model, column)))
        levels = [[figures.level.get((*place, domain)) for place in places] for domain in figures.domains]
        row += [number(_mean([level for level in one if level is not None])) for one in levels]
        result.append(row)
    return result


def _mean_of(
    figures: Figures, places: Sequence[Place], domain: Domain | None, model: str, column: str
) -> Spread | None:
    """Average over sections within each seed, then over the seeds that have all of them."""
    found = [figures.by_seed["auc"][Key(*place, domain, model, column)] for place in places]
    seeds = [seed for seed in figures.seeds if found and all(seed in one for one in found)]
    return spread(fmean(one[seed] for one in found) for seed in seeds)


def gap_table(figures: Figures) -> Table | None:
    """The domain gap: AUC of the source domain minus that of the target domain; None where no domain is known."""
    if figures.domains == [None]:
        return None
    column, published = figures.columns[0], _published(figures)
    rows = []
    for machine, section in figures.sections:
        row = [machine, section]
        for model in figures.models:
            source, target = (Key(machine, section, domain, model, column) for domain in DOMAINS)
            paper = [published.get((machine, section, domain, model)) for domain in DOMAINS]
            gap = None if paper[0] is None or paper[1] is None else paper[0] - paper[1]
            row += [number(gap, signed=True)] * _is_published(published, model)
            row += [spread_text(figures.difference("auc", source, target), signed=True)]
        rows.append(row)
    return Table(
        "gap",
        "Domain gap: AUC of the source domain minus AUC of the target domain",
        ["machine", "section", *(name for model in figures.models for name in _sources(published, model))],
        rows,
        [(MODELS[model], len(_sources(published, model))) for model in figures.models],
        [
            "Positive: anomalies are harder to hear in the target domain. "
            f"Ours: {COLUMNS[column]}{_over_seeds(figures)}."
        ],
    )


def column_tables(figures: Figures, model: str) -> list[Table]:
    """AUC and pAUC of a model in every column, what is lost on the way, and how sure that is."""
    columns = [c for c in figures.columns if any((k.model, k.column) == (model, c) for k in figures.by_seed["auc"])]
    if not columns:
        return []
    first, others = columns[0], columns[1:]
    rows: dict[Figure, list[list[str]]] = {"auc": [], "pauc": []}
    for place in ((*place, domain) for place in figures.sections for domain in figures.domains):
        found = figures.rows(*place, model)
        if not found:
            continue
        sure = intervals(found, columns)
        for figure, lines in rows.items():
            keys = {column: Key(*place, model, column) for column in columns}
            line = [*place[:2], place[2] or NO_DOMAIN]
            for column in columns:
                line.append(spread_text(figures.spread(figure, keys[column])))
                line += [interval_text(sure.mean.get((figure, column)))] * (column == first)
            for column in others:
                line.append(spread_text(figures.difference(figure, keys[first], keys[column]), signed=True))
                line.append(interval_text(sure.drop.get((figure, column)), signed=True))
            lines.append(line)
    headings = [SHORT[first], SURE, *(SHORT[column] for column in others)]
    drops = [(f"{SHORT[first]} minus {SHORT[column]}", 2) for column in others]
    result = []
    for figure, lines in rows.items():
        name = "AUC" if figure == "auc" else "pAUC"
        result.append(
            Table(
                f"{figure}-{model}",
                f"{MODELS[model]}: {name}",
                ["machine", "section", "domain", *headings, *["drop", SURE] * len(others)],
                lines,
                [(name, len(headings)), *drops],
                heads=3,
            )
        )
    return result


_Published = Mapping[tuple[str, str, Domain | None, str], float]


def _is_published(published: _Published, model: str) -> bool:
    """Tell whether the paper has this model."""
    return any(key[3] == model for key in published)


def _sources(published: _Published, model: str) -> list[str]:
    """Name the columns of a model and domain."""
    return ["paper", "ours"] if _is_published(published, model) else ["ours"]


def _published(figures: Figures) -> _Published:
    """Return the paper's AUC; the sets of other years have other clips under the same names."""
    return table4() if figures.measures.year == 2021 else {}


def _title(model: str, domain: Domain | None) -> str:
    return f"{MODELS[model]}, {domain}" if domain else MODELS[model]


def number(value: float | None, *, signed: bool = False) -> str:
    """Write a figure with three digits, or a dash."""
    if value is None:
        return NONE
    value = round(value, 3)
    return f"{value:{'+' if signed and value else ''}.3f}".replace("-0.000", "0.000").replace("-", "\N{MINUS SIGN}")


def spread_text(value: Spread | None, *, signed: bool = False) -> str:
    """Write a mean over seeds with its standard deviation, where there is one."""
    if value is None:
        return NONE
    return number(value.mean, signed=signed) + ("" if value.sd is None else f" ± {value.sd:.3f}")


def interval_text(interval: Interval | None, *, signed: bool = False) -> str:
    """Write an interval, or a dash."""
    return NONE if interval is None else " to ".join(number(value, signed=signed) for value in interval)


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _loud(ours: Spread | None, level: float | None) -> bool:
    """Tell whether loudness alone is as good; its AUC may lie on either side of chance."""
    return ours is not None and level is not None and max(level, 1 - level) >= ours.mean


def _over_seeds(figures: Figures) -> str:
    n = len(figures.seeds)
    return "" if n == 1 else f"; mean ± standard deviation over {n} seeds"
