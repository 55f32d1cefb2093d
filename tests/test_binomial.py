from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from edge_asd.binomial import clopper_pearson, incomplete_beta


@given(a=st.integers(1, 3000), b=st.integers(1, 3000), x=st.floats(1e-9, 1 - 1e-9))
def test_the_incomplete_beta_function_is_scipys(a, b, x):
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-8, abs=1e-11)


@given(n=st.integers(1, 2000), share=st.floats(0, 1), confidence=st.sampled_from((0.8, 0.95, 0.99)))
def test_the_interval_is_scipys(n, share, confidence):
    count = round(share * n)
    expected = stats.binomtest(count, n).proportion_ci(confidence, method="exact")
    assert clopper_pearson(count, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_the_ends_are_exact():
    for n in (1, 2, 10, 1000, 100_000):
        low, high = clopper_pearson(0, n)
        assert (low, high) == (0.0, pytest.approx(1 - 0.025 ** (1 / n), rel=1e-7))
        assert clopper_pearson(n, n) == (pytest.approx(1 - high, rel=1e-7), 1.0)


@pytest.mark.parametrize(
    "arguments", [(-1, 3), (4, 3), (0, 0), (1, 3, 0.0), (1, 3, 1.0), (1, 3, float("nan"))], ids=str
)
def test_impossible_counts_are_refused(arguments):
    with pytest.raises(ValueError, match="no interval"):
        clopper_pearson(*arguments)
