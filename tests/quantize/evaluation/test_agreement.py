from __future__ import annotations

import numpy as np
import pytest

from edge_asd.quantize.evaluation.agreement import agreement


def test_agreement_of_a_few_scores():
    floating, shipped, thresholds = [1.0, 2.0, 4.0, 8.0], [1.1, 2.0, 4.0, 4.0], [1.05, 9.0, 9.0, 5.0]
    found = agreement(floating, shipped, thresholds, signed=False, sections=["00"] * 4)
    assert found.max_relative_score_error == 0.5
    assert found.flipped_decisions == 0.5
    assert found.distinct_score_ratio == 0.75
    assert found.score_correlation == pytest.approx(11.475 / (28.75 * 6.4075) ** 0.5, rel=1e-12)  # by hand


def test_scores_of_either_sign_are_compared_with_their_mean_magnitude():
    found = agreement([-3.0, 0.0, 3.0], [-3.0, 1.0, 3.0], [0.5] * 3, signed=True, sections=["00"] * 3)
    assert found.max_relative_score_error == 0.5
    assert found.flipped_decisions == pytest.approx(1 / 3)


def test_scores_that_do_not_vary_have_no_correlation():
    found = agreement([1.0, 1.0], [1.0, 2.0], [3.0, 3.0], signed=False, sections=["00"] * 2)
    assert found.score_correlation is None


def test_correlation_is_that_of_the_section_that_agrees_least():
    """Scores that differed between sections alone once had a correlation of 1.00000."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=20), rng.normal(size=20)
    floating, sections = [*a - 80, *b + 80], ["00"] * 20 + ["01"] * 20
    shipped = [*a - 80, *b + rng.normal(size=20) + 80]

    def correlation(shipped: list[float], floating: list[float] = floating) -> float | None:
        return agreement(floating, shipped, [0.0] * 40, signed=True, sections=sections).score_correlation

    assert correlation(shipped) == np.corrcoef(floating[20:], shipped[20:])[0, 1]
    assert correlation([-80.0] * 20 + [80.0] * 20) == 0
    assert correlation([*a, *[80.0] * 20], [*a, *[80.0] * 20]) == pytest.approx(1, abs=1e-15)
    assert correlation(shipped, [-80.0] * 20 + [80.0] * 20) is None
