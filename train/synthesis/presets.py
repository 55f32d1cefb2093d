"""How many clips a synthetic data set has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_asd.clips import DOMAINS, parse_section
from edge_asd.errors import DataError
from edge_asd.train.data.table1 import table1
from edge_asd.train.synthesis.clip import ClipPlan
from edge_asd.train.synthesis.machines import machine_of

__all__ = ["PRESETS", "Preset"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A size.

    Attributes
    ----------
    sections : tuple of str
        By default.
    train_source, train_target, test : int or None
        Training clips a section; test clips of each label a section and domain. None: as in Table 1.
    easier_db : float [dB]
        Added to Table 1's signal-to-noise ratios.
    """

    sections: tuple[str, ...]
    train_source: int | None = None
    train_target: int | None = None
    test: int | None = None
    easier_db: float = 0.0

    def chosen(self, machine: str, sections: Sequence[str] | None) -> list[str]:
        """Return the sections to make, in order, each once.

        Raises
        ------
        DataError
            If none is asked for, or Table 1 has not the machine or a section.
        """
        wanted = sorted({parse_section(section) for section in (self.sections if sections is None else sections)})
        if not wanted:
            raise DataError("No section was asked for. There are 00 to 05.")
        for section in wanted:
            machine_of(machine, section)
        return wanted

    def counts(self, machine: str, section: str) -> dict[tuple[str, str, str], int]:
        """Return the clips of a section by domain, split and label.

        Where Table 1 does not disclose the labels of test clips, half of them are anomalous.
        """
        row = table1()[machine, section]
        counts: dict[tuple[str, str, str], int] = {}
        for domain, train in zip(DOMAINS, (self.train_source, self.train_target), strict=True):
            published = row.domain(domain)
            anomaly = published.test // 2 if published.anomaly is None else published.anomaly
            counts[domain, "train", "normal"] = published.train if train is None else train
            counts[domain, "test", "normal"] = published.test - anomaly if self.test is None else self.test
            counts[domain, "test", "anomaly"] = anomaly if self.test is None else self.test
        return counts

    def plans(self, machine: str, section: str) -> list[ClipPlan]:
        """Return the clips of a section."""
        return [
            ClipPlan(machine, section, domain, split, label, index)  # type: ignore[arg-type]
            for (domain, split, label), count in self.counts(machine, section).items()
            for index in range(count)
        ]


PRESETS = {
    "tiny": Preset(("00", "01"), 40, 3, 12, easier_db=4.0),
    "small": Preset(("00", "01", "02"), 100, 3, 30),
    "full": Preset(("00", "01", "02", "03", "04", "05")),
}
"""Sizes by name: for a demonstration and tests, for trials, and Table 1's."""
