"""Table 1 of the MIMII DUE paper (arXiv:2105.02702) as data: clips, SNR and domain shift of all 30 sections.

The split of the test clips of sections 03-05 into normal and anomalous was not disclosed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from edge_asd.clips import Domain

MACHINES = ("fan", "gearbox", "pump", "slider", "valve")
"""Machine types by the names of their folders; the paper calls the slider a slide rail."""


@dataclass(frozen=True, slots=True)
class DomainCounts:
    """One section and domain.

    Attributes
    ----------
    train : int
        Training clips, all normal.
    test : int
        Test clips.
    normal, anomaly : int or None
        Their split; None where it was not disclosed.
    snr_db : float [dB]
        Centre of the range that each clip's signal-to-noise ratio is drawn from, uniformly.
    snr_spread_db : float >= 0 [dB]
        Half the width of that range.
    """

    train: int
    test: int
    normal: int | None
    anomaly: int | None
    snr_db: float
    snr_spread_db: float


@dataclass(frozen=True, slots=True)
class Section:
    """One row of the table."""

    machine: str
    section: str
    source: DomainCounts
    target: DomainCounts
    description: str

    def domain(self, domain: Domain) -> DomainCounts:
        """Return the counts of a domain."""
        return self.source if domain == "source" else self.target

    @property
    def clips(self) -> int:
        """All clips of the section."""
        return sum(counts.train + counts.test for counts in (self.source, self.target))


PRINTED_TOTALS = {"source_train": 30122, "source_test": 6274, "target_train": 90, "target_test": 6182}
"""The table's last line; the rows sum to 6,244 source and 6,194 target test clips instead."""

# Source training clips; then for source and target: test clips (normal, anomaly, or both together)
# and SNR (centre, spread). Every section has 3 target training clips.
_Test = tuple[int, int] | int
_ROWS: dict[str, list[tuple[int, _Test, tuple[float, float], _Test, tuple[float, float], str]]] = {
    "fan": [
        (1000, (100, 100), (-9, 0), (100, 100), (-9, 0), "wind strength differs between domains"),
        (1000, (100, 100), (-12, 0), (100, 100), (-12, 0), "two products of one maker, of other size in each domain"),
        (1000, (100, 100), (-9, 0), (100, 100), (-9, 0), "factory noise differs between domains"),
        (1000, 200, (-9, 1.5), 200, (-9, 1.5), "wind strength differs between domains"),
        (1000, 200, (-9, 1.5), 200, (-9, 1.5), "wind strength differs between domains"),
        (1000, 200, (-9, 1.5), 200, (-9, 1.5), "wind temperature differs between domains"),
    ],
    "gearbox": [
        (1001, (165, 105), (-15, 0), (108, 108), (-15, 0), "voltage differs between domains"),
        (1008, (108, 108), (-15, 0), (108, 108), (-15, 0), "arm length differs between domains"),
        (1008, (108, 138), (-15, 0), (105, 120), (-15, 0), "weight differs between domains"),
        (1005, 234, (-15, 1.5), 286, (-15, 1.5), "voltage differs between domains"),
        (1092, 252, (-15, 1.5), 234, (-15, 1.5), "arm length differs between domains"),
        (1008, 210, (-17, 1.5), 212, (-17, 1.5), "voltage and arm length differ between domains"),
    ],
    "pump": [
        (1000, (100, 100), (-9, 0), (100, 100), (-9, 0), "submersible; viscosity differs between domains"),
        (1000, (100, 100), (-12, 0), (100, 100), (-18, 0), "SNR differs between domains"),
        (1000, (100, 100), (-9, 0), (100, 100), (-9, 0), "several pumps run in the target domain, any may fail"),
        (1000, 200, (-11, 1.5), 200, (-11, 1.5), "submersible; viscosity differs between domains"),
        (1000, 200, (-9, 1.5), 200, (-9, 1.5), "factory noise differs between domains"),
        (1000, 200, (-9, 1.5), 200, (-9, 1.5), "several pumps run in the target domain, any may fail"),
    ],
    "slider": [
        (1000, (100, 100), (-12, 0), (100, 100), (-12, 0), "ball screw; velocity differs between domains"),
        (1000, (100, 100), (-12, 0), (98, 100), (-12, 0), "ball screw; operation mode differs between domains"),
        (1000, (110, 102), (-10, 0), (102, 102), (-10, 0), "belt; belt material differs between domains"),
        (1000, 200, (-12, 1.5), 200, (-12, 1.5), "ball screw; velocity differs between domains"),
        (1000, 200, (-14, 1.5), 200, (-14, 1.5), "ball screw; operation mode differs between domains"),
        (1000, 204, (-12, 1.5), 203, (-12, 1.5), "belt; belt material differs between domains"),
    ],
    "valve": [
        (1000, (100, 100), (-9, 0), (100, 100), (-12, 0), "timing of opening and closing differs between domains"),
        (1000, (100, 100), (-9, 0), (100, 100), (-12, 0), "no pump runs in the source domain"),
        (1000, (100, 100), (-12, 0), (100, 100), (-10, 0), "two valves run in the target domain, one of them may fail"),
        (1000, 200, (-9, 1.5), 200, (-9, 1.5), "timing of opening and closing differs between domains"),
        (1000, 200, (-9, 1.5), 200, (-9, 1.5), "no pump in the source domain, flowing water in the target domain"),
        (1000, 200, (-12, 1.5), 200, (-12, 1.5), "two valves run in the target domain, one of them may fail"),
    ],
}  # fmt: skip


def _counts(train: int, test: _Test, snr: tuple[float, float]) -> DomainCounts:
    normal, anomaly = test if isinstance(test, tuple) else (None, None)
    total = test if isinstance(test, int) else sum(test)
    return DomainCounts(train, total, normal, anomaly, float(snr[0]), float(snr[1]))


@cache
def table1() -> dict[tuple[str, str], Section]:
    """Return the table by machine and section."""
    return {
        (machine, f"{i:02d}"): Section(
            machine, f"{i:02d}", _counts(train, source, snr), _counts(3, target, target_snr), description
        )
        for machine, rows in _ROWS.items()
        for i, (train, source, snr, target, target_snr, description) in enumerate(rows)
    }


def totals() -> dict[str, int]:
    """Sum the rows, by the names of `PRINTED_TOTALS`."""
    rows = table1().values()
    return {
        "source_train": sum(row.source.train for row in rows),
        "source_test": sum(row.source.test for row in rows),
        "target_train": sum(row.target.train for row in rows),
        "target_test": sum(row.target.test for row in rows),
    }
