from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.distance.bands import band_terms
from edge_asd.distance.blocks import Blocks
from edge_asd.distance.distance import centre_scores, distances, scores
from edge_asd.distance.parameters import (
    LARGEST_MEAN,
    LARGEST_NORMALISER,
    LEAST_MEAN,
    MOST_DIRECTIONS,
    MOST_FEATURES,
    Centre,
    Directions,
    DistanceModel,
)
from edge_asd.errors import BundleError

EXTREMES = np.array([LEAST_MEAN, LARGEST_MEAN], dtype=np.int16)


def by_python(features: list[int], centre: Centre, directions: Directions) -> tuple[int, int]:
    """Distance and score, in integers that do not overflow; asserts the bounds that C counts on."""
    d = [x - int(mean) for x, mean in zip(features, centre.mean, strict=True)]
    assert all(-(2**15) <= one < 2**15 for one in d)
    total = 0
    for row, multiplier in zip(directions.vectors.tolist(), directions.multipliers.tolist(), strict=True):
        product = sum(q * one for q, one in zip(row, d, strict=True))
        assert abs(product) < 2**38
        assert abs(product * multiplier + 2**31) < 2**63
        z = (product * multiplier + (1 << 31)) >> 32
        assert abs(z) <= 2**28
        total += z * z
    assert total < 2**63
    distance = max(0, (sum(one * one for one in d) << 14) - total)
    assert (distance << 4) + centre.normaliser // 2 < 2**63
    return distance, min(2**31 - 1, ((distance << 4) + centre.normaliser // 2) // centre.normaliser)


def largest_multipliers(vectors: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
    reach = np.abs(vectors.astype(np.int64)).sum(axis=1) * (LARGEST_MEAN - LEAST_MEAN)
    return np.minimum(((1 << 60) - 1) // np.maximum(reach, 1), (1 << 25) - 1).astype(np.int32)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2**16, LARGEST_NORMALISER]), st.booleans())
def test_nothing_overflows_with_any_model_that_is_let_through(seed: int, normaliser: int, extreme: bool) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-32767, 32768, (MOST_DIRECTIONS, MOST_FEATURES)).astype(np.int16)
    mean = rng.integers(LEAST_MEAN, LARGEST_MEAN + 1, MOST_FEATURES).astype(np.int16)
    features = rng.integers(LEAST_MEAN, LARGEST_MEAN + 1, MOST_FEATURES).astype(np.int16)
    if extreme:
        vectors = np.where(vectors > 0, 32767, -32767).astype(np.int16)
        mean = np.where(vectors[0] > 0, *EXTREMES).astype(np.int16)
        features = np.where(vectors[0] > 0, *EXTREMES[::-1]).astype(np.int16)
    directions = Directions(vectors, largest_multipliers(vectors))
    centre = Centre(mean, normaliser)
    distance, score = by_python(features.tolist(), centre, directions)
    assert distances(features[None], centre, directions).tolist() == [distance]
    assert scores(features[None], {"source": centre}, directions).tolist() == [score]


def test_the_farthest_sound_is_measured_and_saturates() -> None:
    none = Directions(np.zeros((0, MOST_FEATURES), dtype=np.int16), np.zeros(0, dtype=np.int32))
    mean = np.full(MOST_FEATURES, LEAST_MEAN, dtype=np.int16)
    far = np.full((1, MOST_FEATURES), LARGEST_MEAN, dtype=np.int16)
    assert distances(far, Centre(mean, 1), none).tolist() == [256 * 208**2 << 28]
    assert scores(far, {"source": Centre(mean, 1)}, none).tolist() == [2**31 - 1]
    assert scores(far, {"source": Centre(mean, 256 * 208**2 << 16)}, none).tolist() == [1 << 16]


def model(seed: int, n_mels: int = 8, k: int = 5) -> tuple[Directions, npt.NDArray[np.float64]]:
    """Directions, and the matrix of the distance that they stand for."""
    rng = np.random.default_rng(seed)
    rows = np.linalg.qr(rng.normal(size=(2 * n_mels, k)))[0].T * rng.uniform(0.5, 1, (k, 1))
    scales = np.abs(rows).max(axis=1) / 32767
    vectors = np.rint(rows / scales[:, None]).astype(np.int16)
    directions = Directions(vectors, np.rint(scales * 2**39).astype(np.int32))
    exact = vectors * (directions.multipliers / 2**39)[:, None]
    return directions, np.eye(2 * n_mels) - exact.T @ exact


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_a_distance_is_the_matrix(seed: int) -> None:
    directions, matrix = model(seed)
    rng = np.random.default_rng(seed)
    mean, features = rng.normal(-40, 5, (2, 16))
    centre = Centre(np.rint(mean * 128).astype(np.int16), 3 << 16)
    of = np.rint(features * 128).astype(np.int16)
    d = (of - centre.mean) / 128
    got = int(distances(of[None], centre, directions)[0]) / 2**28
    assert got == pytest.approx(d @ matrix @ d, rel=1e-5, abs=2e-3)


def test_the_nearest_domain_counts() -> None:
    directions, _ = model(1)
    near, far = (Centre(np.full(16, mean, dtype=np.int16), 1 << 16) for mean in (0, 1000))
    wide = Centre(far.mean, 1 << 30)
    features = np.full((1, 16), 100, dtype=np.int16)
    of = centre_scores(features, {"source": near, "target": far}, directions)
    assert 0 < of["source"][0] < of["target"][0]
    assert scores(features, {"source": near, "target": far}, directions) == of["source"]
    assert scores(features, {"source": near, "target": wide}, directions) < of["source"]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_parts_of_bands_add_up_to_the_score(seed: int) -> None:
    directions, _ = model(seed)
    rng = np.random.default_rng(seed)
    centres = {
        domain: Centre(rng.integers(-6000, -4000, 16).astype(np.int16), int(rng.integers(1, 9) << 16))
        for domain in ("source", "target")
    }
    features = rng.integers(-6000, -4000, 16).astype(np.int16)
    terms = band_terms(features, centres, directions)
    score = scores(features[None], centres, directions)[0] / 65536
    assert terms.part.sum() == pytest.approx(score, rel=1e-5)
    assert centre_scores(features[None], centres, directions)[terms.domain][0] / 65536 == score
    np.testing.assert_array_equal(terms.level, (features[:8] - centres[terms.domain].mean[:8].astype(int)) / 128)


def test_a_band_that_moved_has_the_largest_part() -> None:
    directions, _ = model(2)
    centre = Centre(np.full(16, -5000, dtype=np.int16), 1 << 16)
    features = centre.mean.copy()
    features[3] += 9 * 128
    features[8 + 6] -= 6 * 128
    terms = band_terms(features, {"source": centre}, directions)
    assert set(np.argsort(-terms.part)[:2].tolist()) == {3, 6}
    assert (terms.level[3], terms.unsteadiness[6]) == (9, -6)
    assert terms.level_part[3] > terms.unsteadiness_part[3]


def rows(value: int = 1, k: int = 2, features: int = 16, dtype: Any = np.int16) -> npt.NDArray[Any]:
    return np.full((k, features), value, dtype=dtype)


def multipliers(value: int = 1, k: int = 2, dtype: Any = np.int32) -> npt.NDArray[Any]:
    return np.full(k, value, dtype=dtype)


@pytest.mark.parametrize(
    ("vectors", "factors"),
    [
        (rows(dtype=np.int32), multipliers()),
        (rows(), multipliers(dtype=np.int64)),
        (rows(), multipliers(k=3)),
        (rows()[0], multipliers()),
        (rows(k=65), multipliers(k=65)),
        (rows(features=258), multipliers()),
        (rows(features=15), multipliers()),
        (rows(features=0), multipliers()),
        (rows(-32768), multipliers()),
        (rows(), multipliers(-1)),
        (rows(), multipliers(1 << 25)),
        (rows(32767, features=256), multipliers((1 << 25) - 1)),
    ],
)
def test_directions_that_could_overflow_are_refused(vectors: npt.NDArray[Any], factors: npt.NDArray[Any]) -> None:
    with pytest.raises(BundleError, match="Fit anew"):
        Directions(vectors, factors)


@pytest.mark.parametrize(
    ("mean", "normaliser"),
    [
        (np.zeros(16, dtype=np.int32), 1),
        (np.zeros((1, 16), dtype=np.int16), 1),
        (np.full(16, LARGEST_MEAN + 1, dtype=np.int16), 1),
        (np.full(16, LEAST_MEAN - 1, dtype=np.int16), 1),
        (np.zeros(16, dtype=np.int16), 0),
        (np.zeros(16, dtype=np.int16), LARGEST_NORMALISER + 1),
    ],
)
def test_centres_out_of_range_are_refused(mean: npt.NDArray[Any], normaliser: int) -> None:
    with pytest.raises(BundleError, match="Fit anew"):
        Centre(mean, normaliser)


def test_a_section_needs_a_centre_that_fits() -> None:
    directions = Directions(rows(), multipliers())
    good, short = (Centre(np.zeros(n, dtype=np.int16), 1) for n in (16, 14))
    assert DistanceModel(Blocks(), directions, {"00": {"target": good}}).n_mels == 8
    for centres in ({}, {"source": good, "target": short}):
        with pytest.raises(BundleError, match="Section 01 needs a mean of 16 features"):
            DistanceModel(Blocks(), directions, {"00": {"source": good}, "01": centres})
