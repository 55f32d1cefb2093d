from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd.quantize.evaluation.probe.faults import BANDS, FAULTS, fault_wave
from edge_asd.quantize.evaluation.probe.levels import (
    LEVELS_DB,
    Heard,
    levels_within,
    loudest_level,
    mixed,
    search,
    share_level,
    softest_level,
)

CLIP = np.rint(np.random.default_rng(0).normal(scale=800, size=32000)).astype(np.int16)


@pytest.mark.parametrize("level", [12, 0, -6, -36])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_added_has_the_stated_level(fault, level):
    wave = fault_wave(fault, CLIP.astype(float), BANDS[5], np.random.default_rng(1))
    mix = mixed(CLIP, wave, level)
    assert mix.dtype == np.int16
    added = mix.astype(float) - CLIP
    rms = np.sqrt(np.mean(added**2))
    # Rounding adds at most half a step to each sample.
    assert abs(rms - CLIP.std() * 10 ** (level / 20)) <= 0.5
    assert np.abs(added - wave * CLIP.std() * 10 ** (level / 20)).max() <= 0.5 + 1e-9


def test_a_constant_in_the_clip_is_no_sound_of_the_machine():
    wave = fault_wave("tone", CLIP.astype(float), BANDS[5], np.random.default_rng(1))
    shifted = (CLIP + 5000).astype(np.int16)
    assert np.array_equal(mixed(shifted, wave, 0) - 5000, mixed(CLIP, wave, 0))


@pytest.mark.parametrize(("peak", "fits"), [(32767, True), (32768, False), (-32768, True), (-32769, False)])
def test_a_mix_that_would_clip_is_not_made(peak, fits):
    wave = np.zeros(1000)
    wave[7] = np.copysign(np.sqrt(1000), peak)
    clip = np.tile(np.array([1000, -1000], np.int16), 500)
    clip[7] = peak - np.copysign(1000 * np.sqrt(1000), peak)
    level = 20 * np.log10(1000 / clip.std())  # of an amplitude of 1000
    mix = mixed(clip, wave, level)
    assert (mix is not None) == fits
    if fits:
        assert mix[7] == peak
        assert np.array_equal(np.delete(mix, 7), np.delete(clip, 7))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("rms", [0.4, 2, 5, 12, 40])
def test_no_level_is_tried_that_rounding_would_change(rms, fault):
    clip = np.rint(np.random.default_rng(5).normal(scale=rms, size=160000)).astype(np.int16)
    wave = fault_wave(fault, clip.astype(float), BANDS[5], np.random.default_rng(1))
    if wave is None:
        assert rms < 3  # the band has no more than rounding leaves of it
        return
    levels = levels_within(clip, wave)
    assert list(levels) == list(range(12, levels[-1] - 1, -3))
    for level in levels:
        added = (mixed(clip, wave, level).astype(float) - clip).std()
        # Less than half the way to the next level that is tried.
        assert abs(20 * np.log10(added / clip.std()) - level) < 1.5
    # The next softer one has less than one step of 16 bits.
    assert levels[-1] == -36 or clip.std() * 10 ** ((levels[-1] - 3) / 20) < 1


def test_a_clip_without_sound_has_no_level():
    silence = np.full(1000, 7, np.int16)
    assert list(levels_within(silence, np.sin(np.arange(1000)) * 2**0.5)) == []


@pytest.mark.parametrize("softest", [-36, -24])
@pytest.mark.parametrize("loudest", [12, 9, 0, -24])
def test_the_search_finds_every_threshold(loudest, softest):
    levels = [level for level in LEVELS_DB if softest <= level <= loudest]
    for limit in levels:
        tried: list[int] = []

        def heard(level: int, limit: int = limit, tried: list[int] = tried) -> bool:
            tried.append(level)
            return level >= limit

        assert search(heard, levels) == Heard(loudest, softest, limit, False)
        assert len(tried) == len(set(tried)) <= 10
    assert search(lambda _: False, levels) == Heard(loudest, softest, None, False)


def test_a_score_that_falls_again_is_not_called_heard():
    # Heard when soft, not when loud; heard, lost, and heard again.
    assert search(lambda level: -24 <= level <= 0, LEVELS_DB) == Heard(12, -36, None, True)
    assert search(lambda level: level >= 6 or -24 <= level <= -9, LEVELS_DB) == Heard(12, -36, 6, False)


@given(st.sets(st.sampled_from(LEVELS_DB)), st.tuples(st.sampled_from(LEVELS_DB), st.sampled_from(LEVELS_DB)))
def test_a_fault_is_heard_at_its_level_and_at_all_louder_ones_that_were_tried(heard, ends):
    softest, loudest = min(ends), max(ends)
    levels = [level for level in LEVELS_DB if softest <= level <= loudest]
    tried = {}

    def ask(level: int) -> bool:
        assert level in levels
        tried[level] = level in heard
        return tried[level]

    found = search(ask, levels)
    if found.from_db is None:
        assert not tried[loudest]
        assert found.lost == any(tried.values())
    else:
        assert all(flag for level, flag in tried.items() if level >= found.from_db)
        assert tried[found.from_db]
        next_softer = found.from_db - 3
        assert found.from_db == softest or not tried[next_softer]


def results(*levels: int | None) -> list[Heard]:
    return [Heard(12, -36, level, False) for level in levels]


def test_half_and_nine_tenths_of_the_clips():
    ten = results(-30, -27, -24, -21, -18, -15, -12, -9, -6, None)
    assert (share_level(ten, 5), share_level(ten, 9)) == (-18, -6)
    assert (share_level(ten[1:], 5), share_level(ten[1:], 9)) == (-15, None)  # 5 and 9 of nine
    assert share_level(results(None, -3), 5) == -3
    assert share_level(results(None, None, -3), 5) is None
    assert share_level([], 5) is None


def test_the_loudest_and_the_softest_level_of_half_of_the_clips():
    found = [Heard(level, softest, None, False) for level, softest in ((12, -12), (9, -36), (3, -33), (0, -15))]
    assert softest_level(found) == -33
    assert softest_level(found[:1]) == -12
    assert softest_level([]) is None
    assert loudest_level(found) == 9
    assert loudest_level(found[:3]) == 9
    assert loudest_level([]) is None
