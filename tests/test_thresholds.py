from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from edge_asd.errors import DataError
from edge_asd.thresholds import false_positive_threshold, is_anomalous, quantile_threshold, weighted_quantile

SCORES = st.lists(st.integers(0, 30) | st.integers(0, 2**31 - 1), min_size=1, max_size=40)
DOMAINS = st.dictionaries(st.sampled_from(("source", "target", "other")), SCORES, min_size=1)


def weight_at_or_below(scores, limit) -> Fraction:
    """Share of the weight at or below a score: each domain the same, each clip the same within it."""
    return sum(
        Fraction(sum(score <= limit for score in values), len(values) * len(scores)) for values in scores.values()
    )


@given(scores=DOMAINS, per_mille=st.integers(1, 1000))
def test_the_threshold_is_the_smallest_score_with_enough_weight_below(scores, per_mille):
    wanted = Fraction(per_mille, 1000)  # the decimal as a person wrote it, not its nearest float
    threshold = quantile_threshold(scores, per_mille / 1000)
    everything = sorted({score for values in scores.values() for score in values})
    assert threshold.score == min(score for score in everything if weight_at_or_below(scores, score) >= wanted)
    assert (threshold.method, threshold.quantile) == ("quantile", per_mille / 1000)
    assert threshold.clips == {domain: len(values) for domain, values in scores.items()}


@given(scores=SCORES, times=st.integers(1, 50), per_mille=st.integers(1, 1000))
def test_a_domain_weighs_the_same_however_many_clips_it_has(scores, times, per_mille):
    few = {"source": scores, "target": [100, 200, 300]}
    many = {"source": scores * times, "target": [100, 200, 300]}
    assert quantile_threshold(few, per_mille / 1000).score == quantile_threshold(many, per_mille / 1000).score


@given(scores=DOMAINS, per_mille=st.integers(1, 1000))
def test_floats_have_the_same_quantiles(scores, per_mille):
    floats = {domain: [score / 3 for score in values] for domain, values in scores.items()}
    assert weighted_quantile(floats, per_mille / 1000) == quantile_threshold(scores, per_mille / 1000).score / 3


def test_what_was_asked_for_is_told_as_it_was_asked():
    for rate in (0, 0.05, 0.1, 0.3, 1 / 3, 0.999):
        assert false_positive_threshold({"source": [1, 2]}, rate).asked == pytest.approx(rate, abs=1e-12)
        assert quantile_threshold({"source": [1, 2]}, 1 - rate).asked == 1 - rate
    assert false_positive_threshold({"source": [1, 2]}, 0.05).asked == 0.05


def test_three_clips_of_one_domain_count_as_much_as_a_thousand_of_the_other():
    scores = {"source": list(range(1000)), "target": [5000, 6000, 7000]}
    assert [quantile_threshold(scores, q).score for q in (0.25, 0.5, 0.6, 0.8, 0.9, 1.0)] == [
        499, 999, 5000, 6000, 7000, 7000,
    ]  # fmt: skip


def test_one_clip_is_its_own_threshold_and_empty_domains_do_not_count():
    threshold = quantile_threshold({"source": [], "target": [42]}, 0.9)
    assert (threshold.score, threshold.clips) == (42, {"target": 1})


@pytest.mark.parametrize("quantile", [0, -0.1, 1.0001, math.nan, math.inf])
def test_a_quantile_out_of_range_is_refused(quantile):
    with pytest.raises(DataError, match=r"outside \(0, 1\]"):
        quantile_threshold({"source": [1]}, quantile)


@pytest.mark.parametrize("scores", [{}, {"source": []}, {"source": [], "target": []}])
def test_no_clip_is_no_threshold(scores):
    with pytest.raises(DataError, match="needs at least one healthy clip"):
        quantile_threshold(scores, 0.9)


def test_only_a_greater_score_is_anomalous():
    assert [is_anomalous(score, 100) for score in (0, 99, 100, 101)] == [False, False, False, True]


@given(scores=DOMAINS, per_mille=st.integers(0, 999))
def test_a_false_positive_rate_is_kept_with_the_lowest_threshold_that_keeps_it(scores, per_mille):
    threshold = false_positive_threshold(scores, per_mille / 1000)
    wanted = Fraction(per_mille, 1000)
    everything = sorted({score for values in scores.values() for score in values})
    assert threshold.score == min(score for score in everything if 1 - weight_at_or_below(scores, score) <= wanted)
    pooled = [score for values in scores.values() for score in values]
    found = threshold.false_positives
    assert (found.flagged, found.clips) == (sum(score > threshold.score for score in pooled), len(pooled))
    expected = stats.binomtest(found.flagged, found.clips).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert (threshold.method, threshold.quantile) == ("false-positive-rate", (1000 - per_mille) / 1000)
    assert threshold.clips == {domain: len(values) for domain, values in scores.items()}


def test_the_interval_holds_for_new_clips_although_the_threshold_was_fitted_on_these():
    """Of evenly spread scores, the true rate above a threshold is known."""
    rng, held = np.random.default_rng(0), []
    for _ in range(400):
        threshold = false_positive_threshold({"source": rng.integers(0, 10**6, 40).tolist()}, 0.1)
        found = threshold.false_positives
        assert (found.flagged, found.clips) == (4, 40)
        held.append(found.low <= 1 - threshold.score / 10**6 <= found.high)
    assert sum(held) >= 380


@pytest.mark.parametrize("rate", [1, 1.5, -0.01, math.nan])
def test_a_false_positive_rate_out_of_range_is_refused(rate):
    with pytest.raises(DataError, match=r"outside \[0, 1\)"):
        false_positive_threshold({"source": [1]}, rate)
