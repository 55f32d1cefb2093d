from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from edge_asd.detectors.scores import SCORE_MAX
from edge_asd.errors import DataError
from edge_asd.quantize.threshold_fitting import METHODS, fit_threshold, with_domains
from edge_asd.thresholds import FEW_CLIPS, Target, false_positive_threshold, quantile_threshold

DB2 = 1 << 16


@pytest.fixture(scope="module")
def scores():
    """Scores of a known gamma distribution, some from each domain."""
    values = stats.gamma.rvs(4.0, loc=10.0, scale=2.0, size=4000, random_state=np.random.default_rng(0))
    integers = [round(value * DB2) for value in values.tolist()]
    return {"source": integers[:3000], "target": integers[3000:]}


def test_quantiles_are_those_of_the_core(scores):
    assert fit_threshold(scores, Target("quantile", 0.9)) == quantile_threshold(scores, 0.9)


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.99])
def test_gamma_finds_the_distribution_the_scores_came_from(scores, quantile):
    threshold = fit_threshold(scores, Target("gamma", quantile))
    exact = stats.gamma.ppf(quantile, 4.0, loc=10.0, scale=2.0)
    assert threshold.score / DB2 == pytest.approx(exact, rel=0.02)
    assert (threshold.method, threshold.quantile, threshold.clips) == (
        "gamma",
        quantile,
        {"source": 3000, "target": 1000},
    )
    assert type(threshold.score) is int


def test_gamma_is_scipys_fit_of_all_scores_pooled():
    few = {"source": [5 * DB2, 6 * DB2, 9 * DB2, 7 * DB2], "target": [8 * DB2, 30 * DB2]}
    expected = stats.gamma.ppf(0.9, *stats.gamma.fit([5.0, 6.0, 9.0, 7.0, 8.0, 30.0]))
    assert fit_threshold(few, Target("gamma", 0.9)).score == round(expected * DB2)


def test_gamma_stays_within_what_a_score_can_be():
    high = {"source": [SCORE_MAX - 3, SCORE_MAX - 1, SCORE_MAX, SCORE_MAX - 2]}
    assert 0 <= fit_threshold(high, Target("gamma", 0.9999)).score <= SCORE_MAX


@pytest.mark.parametrize("scores", [{}, {"source": []}, {"source": [1, 2]}, {"source": [1, 1, 1], "target": [2, 2]}])
def test_gamma_needs_three_different_scores(scores):
    with pytest.raises(DataError, match="Use --threshold quantile"):
        fit_threshold(scores, Target("gamma", 0.9))


@pytest.mark.parametrize("quantile", [0.0, 1.0, -1.0, math.nan])
def test_gamma_has_no_quantile_at_its_ends(scores, quantile):
    with pytest.raises(DataError, match=r"outside \(0, 1\)"):
        fit_threshold(scores, Target("gamma", quantile))


def test_another_method_is_refused(scores):
    assert METHODS == ("quantile", "gamma", "false-positive-rate")
    with pytest.raises(DataError, match="no threshold method 'mean'; use one of: quantile, gamma, false-positive-rate"):
        fit_threshold(scores, Target("mean", 0.9))


def test_false_positive_rates_are_those_of_the_core(scores):
    assert fit_threshold(scores, Target("false-positive-rate", 0.05)) == false_positive_threshold(scores, 0.05)
    with pytest.raises(DataError, match=r"The false-positive rate 1 is outside \[0, 1\)"):
        fit_threshold(scores, Target("false-positive-rate", 1))


@pytest.mark.parametrize("method", METHODS)
def test_a_domain_with_enough_clips_gets_its_own_threshold_fitted_alike(scores, method):
    section = fit_threshold(scores, Target(method, 0.9))
    fitted, without = with_domains(section, Target(method, 0.9), scores, {"source": FEW_CLIPS, "target": FEW_CLIPS - 1})
    assert fitted.score == section.score
    assert fitted.domains == {"source": fit_threshold({"source": scores["source"]}, Target(method, 0.9))}
    assert without == ["target"]
