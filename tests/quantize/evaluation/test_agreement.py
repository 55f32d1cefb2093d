from __future__ import annotations

import pytest

from edge_asd.quantize.evaluation.agreement import agreement


def test_agreement_of_a_few_scores():
    found = agreement([1.0, 2.0, 4.0, 8.0], [1.1, 2.0, 4.0, 4.0], [1.05, 9.0, 9.0, 5.0], signed=False)
    assert found.max_relative_score_error == 0.5
    assert found.flipped_decisions == 0.5
    assert found.distinct_score_ratio == 0.75
    assert found.score_correlation == pytest.approx(11.475 / (28.75 * 6.4075) ** 0.5, rel=1e-12)  # by hand


def test_scores_of_either_sign_are_compared_with_their_mean_magnitude():
    found = agreement([-3.0, 0.0, 3.0], [-3.0, 1.0, 3.0], [0.5] * 3, signed=True)
    assert found.max_relative_score_error == 0.5
    assert found.flipped_decisions == pytest.approx(1 / 3)


def test_scores_that_do_not_vary_have_no_correlation():
    assert agreement([1.0, 1.0], [1.0, 2.0], [3.0, 3.0], signed=False).score_correlation is None
