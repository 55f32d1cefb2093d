from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from edge_asd.train.figures.bootstrap import (
    auc_interval,
    cell_seed,
    paired_difference_interval,
    pauc_interval,
    percentile_interval,
    resample_figures,
)
from edge_asd.train.figures.metrics import rank_figures
from edge_asd.train.figures.resampling import figures_of_draws

N = 60
LABELS = [False] * N + [True] * N


def scores(seed: int, distance: float = 1.0, n: int = N) -> np.ndarray:
    """Unit normal scores of `n` normal clips, and of `n` anomalies `distance` above them."""
    return np.random.default_rng(seed).normal(size=2 * n) + np.repeat([0.0, distance], n)


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 25), st.integers(0, 2**32))
def test_figures_of_draws_are_those_of_scikit_learn(n_normal, n_anomalous, n_levels, seed):
    rng = np.random.default_rng(seed)
    normal, anomalous = (rng.integers(n_levels, size=(2, n)) for n in (n_normal, n_anomalous))
    labels = [False] * n_normal + [True] * n_anomalous
    auc, pauc = figures_of_draws(normal, anomalous)
    for i, levels in enumerate(np.hstack([normal, anomalous])):
        assert abs(auc[i] - roc_auc_score(labels, levels)) <= 1e-12
        assert abs(pauc[i] - roc_auc_score(labels, levels, max_fpr=0.1)) <= 1e-12


def test_resamples_are_drawn_within_each_class(monkeypatch):
    """The same draws one by one, and scikit-learn's figures of the clips that they name."""
    values = np.round(scores(1), 1)
    for at_once in (2**20, 5 * 2 * N):  # all resamples together, and five at a time
        monkeypatch.setattr("edge_asd.train.figures.resampling._AT_ONCE", at_once)
        rng = np.random.default_rng(7)
        (found,) = resample_figures(LABELS, values, resamples=20, seed=7)
        for start in range(0, 20, min(20, at_once // (2 * N))):
            rows = range(start, min(20, start + at_once // (2 * N)))
            drawn = np.hstack([rng.integers(N, size=(len(rows), N)), N + rng.integers(N, size=(len(rows), N))])
            for row, clips in zip(rows, drawn, strict=True):
                assert abs(found.auc[row] - roc_auc_score(LABELS, values[clips])) <= 1e-12
                assert abs(found.pauc[row] - roc_auc_score(LABELS, values[clips], max_fpr=0.1)) <= 1e-12


def test_intervals_are_quantiles_of_the_resamples():
    values = scores(2)
    (drawn,) = resample_figures(LABELS, values, resamples=500, seed=3)
    for interval, figures in ((auc_interval, drawn.auc), (pauc_interval, drawn.pauc)):
        expected = tuple(np.percentile(figures, [2.5, 97.5]))
        assert interval(LABELS, values, resamples=500, seed=3) == pytest.approx(expected, abs=1e-12)
        assert interval(LABELS, values, resamples=500, seed=4) != interval(LABELS, values, resamples=500, seed=3)
    low, high = auc_interval(LABELS, values)
    # Hanley and McNeil (1982) give the standard error of an AUC of .76 from 60 + 60 clips as .043.
    assert high - low == pytest.approx(2 * 1.96 * 0.043, rel=0.15)
    wider = auc_interval(LABELS, values, confidence=0.99)
    assert wider[0] < low < high < wider[1]


def test_only_the_order_of_the_scores_counts():
    values = np.round(scores(3), 1)
    assert auc_interval(LABELS, values) == auc_interval(LABELS, np.exp(values * 30))
    assert auc_interval(LABELS, values) == auc_interval(LABELS, (values * 10).round().astype(int).tolist())


def test_a_paired_difference_is_of_the_same_clips():
    a = scores(4)
    b = a + np.random.default_rng(5).normal(size=2 * N) * 0.1
    low, high = paired_difference_interval(LABELS, a, b, seed=1)
    assert paired_difference_interval(LABELS, b, a, seed=1) == pytest.approx((-high, -low), abs=1e-12)
    assert low <= rank_figures(LABELS, a).auc - rank_figures(LABELS, b).auc <= high
    drawn_a, drawn_b = resample_figures(LABELS, a, b, seed=1)
    assert (low, high) == percentile_interval(drawn_a.auc - drawn_b.auc)
    expected = percentile_interval(drawn_a.pauc - drawn_b.pauc)
    assert paired_difference_interval(LABELS, a, b, figure="pauc", seed=1) == expected
    # Pairing is what makes it narrow: apart, each interval alone is many times as wide.
    alone = auc_interval(LABELS, a, seed=1)
    assert (high - low) < (alone[1] - alone[0]) / 5
    assert paired_difference_interval(LABELS, a, 2 * a + 1) == (0.0, 0.0)


def test_classes_apart_leave_nothing_to_vary():
    assert auc_interval(LABELS, [0.0] * N + [1.0] * N) == (1.0, 1.0)
    assert auc_interval(LABELS, [0.0] * 2 * N) == (0.5, 0.5)


@pytest.mark.parametrize("labels", [[], [True] * 4, [False] * 4, [True, False, False], [True, True, False]])
def test_one_clip_of_a_class_has_no_interval(labels):
    values = list(range(len(labels)))
    assert auc_interval(labels, values) is None
    assert pauc_interval(labels, values) is None
    assert paired_difference_interval(labels, values, values) is None


def test_arguments_that_make_no_sense():
    with pytest.raises(ValueError, match="not finite"):
        auc_interval(LABELS, [float("nan")] * 2 * N)
    with pytest.raises(ValueError, match=r"120 labels, and scores of shape \(3,\)"):
        paired_difference_interval(LABELS, scores(1), [1, 2, 3])
    with pytest.raises(ValueError, match="confidence is 95"):
        auc_interval(LABELS, scores(1), confidence=95)
    with pytest.raises(ValueError, match="resamples is 0"):
        auc_interval(LABELS, scores(1), resamples=0)


def test_cells_are_drawn_apart():
    seeds = [
        cell_seed(0, "fan", "00", "source"),
        cell_seed(0, "fan", "01", "source"),
        cell_seed(1, "fan", "00", "source"),
    ]
    assert len({auc_interval(LABELS, scores(6), seed=seed) for seed in seeds}) == 3


@pytest.mark.prove
@pytest.mark.parametrize(("n", "least"), [(20, (0.92, 0.82)), (100, (0.92, 0.91))])
def test_intervals_hold_the_true_figure(n, least):
    """How often 95 % intervals of AUC and pAUC hold the figure of endless clips; 1,000 sets of `n` + `n` clips."""
    distance = 1.0
    rates = (np.arange(10**6) + 0.5) / 10**6 * 0.1
    area = norm.cdf(distance + norm.ppf(rates)).mean() * 0.1
    truth = (norm.cdf(distance / np.sqrt(2)), (1 + (area - 0.005) / 0.095) / 2)
    labels = [False] * n + [True] * n
    held = np.zeros(2)
    for seed in range(1000):
        (drawn,) = resample_figures(labels, scores(seed, distance, n), resamples=1000, seed=seed)
        for i, figures in enumerate((drawn.auc, drawn.pauc)):
            low, high = percentile_interval(figures)
            held[i] += low <= truth[i] <= high
    print(f"\n{n} + {n} clips: the 95 % interval holds the AUC {held[0] / 1000:.1%}, the pAUC {held[1] / 1000:.1%}")
    assert (held / 1000 >= least).all()
