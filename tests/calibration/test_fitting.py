"""Thresholds for so many false alarms a day, machine-off levels, and the way back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.policy import INTERVAL_S, Policy
from edge_asd.calibration.fitting import calibrate, restore
from edge_asd.calibration.heard import Heard, Request
from edge_asd.calibration.off_level import learn_off_level, round_down
from edge_asd.calibration.recordings import hear_recordings
from edge_asd.calibration.spans import block_powers
from edge_asd.errors import BundleError, DataError
from edge_asd.false_alarms import alarms_per_day, alarms_text, allowed_rate, lowest_rate, spans_for_rate, upper_limit
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.promise import promise_text
from tests.cli.command import Command, assert_error
from tests.data import machine_sound, write_wav

UNIT = 65536
LOUD = [2**20] * 30  # -30.1 dB


def heard(count: int, powers: list[int] = LOUD, domain: str = "source") -> Heard:
    """Scores 1 to `count`."""
    found = Heard(powers=powers)
    found.scores[domain] = [UNIT * (1 + i) for i in range(count)]
    return found


@pytest.fixture
def ten_seconds(bundle: Bundle) -> Bundle:
    return replace(bundle, score_window_frames=311)


def test_false_alarms_a_day(ten_seconds: Bundle) -> None:
    rate = allowed_rate(Policy(), ten_seconds.score_seconds, 1)
    assert rate == pytest.approx(0.1247, abs=0.0001)
    for count, over in ((30, 0), (60, 3), (200, 16)):
        done = calibrate(ten_seconds, Request(section="00", false_alarms_per_day=1), heard(count))
        # As many above it as the rate allows, with 95 % confidence, and no more.
        assert upper_limit(over, count) <= rate < upper_limit(over + 1, count)
        assert done.threshold.score == UNIT * (count - over)
        assert done.threshold.false_positives is not None
        assert (done.threshold.false_positives.flagged, done.threshold.false_positives.clips) == (over, count)
        assert done.threshold.method == "false-positive-rate"
        assert done.threshold.asked == pytest.approx(rate)
        assert done.promise is not None
        assert done.promise.highest_alarms_per_day <= 1
        assert done.promise.highest_rate == upper_limit(over, count)
        assert done.promise.rate == (over + 1) / (count + 1)
        assert done.promise.decisions_per_day == pytest.approx(86400 * (over + 1) / (count + 1))
    lenient = replace(ten_seconds, policy=Policy(needed=15, of=60))
    with pytest.raises(DataError, match="cannot promise 1 false alarms a day"):
        calibrate(lenient, Request(section="00", false_alarms_per_day=1), heard(30))


@pytest.mark.parametrize("asked", [{}, {"quantile": 0.75}, {"false_positive_rate": 0.2}, {"false_alarms_per_day": 100}])
@pytest.mark.parametrize("count", [12, 15, 18, 19])
def test_the_monitor_tells_the_same_of_it(ten_seconds: Bundle, count: int, asked: dict[str, float]) -> None:
    done = calibrate(ten_seconds, Request(section="00", **asked), heard(count))
    assert done.promise is not None
    share, alarms = f"{done.promise.highest_rate:.0%}", alarms_text(done.promise.highest_alarms_per_day)
    told = promise_text(done.threshold, Policy(), ten_seconds.score_seconds, INTERVAL_S)
    assert f"at most {share} of healthy scores lie above it and raise at most {alarms} alarms a day" in told


def test_what_few_minutes_cannot_promise_is_refused(ten_seconds: Bundle) -> None:
    with pytest.raises(DataError) as error:
        calibrate(ten_seconds, Request(section="00", false_alarms_per_day=0.01), heard(30))
    text = str(error.value)
    least = alarms_per_day(Policy(), ten_seconds.score_seconds, lowest_rate(30))
    assert text.startswith(
        f"30 score spans cannot promise 0.01 false alarms a day: {least:.3g} is the best that they can"
    )
    needed = spans_for_rate(allowed_rate(Policy(), ten_seconds.score_seconds, 0.01))
    assert f"That takes {needed} spans, {needed * 307 * 512 / 16000 / 60 + 0.05:.1f} minutes" in text
    done = calibrate(ten_seconds, Request(section="00", false_alarms_per_day=0.01), heard(needed))
    assert done.threshold.score == UNIT * needed
    with pytest.raises(DataError, match="cannot promise"):
        calibrate(ten_seconds, Request(section="00", false_alarms_per_day=0.01), heard(needed - 1))


def test_the_promise_holds_for_new_sound() -> None:
    """Of thresholds fitted on 30 healthy scores to a rate of 12.5 %, one in twenty may let more through."""
    random, missed = np.random.default_rng(8), 0
    over = next(k for k in range(30) if upper_limit(k + 1, 30) > 0.16)
    highest = upper_limit(over, 30)
    for scores in random.random((4000, 30)):
        missed += 1 - np.sort(scores)[29 - over] > highest
    assert over == 1
    assert missed / 4000 == pytest.approx(0.05, abs=0.011)


def test_machine_off_levels() -> None:
    def power(level: float) -> int:
        return round(2**30 * 10 ** (level / 10))

    assert learn_off_level([power(-30), power(-41.96), power(-35)]) == (-48.0, "")
    assert round_down(-45.3) == -45.3
    assert round_down(-45.31) == -45.4
    assert round_down(-120) == -120
    assert round_down(0) == 0
    for powers, words in (
        ([power(-60)] * 9 + [power(-76)], "nearly silent"),
        ([power(-60)] * 9 + [0], r"\(no sound at all\) is nearly silent"),
        ([power(-30)] * 9 + [power(-52)], "pauses: its quietest second .* is 22 dB below"),
    ):
        level, why = learn_off_level(powers)
        assert level is None
        assert re.search(words, why)


def test_blocks_are_counted_backwards() -> None:
    pcm = np.repeat(np.arange(100, dtype=np.int16), 10)
    powers = block_powers(pcm, 10)  # of 100 hops: three blocks of 31, seven hops are left over
    assert powers == [sum(v * v for v in range(a, a + 31)) // 31 for a in (69, 38, 7)]
    # A span shorter than a block is one.
    assert block_powers(pcm[:95], 10) == [int(np.sum(pcm[5:95].astype(int) ** 2)) // 90]


def test_the_monitor_judges_all_healthy_sound_by_the_learnt_level(bundle: Bundle, tmp_path: Path) -> None:
    """And none of what is 12 dB quieter."""
    sound = machine_sound(np.random.default_rng(2), seconds=20)
    write_wav(tmp_path / "a.wav", sound)
    request = Request(section="00")
    fitted = calibrate(bundle, request, hear_recordings(bundle, request, tmp_path)).bundle.thresholds["00"]
    found = {}
    for quieter in (1, 4):
        engine = Engine(bundle, "00", off_level_db=fitted.off_level_db)
        decisions = [*engine.push(sound // np.int16(quieter)), *engine.finish()]
        found[quieter] = (len(decisions), engine.unjudged)
    assert found == {1: (19, 0), 4: (0, 19)}


def test_off_levels_that_are_asked_for(bundle: Bundle) -> None:
    def fitted(bundle: Bundle, **wanted: object) -> float | None:
        done = calibrate(bundle, Request(section="00", **wanted), heard(30, domain=wanted.get("domain", "source")))
        return done.bundle.thresholds["00"].off_level_db

    learnt = -36.2  # -30.1 - 6, rounded down
    assert fitted(bundle) == learnt
    assert fitted(bundle, off_level=None) is None
    assert fitted(bundle, off_level="keep") is None
    assert fitted(bundle, off_level=-50.07) == -50.1
    had = replace(bundle, thresholds={**bundle.thresholds, "00": replace(bundle.thresholds["00"], off_level_db=-60.0)})
    assert fitted(had) == learnt
    assert fitted(had, off_level="keep") == -60
    # Of one domain alone: the other was not heard, and stays on at its level.
    assert fitted(had, domain="target") == -60
    assert fitted(bundle, domain="target") is None
    silent = calibrate(bundle, Request(section="00"), heard(30, [1] * 30))
    assert "no machine-off level was set" in silent.notes[-1]


def test_restoring_swaps(bundle: Bundle) -> None:
    once = calibrate(bundle, Request(section="00"), heard(30)).bundle
    twice = calibrate(once, Request(section="00", domain="target"), heard(40, domain="target")).bundle
    assert twice.thresholds["00"].previous == replace(once.thresholds["00"], previous=None)
    back = restore(twice, "00")
    assert replace(back.bundle.thresholds["00"], previous=None) == replace(once.thresholds["00"], previous=None)
    assert back.previous == twice.thresholds["00"]
    assert restore(back.bundle, "00").bundle == twice
    with pytest.raises(BundleError, match="Section 00 holds no previous threshold"):
        restore(bundle, "00")
    new = calibrate(bundle, Request(section="07"), heard(30)).bundle
    with pytest.raises(BundleError, match="Section 07 holds no previous threshold"):
        restore(new, "07")
    with pytest.raises(BundleError, match="has no section 09"):
        restore(bundle, "09")


def test_restoring_by_command(bundle_path: Path, bundle: Bundle, tmp_path: Path, command: Command) -> None:
    path = tmp_path / "new.easd"
    write_wav(tmp_path / "wav/a.wav", machine_sound(np.random.default_rng(1), seconds=6))
    fit = ("calibrate", bundle_path, "--section", "00", "--out", path)
    assert_error(command(*fit, "--restore"), "Section 00 holds no previous threshold")
    assert not path.exists()
    assert command(*fit, "--wav-dir", tmp_path / "wav", "--off-level", "-44.44").returncode == 0
    fitted = Bundle.load(path).thresholds["00"]
    assert fitted.off_level_db == -44.5
    again = ("calibrate", path, "--section", "00", "--in-place")
    document = json.loads(command(*again, "--restore", "--json").stdout)
    assert (document["threshold"], document["previous"]) == (bundle.thresholds["00"].score, fitted.score)
    assert document["supported"] is None
    assert Bundle.load(path).thresholds["00"] == replace(
        bundle.thresholds["00"], previous=replace(fitted, previous=None)
    )
    assert f"Put back in: {path}" in command(*again, "--restore").stdout
    assert Bundle.load(path).thresholds["00"] == fitted
