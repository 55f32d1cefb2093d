"""What loudness alone tells: the figure that stands beside every AUC."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge_asd.train.figures.metrics import rank_figures


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One section and domain of a data set.

    Attributes
    ----------
    section, domain : str
    train, normal, anomaly : int
        Training clips, and test clips of either label.
    auc_level : float or None
        AUC of the RMS level of the test clips; None where a label is missing.
    """

    section: str
    domain: str
    train: int
    normal: int
    anomaly: int
    auc_level: float | None


@dataclass(frozen=True, slots=True)
class Level:
    """A written clip's level."""

    section: str
    domain: str
    split: str
    label: str
    db: float


def level_rows(levels: Iterable[Level]) -> list[LevelRow]:
    """Sum up the clips of a data set by section and domain."""
    groups: dict[tuple[str, str], list[Level]] = {}
    for level in levels:
        groups.setdefault((level.section, level.domain), []).append(level)
    rows = []
    for (section, domain), group in sorted(groups.items()):
        tests = [level for level in group if level.split == "test"]
        anomaly = [level.label == "anomaly" for level in tests]
        auc = rank_figures(anomaly, [level.db for level in tests]).auc
        rows.append(LevelRow(section, domain, len(group) - len(tests), anomaly.count(False), anomaly.count(True), auc))
    return rows
