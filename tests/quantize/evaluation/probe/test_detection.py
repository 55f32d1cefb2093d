"""Detectors of known hearing: what the probe finds must be what they hear."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asd.audio.health import level_db
from edge_asd.quantize.evaluation.probe.detection import Subject, hearings
from edge_asd.quantize.evaluation.probe.faults import BANDS, FAULTS, fault_wave

RATE = 16000
CLIPS = [np.rint(np.random.default_rng(i).normal(scale=400, size=2 * RATE)).astype(np.int16) for i in range(3)]


def subjects(threshold: int, section: str = "00") -> list[Subject]:
    return [Subject(section, i, threshold, pcm) for i, pcm in enumerate(CLIPS)]


def millibels(pcm: np.ndarray, section: str = "") -> int:
    """A detector of the level alone."""
    return round(1000 * level_db(pcm))


def at_levels(level: float) -> list[Subject]:
    """Clips, each flagged from where unlike sound of `level` has been added to it."""
    rise = round(10000 * np.log10(1 + 10 ** (level / 10)))
    return [Subject("00", i, millibels(pcm) + rise, pcm) for i, pcm in enumerate(CLIPS)]


@pytest.mark.parametrize("level", [6, 0, -6, -12])
def test_a_detector_of_the_level_hears_every_fault_at_one_level(level):
    # Its threshold lies between this step and the next softer one.
    found = hearings(millibels, at_levels(level - 1.5), faults=FAULTS[:3])
    assert len(found) == 3 * len(BANDS)
    assert {(h.level_half_db, h.level_90_db, h.loudest_db, h.clips, h.lost) for h in found} == {
        (level, level, 12, 3, 0)
    }
    assert [(h.fault, h.band) for h in found] == [(fault, band) for fault in FAULTS[:3] for band in BANDS]


def test_unsteadiness_adds_to_the_level_in_step():
    # White noise: of 4 kHz, most lies in the two upper bands, and what swells is in step with what is there.
    (found,) = hearings(millibels, at_levels(-4.5), faults=["unsteadiness"], bands=[BANDS[7]])
    levels = []
    for i, pcm in enumerate(CLIPS):
        wave = fault_wave("unsteadiness", pcm.astype(float), BANDS[7], np.random.default_rng([0, 0, i, 7, 3]))
        common = np.mean(wave * pcm) / pcm.std()
        # (1 + g)^2 with what is in step: g^2 + 2 g common = 10^-0.45.
        levels.append(20 * np.log10(np.sqrt(common**2 + 10**-0.45) - common))
    assert found.level_half_db == 3 * np.ceil(np.median(levels) / 3)
    assert found.level_half_db < -3


def test_a_detector_of_one_band_hears_that_band_alone():
    def power_at_1_khz(pcm: np.ndarray, section: str) -> int:
        spectrum = np.abs(np.fft.rfft(pcm.astype(float))) ** 2
        hz = np.fft.rfftfreq(pcm.size, 1 / RATE)
        return int(spectrum[(hz > BANDS[4].low_hz) & (hz < BANDS[4].high_hz)].sum())

    healthy = max(power_at_1_khz(pcm, "") for pcm in CLIPS)
    for hearing in hearings(power_at_1_khz, subjects(2 * healthy), faults=FAULTS[:3]):
        if hearing.band == BANDS[4]:
            # The band holds a twelfth of the noise: -10.5 dB.
            assert hearing.level_half_db in (-9, -12)
        else:
            assert hearing.level_half_db is None or hearing.band in BANDS[3:6]


def test_what_is_lost_when_loudest_is_counted():
    # The louder, the more healthy it is called: as by an autoencoder that has learned too little.
    base = max(map(millibels, CLIPS))

    def odd(pcm: np.ndarray, section: str) -> int:
        return int(base + 100 < millibels(pcm) < base + 5000)

    (found,) = hearings(odd, subjects(0), faults=["noise"], bands=[BANDS[3]])
    assert (found.level_half_db, found.level_90_db, found.lost, found.clips) == (None, None, 3, 3)


def test_clips_without_room_or_without_sound_are_not_tried():
    full = np.where(np.arange(RATE) % 200 < 100, 32767, -32768).astype(np.int16)
    loud = [Subject("00", 0, 0, full)]
    (found,) = hearings(millibels, loud, faults=["noise"], bands=[BANDS[3]])
    assert (found.clips, found.loudest_db, found.level_half_db) == (0, None, None)
    half = np.rint(np.random.default_rng(1).uniform(-16000, 16000, RATE)).astype(np.int16)
    (found,) = hearings(millibels, [Subject("00", 0, 0, half)], faults=["tone"], bands=[BANDS[3]])
    # 16767 of room; a tone of that height has 20 log10(16767 / sqrt(2) / 9238) = 2.2 dB.
    assert (found.loudest_db, found.clips) == (0, 1)


def test_one_seed_gives_one_set_of_sounds():
    def sounds(seed: int) -> set[bytes]:
        heard: set[bytes] = set()

        def score(pcm: np.ndarray, section: str) -> int:
            heard.add(pcm.tobytes())
            return 0

        hearings(score, subjects(0), bands=BANDS[5:7], seed=seed)
        return heard

    first = sounds(0)
    # Every clip, fault and band has a fault of its own, at four levels: the loudest, and every fourth below it.
    assert len(first) > 2 * 4 * 3 * 3
    assert sounds(0) == first
    assert not sounds(1) & first
