from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_asd.distance.blocks import LOUDEST_DB, MOST_FRAMES, Blocks, block_sums
from edge_asd.distance.features import FeatureStream, clip_features
from edge_asd.distance.parameters import LARGEST_MEAN, LEAST_MEAN
from edge_asd.errors import EdgeAsdError
from edge_asd.frontend import log_mel
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.frontend.tables import mel_edges
from tests.distance.sounds import LEAST, MOST, float_features, frames

ONE_DB = 1 << 7


def test_a_clip_of_ten_seconds_is_ten_blocks_of_31_frames() -> None:
    blocks = Blocks.of_span(FeatureSpec().frame_count(160_000))
    assert blocks == Blocks(31, 10)
    assert (blocks.span, blocks.power_bits) == (310, 36)


@given(st.integers(1, MOST_FRAMES))
def test_a_span_is_cut_into_ten_blocks_or_into_frames(frames_: int) -> None:
    blocks = Blocks.of_span(frames_)
    assert blocks.count == min(10, frames_)
    assert 0 <= frames_ - blocks.span < blocks.count


@pytest.mark.parametrize(("size", "count"), [(0, 10), (31, 0), (MOST_FRAMES, 2)])
def test_other_spans_are_refused(size: int, count: int) -> None:
    with pytest.raises(EdgeAsdError, match="Choose a shorter score"):
        Blocks(size, count)


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.5, 5.0, 20.0])
def test_features_are_those_of_floating_point(spread: float) -> None:
    blocks = Blocks()
    of = frames(1, blocks.span, spread=spread)
    level, unsteadiness = np.split(clip_features(of, blocks)[0] / ONE_DB - float_features(of, blocks), 2)
    assert np.abs(level).max() < 0.006
    # Where the sound is as good as steady, the rounding to 1/256 dB counts.
    assert np.abs(unsteadiness).max() < (0.01 if spread >= 0.5 else 0.1)


@pytest.mark.parametrize("level_db", [-100, -87, -60, 0])
def test_levels_are_right_below_all_that_16_bits_hold(level_db: int) -> None:
    # White noise of half the last bit's step rounds to about -87 dB in every band.
    db = np.random.default_rng(2).normal(level_db, 5, (310, 16))
    of = np.rint(db * 65536).astype(np.int32)
    got = clip_features(of, Blocks())[0] / ONE_DB
    assert np.abs(got - float_features(of, Blocks())).max() < (0.04 if level_db == -100 else 0.006)


def test_silence_is_at_the_floor() -> None:
    of = np.full((310, 2), LEAST, dtype=np.int32)
    assert clip_features(of, Blocks()).tolist() == [[-20037, -20037, -3083, -3083]]


@pytest.mark.parametrize("blocks", [Blocks(), Blocks(1, 1), Blocks(MOST_FRAMES // 8, 8)], ids=str)
def test_nothing_overflows_at_the_extremes(blocks: Blocks) -> None:
    n_mels = 5
    of = np.full((blocks.span, n_mels), LEAST, dtype=np.int32)
    of[:, 1] = MOST
    of[: blocks.span // 2, 2] = MOST
    of[::2, 3] = MOST
    of[0, 4] = MOST
    sums = block_sums(of, blocks).spans(blocks.count)
    # In Python's integers, which do not overflow.
    x = [[(int(value) + 128) >> 8 for value in band] for band in of.T]
    assert sums.level[0].tolist() == [sum(band) for band in x]
    assert sums.square[0].tolist() == [sum(value * value for value in band) for band in x]
    assert np.abs(sums.level).max() < 2**31
    assert sums.square.max() < 2**46
    assert sums.power.max() < 2**62
    features = clip_features(of, blocks)
    assert LEAST_MEAN <= features.min() <= features.max() <= LARGEST_MEAN
    assert np.abs(features[0] / ONE_DB - float_features(of, blocks)).max() < 0.01


def test_the_front_end_stays_below_the_loudest_level() -> None:
    # By Parseval, a frame's power is at most n/2 times the window's (3/8 n), all in the narrowest band's peak.
    for rate, n in [(8000, 512), (8000, 2048), (48000, 2048)]:
        edges = mel_edges(FeatureSpec(rate, n, n, 128))
        bound = 10 * np.log10(n / 2 * 3 / 8 * n * (2 / (edges[2:] - edges[:-2])).max())
        assert bound < LOUDEST_DB
    square = np.where(np.arange(16000) % 80 < 40, 32767, -32768).astype(np.int16)
    assert log_mel(square).max() < LOUDEST_DB << 16


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 40), max_size=20), st.integers(1, 7), st.integers(1, 5))
@example(0, [0, 7, 1, 30], 1, 1)
def test_a_stream_gives_the_same_however_it_is_cut(seed: int, cuts: list[int], size: int, count: int) -> None:
    blocks = Blocks(size, count)
    of = frames(seed, sum(cuts) + 3, 4)
    stream = FeatureStream(blocks, 4)
    parts = [stream.push(part) for part in np.split(of, np.cumsum(cuts))] if cuts else [stream.push(of)]
    np.testing.assert_array_equal(np.concatenate(parts), clip_features(of, blocks))


def test_each_block_ends_a_span() -> None:
    blocks = Blocks(3, 4)
    of = frames(3, 20, 6)
    features = clip_features(of, blocks)
    assert features.shape == (3, 12)
    for i, one in enumerate(features):
        np.testing.assert_array_equal(one, clip_features(of[3 * i : 3 * i + 12], blocks)[0])
    assert clip_features(of[:11], blocks).shape == (0, 12)
