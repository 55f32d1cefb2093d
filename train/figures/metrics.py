"""AUC, pAUC and the decision figures, as the DCASE Task 2 baselines compute them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_asd.clips import Label
from edge_asd.train.figures.measures import RowClips, pick

MAX_FPR = 0.1
"""The pAUC's range of false-positive rates; standardised after McClish, so 0.5 is chance."""


@dataclass(frozen=True, slots=True)
class RankFigures:
    """AUC and pAUC of one section and domain; None where a class is missing."""

    auc: float | None
    pauc: float | None


@dataclass(frozen=True, slots=True)
class DecisionFigures:
    """Precision, recall and F1 of one section and domain; None where a class is missing."""

    precision: float | None
    recall: float | None
    f1: float | None


def rank_figures(anomaly: Sequence[bool], scores: Sequence[float]) -> RankFigures:
    """Compute AUC and pAUC of scores that should be higher for anomalies."""
    from sklearn.metrics import roc_auc_score

    if len(set(anomaly)) < 2:
        return RankFigures(None, None)
    return RankFigures(float(roc_auc_score(anomaly, scores)), float(roc_auc_score(anomaly, scores, max_fpr=MAX_FPR)))


def row_figures(row: RowClips, labels: Sequence[Label | None], scores: Sequence[float]) -> RankFigures:
    """Compute AUC and pAUC of a row from the labels and scores of its section's clips."""

    def figures(clips: Sequence[int]) -> RankFigures:
        return rank_figures([label == "anomaly" for label in pick(labels, clips)], pick(scores, clips))

    of_auc = figures(row.auc)
    return of_auc if row.auc == row.pauc else RankFigures(of_auc.auc, figures(row.pauc).pauc)


def decision_figures(anomaly: Sequence[bool], decisions: Sequence[bool]) -> DecisionFigures:
    """Compute precision, recall and F1; zero where nothing was flagged rightly.

    In the published code's order of operations, to the last digit of its files.
    """
    if len(set(anomaly)) < 2:
        return DecisionFigures(None, None, None)
    hits = sum(label and flagged for label, flagged in zip(anomaly, decisions, strict=True))
    if not hits:
        return DecisionFigures(0.0, 0.0, 0.0)
    precision, recall = hits / sum(decisions), hits / sum(anomaly)
    return DecisionFigures(precision, recall, 2 * precision * recall / (precision + recall))
