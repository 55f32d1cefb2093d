"""What a download is told, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from edge_asd.train.data.download.plan import Item


@dataclass(frozen=True, slots=True)
class Servers:
    """Where things are asked for: addresses without a slash at the end."""

    records: str
    ground_truth: str


@dataclass(slots=True)
class Outcome:
    """What became of one archive.

    Attributes
    ----------
    item : Item
    fetched : bool
        False where its files were in place already.
    files : int
    machines : list of str
    """

    item: Item
    fetched: bool
    files: int
    machines: list[str]


@dataclass(slots=True)
class Result:
    """What a download did.

    Attributes
    ----------
    outcomes : list of Outcome
    labels : int or None
        Files of the ground truth in place; None where they were not asked for.
    labels_fetched : int
    bytes_fetched : int
        Of archives; what an earlier run had fetched of them is not counted.
    archives : Path or None
        Where archives are kept, in the layout of a mirror; None where they are not.
    notes : list of str
    """

    outcomes: list[Outcome] = field(default_factory=list)
    labels: int | None = None
    labels_fetched: int = 0
    bytes_fetched: int = 0
    archives: Path | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything new is in place."""
        return self.labels_fetched > 0 or any(outcome.fetched for outcome in self.outcomes)
