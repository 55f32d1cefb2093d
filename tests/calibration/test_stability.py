"""How often the rule of stable scores meets sound that is in order, and what it finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.calibration.spans import SpanScorer
from edge_asd.calibration.stability import DRIFT_SPREADS, LEAST_SPANS, OUTLIER_SPREADS, drift, outliers
from edge_asd.detectors.loading import load_detector
from tests.data import machine_sound
from tests.golden.committed import NAMES

RANDOM = np.random.default_rng(21)
SETS = 2000


def q16(scores: np.ndarray) -> list[int]:
    return np.rint(scores * 65536).astype(int).tolist()


def wandering(n: int) -> np.ndarray:
    """Scores of which neighbours correlate by a half."""
    return np.convolve(RANDOM.normal(size=n + 20), 0.5 ** np.arange(20), "valid")[:n]


@pytest.mark.parametrize(
    ("name", "make", "n", "odd", "moved"),
    [
        ("steady, 3 %", lambda n: 10 + 0.3 * RANDOM.normal(size=n), 30, 0, 0),
        ("steady, 15 %", lambda n: 10 + 1.5 * RANDOM.normal(size=n), 30, 0, 0),
        ("few", lambda n: 10 + 1.5 * RANDOM.normal(size=n), 10, 0.003, 0.003),
        ("skewed", lambda n: RANDOM.gamma(4, size=n), 30, 0.003, 0),
        ("of either sign", lambda n: 2 * RANDOM.normal(size=n), 30, 0, 0),
        ("wandering", lambda n: 10 + 0.5 * wandering(n), 30, 0, 0.001),
        ("hardly any spread", lambda n: 10 + 0.02 * RANDOM.standard_cauchy(n).clip(-60, 60), 30, 0.003, 0),
    ],
)
def test_ordinary_scores_are_hardly_ever_refused(
    name: str, make: Callable[[int], np.ndarray], n: int, odd: float, moved: float
) -> None:
    sets = [q16(make(n)) for _ in range(SETS)]
    assert sum(bool(outliers(scores)) for scores in sets) <= odd * SETS, name
    assert sum(bool(drift(scores)) for scores in sets) <= moved * SETS, name


@pytest.mark.parametrize("name", NAMES)
def test_sound_in_order_is_stable(name: str) -> None:
    bundle = Bundle.load(NAMES[name])
    for seed in range(3 if name == "ae" else 1):
        scorer = SpanScorer(bundle, load_detector(bundle), "00")
        seconds = 12 * scorer.span_seconds + 4
        spans = scorer.push(machine_sound(np.random.default_rng(seed), seconds=seconds))
        scores = [span.score for span in spans]
        assert len(scores) >= 12
        assert (outliers(scores), drift(scores)) == ([], 0)


def test_what_does_not_belong_is_found() -> None:
    steady = 10 + 0.3 * RANDOM.normal(size=30)
    hammered = steady.copy()
    hammered[[7, 20]] = 16
    assert outliers(q16(hammered)) == [7, 20]
    assert drift(q16(hammered)) == 0
    switched = np.concatenate([steady[:24], steady[24:] * 2])
    assert outliers(q16(switched)) == [24, 25, 26, 27, 28, 29]
    half = np.concatenate([steady[:15], steady[15:] + 5])
    assert drift(q16(half)) == pytest.approx(5 * 65536, rel=0.1)
    assert drift(q16(half[::-1])) == pytest.approx(-5 * 65536, rel=0.1)
    warming = steady - 4 * np.exp(-np.arange(30) / 8)
    assert drift(q16(warming)) > 0


def test_bounds() -> None:
    least = 0.02 * 10  # of the median
    for excess, found in ((0.999, []), (1.001, [LEAST_SPANS - 1])):
        scores = q16(np.array([10.0] * (LEAST_SPANS - 1) + [10 + OUTLIER_SPREADS * least * excess]))
        assert outliers(scores) == found
        assert outliers(scores[1:]) == []  # too few
    third = LEAST_SPANS // 3
    for excess, found in ((0.999, 0), (1.001, round(DRIFT_SPREADS * least * 1.001 * 65536))):
        scores = q16(np.array([10.0] * (LEAST_SPANS - third) + [10 + DRIFT_SPREADS * least * excess] * third))
        assert drift(scores) == pytest.approx(found, abs=1)
        assert drift(scores[1:]) == 0
    assert outliers([0] * 20) == []
