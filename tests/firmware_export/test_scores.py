"""The firmware's scores are the integers of `edge_asd.detectors`."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_asd.bundle.bundle import SCORE_NUMBER, Bundle
from edge_asd.bundle.manifest import Quantisation
from edge_asd.detectors import section_id
from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.detectors.scores import RollingScore, mean_score
from edge_asd.detectors.section_id import integer_log_odds
from edge_asd.frontend.logarithm import exp2, log2
from edge_asd.frontend.tables import FLOOR_DB
from tests.firmware_export.c_library import CSRC, LOG2, ffi, lib

INT32 = st.integers(-(2**31), 2**31 - 1)
SCORES = INT32 | st.sampled_from([-(2**31), -(2**31) + 1, -1, 0, 1, 2**31 - 1])


def test_the_constants_are_pythons() -> None:
    """Of the arithmetic; too fine for results to show each of their last digits."""
    assert f"#define EDGE_ASD_SCORE_NUMBER {SCORE_NUMBER}\n" in (CSRC / "edge_asd_score.h").read_text()
    source = (CSRC / "edge_asd_score.c").read_text()
    assert f"#define LOG2_E {section_id._LOG2_E}\n#define LN_2 {section_id._LN_2}\n" in source


# --- The mean


@given(st.lists(SCORES, min_size=1, max_size=40))
@example([-1, 0])
@example([-3, 0])
@example([-1, -1, 0])
def test_the_mean_is_pythons(scores: list[int]) -> None:
    assert lib.edge_asd_mean_score(sum(scores), len(scores)) == mean_score(np.array(scores, np.int32))


@given(SCORES, st.integers(1, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_the_mean_of_many_is_the_floor(score: int, count: int, rest: int) -> None:
    total = score * count + (rest % count if score < 0 else -(rest % count))
    assert lib.edge_asd_mean_score(total, count) == (total + count // 2) // count


@given(st.integers(1, 12), st.lists(SCORES, max_size=60))
@example(3, [-(2**31)] * 7)
@example(1, [2**31 - 1, -(2**31)])
def test_the_rolling_score_is_pythons(windows: int, scores: list[int]) -> None:
    ring, rolling, expected = ffi.new("int32_t[]", windows), ffi.new("edge_asd_rolling_score *"), RollingScore(windows)
    ring[windows - 1] = 7  # what was in the memory before plays no part
    lib.edge_asd_rolling_init(rolling, ring, windows)
    for score in scores:
        lib.edge_asd_rolling_push(rolling, score)
        mean = lib.edge_asd_rolling_mean(rolling) if rolling.is_full else None
        assert mean == expected.push(score)


# --- The autoencoder


def largest_scale(values: int) -> float:
    """The largest output scale [dB] with which a bundle of so many values a window is read."""
    return ((2**31 / values) ** 0.5 - 157) / 256 * (1 - 1e-9)


@pytest.fixture(scope="module")
def detector(bundle: Bundle) -> AutoencoderDetector:
    return AutoencoderDetector(bundle)


@settings(max_examples=300)
@given(
    st.sampled_from([16, 17, 128, 640, 1280]),
    st.floats(0, 1) | st.sampled_from([0.0, 1.0]),
    st.integers(-128, 127) | st.sampled_from([-128, 127]),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["any", "ends", "far", "equal"]),
    st.lists(st.integers(0, 1280), max_size=5),
)
@example(16, 1.0, -128, 0, "far", [])
@example(16, 1.0, 127, 0, "far", [])
def test_the_window_score_is_pythons_in_any_pieces(
    detector: AutoencoderDetector, values: int, size: float, zero_point: int, seed: int, kind: str, cuts: list[int]
) -> None:
    multiplier = max(1, min(round(size**4 * largest_scale(values) * 2**24), 2**31 - 1))
    rng = np.random.default_rng(seed)
    db = rng.integers(FLOOR_DB, 50 << 16, (1, values)).astype(np.int32)
    outputs = rng.integers(-128, 128, (1, values)).astype(np.int8)
    if kind == "ends":
        db, outputs = rng.choice([FLOOR_DB, 50 << 16], db.shape), rng.choice(np.array([-128, 127], np.int8), db.shape)
    elif kind == "far":  # the largest sum there is
        db[:], outputs[:] = FLOOR_DB if zero_point < 0 else 50 << 16, 127 if zero_point < 0 else -128
    elif kind == "equal":
        y = (outputs.astype(np.int64) - zero_point) * multiplier
        db = np.clip((y + 128) >> 8, FLOOR_DB, 50 << 16).astype(np.int32)
    detector._output = Quantisation(float(multiplier / 2**24), zero_point, multiplier)
    expected = detector.scores_of_outputs(db, outputs, "00").tolist()
    total, places = 0, [0, *sorted(cut for cut in cuts if cut < values), values]
    x, y = np.ascontiguousarray(db[0], np.int32), np.ascontiguousarray(outputs[0])
    for start, stop in itertools.pairwise(places):
        pieces = ffi.from_buffer("int32_t[]", x) + start, ffi.from_buffer("int8_t[]", y) + start
        total = lib.edge_asd_squared_error(total, *pieces, stop - start, multiplier, zero_point)
    assert [lib.edge_asd_mean_squared_error(total, values)] == expected


@given(st.integers(0, 2**63 - 1), st.integers(1, 131072))
@example(2**63 - 1, 1)
@example((2**31 - 1) << 16, 1)
@example(((2**31 - 1) << 16) - 2**15, 1)
@example(((2**31 - 1) << 16) - 2**15 - 1, 1)
def test_the_mean_square_rounds_half_up_and_saturates(total: int, values: int) -> None:
    mean = int(Fraction(total, values << 16) + Fraction(1, 2))
    assert lib.edge_asd_mean_squared_error(total, values) == min(mean, 2**31 - 1)


# --- The section classifier


@given(st.integers(1, 2**64 - 1) | st.integers(0, 63).map(lambda n: 2**n) | st.integers(1, 63).map(lambda n: 2**n - 1))
@example(2**64 - 1)
def test_the_logarithm_is_pythons(value: int) -> None:
    assert lib.edge_asd_log2(value, LOG2) == int(log2(np.array([value], np.uint64))[0])


def test_every_power_of_two_is_pythons() -> None:
    exponents = np.concatenate([np.arange(-2 * 65536, 1), np.arange(-33 * 65536, -2 * 65536, 17), [-(2**40), -(2**33)]])
    expected = exp2(exponents)
    assert [lib.edge_asd_exp2(exponent, LOG2) for exponent in exponents.tolist()] == expected.tolist()


@settings(max_examples=300)
@given(
    st.lists(st.integers(-128, 127) | st.sampled_from([-128, 127]), min_size=2, max_size=64),
    st.integers(0, 63),
    st.integers(1, 2**31 - 1) | st.sampled_from([1, 2**24, 2**31 - 1]) | st.integers(2**18, 2**24),
)
@example([127] + [-128] * 63, 0, 2**31 - 1)
@example([-128] + [127] * 63, 0, 2**31 - 1)
@example([-128, 127, -128], 0, 2**31 - 1)
@example([0, 0], 0, 1)
def test_the_log_odds_are_pythons(logits: list[int], own: int, multiplier: int) -> None:
    own %= len(logits)
    expected = integer_log_odds(np.array([logits], np.int8), own, multiplier).tolist()
    assert [lib.edge_asd_log_odds(ffi.new("int8_t[]", logits), len(logits), own, multiplier, LOG2)] == expected
