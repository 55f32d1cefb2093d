from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from edge_asd.frontend.spec import FeatureSpec
from edge_asd.heard.ranges import MOST_RANGES, Evidence, Range, band_limits, explained, find_ranges

LIMITS = band_limits(FeatureSpec())
N = 128


def matrix(seed: int, directions: int = 12) -> npt.NDArray[np.float64]:
    """A metric that forgives wide movements together, of levels above all."""
    rng = np.random.default_rng(seed)
    raw = rng.standard_normal((directions, 2 * N))
    raw[0] = np.concatenate([np.ones(N), np.zeros(N)])
    rows = np.linalg.qr(raw.T)[0].T * 0.9999
    found: npt.NDArray[np.float64] = np.eye(2 * N) - rows.T @ rows
    return found


def evidence(d: npt.NDArray[np.float64], m: npt.NDArray[np.float64]) -> Evidence:
    return Evidence(m, m @ d, 1.0, 2)


def test_what_a_range_explains_is_the_score_less_that_of_the_rest() -> None:
    m, d = matrix(1), np.random.default_rng(2).standard_normal(2 * N)
    places = Range(40, 47, 0.0).features(2, N)
    found, surprise = explained(evidence(d, m), places)
    rest = np.setdiff1d(np.arange(2 * N), places)
    marginal = np.linalg.inv(np.linalg.inv(m)[np.ix_(rest, rest)])
    assert found == pytest.approx(d @ m @ d - d[rest] @ marginal @ d[rest], rel=1e-9)
    covariance = np.linalg.inv(m)
    expected = covariance[np.ix_(places, rest)] @ marginal @ d[rest]
    np.testing.assert_allclose(surprise, d[places] - expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_a_shift_of_known_bands_is_found_beneath_one_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, width = int(rng.integers(15, 110)), int(rng.integers(2, 8))
    d = 0.06 * rng.standard_normal(2 * N)
    d[:N] += 6.0  # all is louder, which the metric forgives
    d[first : first + width] += 2.0
    (one,) = find_ranges(evidence(d, matrix(seed)), LIMITS)
    assert one.first <= first
    assert first + width - 1 <= one.last
    assert LIMITS[one.last + 1] <= 2 * LIMITS[one.first]
    assert one.last - one.first + 1 <= width + 2


def test_two_shifts_are_two_ranges_and_many_are_three() -> None:
    d = np.zeros(2 * N)
    d[30:33] = 2.0
    d[N + 90 : N + 93] = 1.8
    m = matrix(3)
    assert [(one.first, one.last) for one in find_ranges(evidence(d, m), LIMITS)] == [(30, 32), (90, 92)]
    d[60:63] = d[110:113] = d[10:13] = 2.0
    found = find_ranges(evidence(d, m), LIMITS)
    assert len(found) == MOST_RANGES
    assert sum(one.explained for one in found) < d @ m @ d
    bands = [band for one in found for band in range(one.first, one.last + 1)]
    assert len(set(bands)) == len(bands)


def test_a_small_shift_beside_a_large_one_is_not_named() -> None:
    d = np.zeros(2 * N)
    d[30:33], d[90:93] = 2.0, 0.8
    assert [one.first for one in find_ranges(evidence(d, matrix(4)), LIMITS)] == [30]


def test_nothing_moved() -> None:
    assert find_ranges(evidence(np.zeros(2 * N), matrix(5)), LIMITS) == []


@pytest.mark.parametrize(
    "spec", [FeatureSpec(), FeatureSpec(n_mels=16), FeatureSpec(48000, 2048, 512, 64), FeatureSpec(8000, 512, 100, 128)]
)
def test_limits_lie_between_the_peaks_of_the_bands(spec: FeatureSpec) -> None:
    limits = band_limits(spec)
    assert len(limits) == spec.n_mels + 1
    assert limits[0] > 0
    assert (np.diff(limits) > 0).all()
    assert limits[-1] == pytest.approx(spec.sample_rate / 2)
