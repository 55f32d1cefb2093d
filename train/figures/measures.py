"""The published measures of DCASE Task 2, year by year: which clips enter a figure, and what is averaged how.

`MEASURES` is the one table of these facts; everything that computes, averages, resamples or writes
figures asks it. docs/measures.md tells the same for readers.

Common to all years: the AUC and the pAUC, whose false-positive rates end at `MAX_FPR` and which is
standardised after McClish (`edge_asd.train.figures.metrics`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from edge_asd.clips import DOMAINS, Domain, Label
from edge_asd.errors import DataError

T = TypeVar("T")

Mean = Literal["arithmetic", "harmonic"]

FIRST_MIXED = 2022
"""The first year of domain generalization, whose measures are those of all later years."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What one year's figures are.

    Attributes
    ----------
    year : int
        Of the challenge.
    domains : bool
        Whether figures are by domain; a section (2020: a machine's id) has one row of all clips otherwise.
    mixed : bool
        Whether the AUC of a domain is of its normal clips and the anomalies of both domains, and the
        pAUC of all clips of the section, counted once. Otherwise both are of the domain's clips alone.
        Precision, recall and F1 are of the domain's own clips in either case.
    means : tuple of {"arithmetic", "harmonic"}
        Those that the published result files hold, over the sections of a machine and (from 2021 on) over everything.
    decisions : bool
        Whether precision, recall and F1 were published.
    official : bool
        Whether there is an official score: the harmonic mean of all AUC and pAUC.
    evaluator : str
        The published program whose figures these are.
    description : str
        The challenge's paper.
    """

    year: int
    domains: bool
    mixed: bool
    means: tuple[Mean, ...]
    decisions: bool
    official: bool
    evaluator: str
    description: str

    @property
    def source(self) -> str:
        """Where it is published, in one line."""
        return f"DCASE {self.year} Task 2 ({self.evaluator}, {self.description})"

    @property
    def source_by_names(self) -> str:
        """The same where nothing but names of score files told the year: from 2022 on they are alike."""
        if self.year != FIRST_MIXED:
            return self.source
        return (
            f"DCASE Task 2 of {self.year} and later, the same to {YEARS[-1]} (of {self.year}: {self.evaluator}, "
            f"{self.description}; --year names another year's)"
        )

    @property
    def explained(self) -> str:
        """What the figures of a row are of, in one line."""
        if self.mixed:
            return "AUC: a domain's normal clips against the anomalies of both; pAUC: the section's; F1: the domain's."
        return f"All figures are of the {'domain' if self.domains else 'section'}'s own clips."


def _mixed(year: int, evaluator: str, description: str) -> Measures:
    """2022 and later: domain generalization, one threshold for both domains."""
    return Measures(year, True, True, ("arithmetic", "harmonic"), True, True, evaluator, description)


MEASURES: dict[int, Measures] = {
    one.year: one
    for one in (
        # The challenge ranked teams by the mean of their ranks in each machine's mean AUC and pAUC: what a rank is
        # cannot be told of one result, so there is no official score.
        Measures(
            2020,
            domains=False,
            mixed=False,
            means=("arithmetic",),
            decisions=False,
            official=False,
            evaluator="y-kawagu/dcase2020_task2_evaluator",
            description="arXiv:2006.05822",
        ),
        Measures(
            2021,
            domains=True,
            mixed=False,
            means=("arithmetic", "harmonic"),
            decisions=True,
            official=True,
            evaluator="y-kawagu/dcase2021_task2_evaluator",
            description="arXiv:2106.04492",
        ),
        _mixed(FIRST_MIXED, "Kota-Dohi/dcase2022_evaluator", "arXiv:2206.05876"),
        _mixed(2023, "nttcslab/dcase2023_task2_evaluator", "arXiv:2305.07828"),
        _mixed(2024, "nttcslab/dcase2024_task2_evaluator", "arXiv:2406.07250"),
        _mixed(2025, "nttcslab/dcase2025_task2_evaluator", "arXiv:2506.10097"),
        _mixed(2026, "nttcslab/dcase2026_task2_evaluator", "arXiv:2606.01578"),
    )
}
"""By year. Read for this table: the evaluators of 2020 to 2024 and the baselines of 2020 to 2026 (those from 2023 on
are one program, nttcslab/dcase2023_task2_baseline_ae); of 2025 the evaluator's published figures; not the evaluator of
2026."""

YEARS = tuple(MEASURES)


def measures_of(year: int) -> Measures:
    """Return a year's measures.

    Raises
    ------
    DataError
        If they are not known.
    """
    if year not in MEASURES:
        raise DataError(f"The measures of {year} are not known. Give a year from {YEARS[0]} to {YEARS[-1]}.")
    return MEASURES[year]


@dataclass(frozen=True, slots=True)
class RowClips:
    """Which clips of a section enter the figures of a row, as their numbers in the section.

    Attributes
    ----------
    domain : {"source", "target"} or None
        None where the figures are not by domain, or the domain of labelled clips is not known.
    auc, pauc, decisions : tuple of int
        Labelled clips that the AUC, the pAUC, and precision, recall and F1 are of.
    own : tuple of int
        Clips of the row's domain, labelled or not; where figures mix domains, the first row has those of unknown
        domain, too, which have no label.
    """

    domain: Domain | None
    auc: tuple[int, ...]
    pauc: tuple[int, ...]
    decisions: tuple[int, ...]
    own: tuple[int, ...]


def rows_of(labels: Sequence[Label | None], domains: Sequence[Domain | None], measures: Measures) -> list[RowClips]:
    """Tell which clips enter which row's figures.

    Parameters
    ----------
    labels : sequence of {"normal", "anomaly"} or None [length n]
        Of the clips of one section; those without a label enter nothing.
    domains : sequence of {"source", "target"} or None [length n]
        None where it is not known.
    measures : Measures

    Returns
    -------
    rows : list of RowClips
        Source before target; a domain without clips has none. One row of all clips, its domain None,
        where figures are not by domain, and where they mix domains and a labelled clip's is not known.
    """
    numbers = range(len(labels))
    told = [i for i in numbers if labels[i] is not None]
    if not measures.domains or (measures.mixed and any(domains[i] is None for i in told or numbers)):
        every = tuple(told)
        return [RowClips(None, every, every, every, tuple(numbers))] if labels else []
    rows: list[RowClips] = []
    stray = tuple(i for i in numbers if domains[i] is None) if measures.mixed else ()
    for domain in DOMAINS if measures.mixed else (*DOMAINS, None):
        own = tuple(i for i in numbers if domains[i] == domain)
        judged = tuple(i for i in own if labels[i] is not None)
        if not own:
            continue
        if measures.mixed:
            auc = tuple(i for i in told if labels[i] == "anomaly" or domains[i] == domain)
            rows.append(RowClips(domain, auc, tuple(told), judged, own if rows else own + stray))
        else:
            rows.append(RowClips(domain, judged, judged, judged, own))
    return rows


def missing_domains(rows: Mapping[str, Sequence[RowClips]], domains: Sequence[Domain]) -> list[str]:
    """Say which sections have no test clips of a domain, and in which the clips' domain is not known.

    Parameters
    ----------
    rows : mapping of section to sequence of RowClips
    domains : sequence of {"source", "target"}
        Those that are looked for; none where figures are not by domain.
    """
    there = {section: [row.domain for row in of_section] for section, of_section in rows.items()}
    notes = [
        f"section {section} has no {domain} test clips."
        for domain in domains
        for section, known in there.items()
        if domain not in known and None not in known
    ]
    if domains and (unknown := [section for section, known in there.items() if None in known]):
        notes.append(
            f"the domain of test clips of section {', '.join(unknown)} is not known, so that its figures are of all "
            "clips together. --ground-truth gives it: the folder that holds ground_truth_data and ground_truth_domain."
        )
    return notes


def drawn_together(rows: Sequence[RowClips], measures: Measures) -> list[list[RowClips]]:
    """Group a section's rows into those that share clips, and must be resampled together."""
    if measures.mixed:
        return [list(rows)] if rows else []
    return [[row] for row in rows]


def strata(labels: Iterable[Label | None], domains: Iterable[Domain | None]) -> list[int]:
    """Return, clip by clip, the class and domain that a resample draws within: the normal ones first."""
    order: tuple[Domain | None, ...] = (None, *DOMAINS)
    return [
        len(order) * (label == "anomaly") + order.index(domain) for label, domain in zip(labels, domains, strict=True)
    ]


def pick(values: Sequence[T], numbers: Iterable[int]) -> list[T]:
    """Return the values of some clips."""
    return [values[i] for i in numbers]
