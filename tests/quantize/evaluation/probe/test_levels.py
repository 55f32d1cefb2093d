from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd.quantize.evaluation.probe.faults import BANDS, FAULTS, fault_wave
from edge_asd.quantize.evaluation.probe.levels import LEVELS_DB, Heard, loudest_level, mixed, search, share_level

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


@pytest.mark.parametrize("loudest", [12, 9, 0, -36])
def test_the_search_finds_every_threshold(loudest):
    for limit in [level for level in LEVELS_DB if level <= loudest]:
        tried: list[int] = []

        def heard(level: int, limit: int = limit, tried: list[int] = tried) -> bool:
            tried.append(level)
            return level >= limit

        assert search(heard, loudest) == Heard(loudest, limit, False)
        assert len(tried) == len(set(tried)) <= 10
    assert search(lambda _: False, loudest) == Heard(loudest, None, False)


def test_a_score_that_falls_again_is_not_called_heard():
    # Heard when soft, not when loud; heard, lost, and heard again.
    assert search(lambda level: -24 <= level <= 0, 12) == Heard(12, None, True)
    assert search(lambda level: level >= 6 or -24 <= level <= -9, 12) == Heard(12, 6, False)


@given(st.sets(st.sampled_from(LEVELS_DB)), st.sampled_from(LEVELS_DB))
def test_a_fault_is_heard_at_its_level_and_at_all_louder_ones_that_were_tried(heard, loudest):
    tried = {}

    def ask(level: int) -> bool:
        assert level in LEVELS_DB
        assert level <= loudest
        tried[level] = level in heard
        return tried[level]

    found = search(ask, loudest)
    if found.from_db is None:
        assert not tried[loudest]
        assert found.lost == any(tried.values())
    else:
        assert all(flag for level, flag in tried.items() if level >= found.from_db)
        assert tried[found.from_db]
        next_softer = found.from_db - 3
        assert found.from_db == LEVELS_DB[-1] or not tried[next_softer]


def results(*levels: int | None) -> list[Heard]:
    return [Heard(12, level, False) for level in levels]


def test_half_and_nine_tenths_of_the_clips():
    ten = results(-30, -27, -24, -21, -18, -15, -12, -9, -6, None)
    assert (share_level(ten, 5), share_level(ten, 9)) == (-18, -6)
    assert (share_level(ten[1:], 5), share_level(ten[1:], 9)) == (-15, None)  # 5 and 9 of nine
    assert share_level(results(None, -3), 5) == -3
    assert share_level(results(None, None, -3), 5) is None
    assert share_level([], 5) is None


def test_the_loudest_level_of_half_of_the_clips():
    found = [Heard(level, None, False) for level in (12, 9, 3, 0)]
    assert loudest_level(found) == 9
    assert loudest_level(found[:3]) == 9
    assert loudest_level([]) is None
