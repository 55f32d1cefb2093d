from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd.train.figures.metrics import DecisionFigures, RankFigures, decision_figures, rank_figures

CLIPS = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=30).filter(
    lambda clips: len({anomaly for anomaly, _ in clips}) == 2
)


@given(CLIPS)
def test_the_auc_is_the_share_of_pairs_in_the_right_order(clips):
    normal, anomalous = ([score for label, score in clips if label is kind] for kind in (False, True))
    pairs = [(a > n) + (a == n) / 2 for a in anomalous for n in normal]
    figures = rank_figures([label for label, _ in clips], [score for _, score in clips])
    assert figures.auc == pytest.approx(sum(pairs) / len(pairs))


def test_the_partial_auc_is_standardised():
    labels = [False] * 100 + [True] * 10
    assert rank_figures(labels, [0] * 100 + [1] * 10) == RankFigures(1.0, 1.0)
    assert rank_figures(labels, [0] * 110).pauc == pytest.approx(0.5)
    # 5 of 100 normal clips score above every anomaly: half of the range up to 0.1 is lost.
    area, chance = 0.05, 0.1**2 / 2
    expected = (1 + (area - chance) / (0.1 - chance)) / 2
    assert rank_figures(labels, [0] * 95 + [2] * 5 + [1] * 10).pauc == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=30))
def test_decisions_are_counted(clips):
    hits = sum(label and flagged for label, flagged in clips)
    anomalies, flags = sum(label for label, _ in clips), sum(flagged for _, flagged in clips)
    figures = decision_figures([label for label, _ in clips], [flagged for _, flagged in clips])
    if anomalies in (0, len(clips)):
        assert figures == DecisionFigures(None, None, None)
    else:
        expected = (hits / flags if flags else 0, hits / anomalies, 2 * hits / (anomalies + flags))
        assert (figures.precision, figures.recall, figures.f1) == pytest.approx(expected)


@pytest.mark.parametrize("labels", [[], [True], [False], [True, True], [False, False]])
def test_one_class_alone_has_no_figures(labels):
    assert rank_figures(labels, [1.0] * len(labels)) == RankFigures(None, None)
    assert decision_figures(labels, [True] * len(labels)) == DecisionFigures(None, None, None)
