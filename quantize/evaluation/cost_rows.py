"""The figures of one row of an evaluation: a section, or one domain of it, scored three ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from edge_asd.detectors.scores import score_value
from edge_asd.thresholds import is_anomalous
from edge_asd.train.data.dataset import Clip
from edge_asd.train.figures.bootstrap import cell_seed, paired_difference_interval
from edge_asd.train.figures.measures import RowClips, pick, strata
from edge_asd.train.figures.metrics import decision_figures, row_figures


@dataclass(frozen=True, slots=True)
class Result:
    """One section and domain; None where a class is missing.

    Which clips enter which figure: `edge_asd.train.figures.measures`.

    Attributes
    ----------
    domain : {"source", "target"} or None
        None where the row is of all clips of the section.
    n_normal, n_anomaly
        Clips that the AUC are of.
    auc_float, pauc_float, f1_float
        Of float features and the float model; the bundle's threshold decides.
    auc_fixed, pauc_fixed, f1_fixed
        Of fixed-point features and the float model.
    auc_shipped, pauc_shipped, precision, recall, f1
        Of the shipped arithmetic.
    auc_drop, pauc_drop
        Float less shipped.
    auc_drop_low, auc_drop_high
        95 % interval of `auc_drop`, by a bootstrap of the clips.
    auc_level
        AUC of the clips' RMS level alone.
    false_positive_rate
        Share of the row's normal clips that the shipped arithmetic flags.
    """

    machine: str
    section: str
    domain: str | None
    n_normal: int
    n_anomaly: int
    auc_float: float | None
    auc_fixed: float | None
    auc_shipped: float | None
    auc_drop: float | None
    auc_drop_low: float | None
    auc_drop_high: float | None
    pauc_float: float | None
    pauc_fixed: float | None
    pauc_shipped: float | None
    pauc_drop: float | None
    auc_level: float | None
    f1_float: float | None
    f1_fixed: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    false_positive_rate: float | None

    def as_dict(self) -> dict[str, object]:
        """Return it as plain JSON, where the names say int8 for shipped, as programs know them."""
        return {name.replace("shipped", "int8"): value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class ClipScores:
    """One clip, scored three ways; `shipped` is an integer in Q15.16."""

    clip: Clip
    shipped: int
    fixed: float
    floating: float
    level: float
    frames: int


def evaluate_row(machine: str, section: str, row: RowClips, threshold: int, group: Sequence[ClipScores]) -> Result:
    """Compute a row's figures.

    Parameters
    ----------
    machine, section : str
    row : RowClips
        Which clips of `group` enter them.
    threshold : int, Q15.16
        Decides whatever the clips' domain.
    group : sequence of ClipScores
        The section's.
    """
    labels = [s.clip.name.label for s in group]
    float_column, shipped_column = [s.floating for s in group], [s.shipped for s in group]
    floating, shipped = row_figures(row, labels, float_column), row_figures(row, labels, shipped_column)
    fixed = row_figures(row, labels, fixed_column := [s.fixed for s in group])
    anomaly = [label == "anomaly" for label in pick(labels, row.decisions)]
    decided = [is_anomalous(score, threshold) for score in pick(shipped_column, row.decisions)]
    decisions = decision_figures(anomaly, decided)
    normal = [flag for flag, label in zip(decided, anomaly, strict=True) if not label]
    of_auc = pick(labels, row.auc)
    interval = paired_difference_interval(
        [label == "anomaly" for label in of_auc],
        pick(float_column, row.auc),
        pick(shipped_column, row.auc),
        within=strata(of_auc, [group[i].clip.name.domain for i in row.auc]),
        seed=cell_seed(0, machine, section, row.domain or ""),
    )

    def f1_of(column: Sequence[float]) -> float | None:
        return decision_figures(anomaly, [score > score_value(threshold) for score in pick(column, row.decisions)]).f1

    return Result(
        machine=machine,
        section=section,
        domain=row.domain,
        n_normal=of_auc.count("normal"),
        n_anomaly=of_auc.count("anomaly"),
        auc_float=floating.auc,
        auc_fixed=fixed.auc,
        auc_shipped=shipped.auc,
        auc_drop=_difference(floating.auc, shipped.auc),
        auc_drop_low=None if interval is None else interval[0],
        auc_drop_high=None if interval is None else interval[1],
        pauc_float=floating.pauc,
        pauc_fixed=fixed.pauc,
        pauc_shipped=shipped.pauc,
        pauc_drop=_difference(floating.pauc, shipped.pauc),
        auc_level=row_figures(row, labels, [s.level for s in group]).auc,
        f1_float=f1_of(float_column),
        f1_fixed=f1_of(fixed_column),
        precision=decisions.precision,
        recall=decisions.recall,
        f1=decisions.f1,
        false_positive_rate=sum(normal) / len(normal) if normal else None,
    )


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
