"""Calibration on the device gives the integers of `edge-asd calibrate`, and refuses what that refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.manifest import Threshold
from edge_asd.calibration.fitting import calibrate
from edge_asd.calibration.heard import Request
from edge_asd.calibration.recordings import hear_recordings
from edge_asd.detectors.loading import load_detector
from edge_asd.errors import DataError
from edge_asd.frontend import log_mel
from edge_asd.healthy_sound import read_healthy
from edge_asd.thresholds import weighted_quantile
from tests.data import RATE, machine_sound, write_wav
from tests.firmware_export.c_library import ffi, lib, samples
from tests.firmware_export.sounds import Pcm, blocks, sound

OK, SHORT, DEAD, CLIPPED, FULL, NONE, QUANTILE = (
    getattr(lib, f"EDGE_ASD_CALIBRATION_{name}")
    for name in ("OK", "SHORT", "DEAD", "CLIPPED", "FULL", "NONE", "QUANTILE")
)


class CCalibration:
    """Calibration by the C."""

    def __init__(self, rate: int, windows: int, step: int, least: int, capacity: int) -> None:
        self.state = ffi.new("edge_asd_calibration *")
        self.spans = ffi.new("int32_t[]", capacity)
        assert lib.edge_asd_calibration_begin(self.state, rate, windows, step, least, self.spans, capacity)

    @classmethod
    def of(cls, bundle: Bundle, capacity: int = 500) -> CCalibration:
        return cls(
            bundle.features.sample_rate, bundle.windows_per_score, bundle.span_step, bundle.score_samples, capacity
        )

    def record(self, pcm: Pcm, scores: list[int], seed: int = 1) -> int:
        """Take a recording, sound and window scores in blocks; return its status."""
        lib.edge_asd_calibration_start(self.state)
        given = 0
        for i, block in enumerate(parts := blocks(pcm, seed, 4000)):
            told = lib.edge_asd_calibration_hear(self.state, samples(block), block.size)
            upto = len(scores) * (i + 1) // len(parts)
            for score in scores[given:upto]:
                told = lib.edge_asd_calibration_score(self.state, score)
            given = upto
        status = int(lib.edge_asd_calibration_end(self.state))
        assert told in (OK, DEAD, FULL)
        assert told == OK or status in (told, SHORT)
        return status

    def threshold(self, quantile: float) -> int:
        threshold = ffi.new("int32_t *", 7)
        status = lib.edge_asd_calibration_threshold(self.state, round(quantile * 1e6), threshold)
        assert (status == OK) is (threshold[0] != 7)
        return threshold[0] if status == OK else -status


@pytest.fixture(scope="module")
def recordings() -> dict[str, Pcm]:
    """Healthy recordings of several lengths, and those that are refused."""
    rng = np.random.default_rng(20)
    good = {f"good{i}": machine_sound(rng, seconds=s, noise=400.0) for i, s in enumerate((1.6, 2.9, 3.1, 12.0, 40.0))}
    base = machine_sound(rng, seconds=4.0, noise=400.0)
    others = {name: base.copy() for name in ("clipped", "not clipped", "dead", "line", "clipped and dead")}
    for name, count in (("clipped", 65), ("not clipped", 64)):
        others[name][np.linspace(0, base.size - 1, count).astype(int)] = 32767
    others["dead"][9000:17000] = 5
    others["line"][9000:16999] = 5
    others["dead"][[8999, 17000]] = others["line"][[8999, 16999]] = 900
    others["clipped and dead"][-20000:] = -32768
    return {**good, **others, "short": base[:1000], "zeros": np.zeros(50_000, np.int16)}


def window_scores(bundle: Bundle, pcm: Pcm) -> list[int]:
    scores: list[int] = load_detector(bundle).window_scores(log_mel(pcm, bundle.features), "00").tolist()
    return scores


def test_the_threshold_is_that_of_edge_asd_calibrate(
    bundle: Bundle, recordings: dict[str, Pcm], tmp_path: Path
) -> None:
    c, statuses = CCalibration.of(bundle), {}
    for name, pcm in recordings.items():
        write_wav(tmp_path / f"{name}.wav", pcm)
        statuses[name] = c.record(pcm, window_scores(bundle, pcm))
        if statuses[name] != OK:
            with pytest.raises(DataError):
                read_healthy(tmp_path / f"{name}.wav", bundle, 0, [])
            (tmp_path / f"{name}.wav").unlink()
    bad = {"clipped": CLIPPED, "dead": DEAD, "clipped and dead": DEAD, "short": SHORT, "zeros": DEAD}
    assert statuses == {name: bad.get(name, OK) for name in recordings}
    heard = hear_recordings(bundle, Request(section="00"), tmp_path)

    def fitted(**wanted: float) -> Threshold:
        return calibrate(bundle, Request(section="00", **wanted), heard).threshold

    for quantile in (0.9, 0.5, 0.95, 0.999999, 1.0, 0.000001):
        expected = fitted(quantile=quantile)
        assert c.threshold(quantile) == expected.score
        assert c.state.count == sum(expected.clips.values()) > 40
    # A false-positive rate is a quantile, too.
    assert c.threshold(0.95) == fitted(false_positive_rate=0.05).score


def test_a_recording_is_refused_where_it_is_by_the_package(bundle: Bundle, tmp_path: Path) -> None:
    """Short scores, so that there is sound that is silent and not dead."""
    bundle, path, found = replace(bundle, score_window_frames=5), tmp_path / "x.wav", []
    advice = {SHORT: "Take it out of the folder", DEAD: "Remove it, or record it again", CLIPPED: "gain down"}
    for seed in range(150):
        rng = np.random.default_rng(seed)
        pcm = sound(rng, RATE, int(rng.integers(1, 4)))
        if pcm.size == 0:
            continue
        write_wav(path, pcm)
        status = CCalibration.of(bundle).record(pcm, [1] * 9, seed)
        found.append(status)
        if status == OK:
            read_healthy(path, bundle, 0, [])
        else:
            with pytest.raises(DataError, match=advice[status]):
                read_healthy(path, bundle, 0, [])
    assert min(found.count(status) for status in (OK, SHORT, DEAD, CLIPPED)) >= 3


def test_a_refused_recording_leaves_nothing_behind(bundle: Bundle, recordings: dict[str, Pcm]) -> None:
    first, second = recordings["good0"], recordings["good1"]
    alone, both = CCalibration.of(bundle, 2), CCalibration.of(bundle, 2)
    assert alone.record(first, [5] * 82) == both.record(first, [5] * 82) == OK
    assert both.threshold(1.0) == 5
    assert both.record(recordings["dead"], [9] * 41) == DEAD
    assert both.state.count == 2
    assert both.record(second, [9] * 41) == FULL
    assert both.threshold(1.0) == alone.threshold(1.0) == 5


def test_a_full_memory_is_told(bundle: Bundle, recordings: dict[str, Pcm]) -> None:
    pcm, c = recordings["good4"], CCalibration.of(bundle, 3)
    n = bundle.windows_per_score
    assert c.record(pcm, [1] * (4 * n)) == FULL
    assert c.threshold(0.9) == -NONE
    assert c.record(pcm, [1] * (4 * n - 1)) == OK
    assert lib.edge_asd_calibration_is_full(c.state)
    assert c.threshold(0.9) == 1
    assert c.record(pcm, [1] * (n - 1)) == OK  # what is left over counts in no span
    assert c.record(pcm, [1] * n) == FULL


def test_the_shortest_recording(bundle: Bundle, recordings: dict[str, Pcm]) -> None:
    pcm, c = recordings["good4"][: bundle.score_samples], CCalibration.of(bundle)
    assert c.record(pcm[:-1], []) == SHORT
    assert c.record(pcm, window_scores(bundle, pcm)) == OK
    assert c.state.count == 1


def test_a_recording_that_does_not_end_is_dropped(bundle: Bundle) -> None:
    c, n = CCalibration.of(bundle, 3), bundle.windows_per_score
    for score in [8] * (2 * n + 1):
        lib.edge_asd_calibration_score(c.state, score)
    assert c.state.count == 2
    lib.edge_asd_calibration_start(c.state)
    assert c.state.count == 0
    assert c.threshold(0.5) == -NONE


@settings(max_examples=300)
@given(st.integers(1, 300), st.integers(1, 10**6) | st.sampled_from([1, 500_000, 900_000, 999_999, 10**6]), st.data())
def test_the_quantile_is_pythons(count: int, millionths: int, data: st.DataObject) -> None:
    ends = st.sampled_from([-(2**31), 2**31 - 1, 0, -1])
    scores = data.draw(
        st.lists(st.integers(-(2**31), 2**31 - 1) | ends | st.integers(-3, 3), min_size=1, max_size=count)
    )
    c = CCalibration(RATE, 1, 1, 1, count)
    assert c.record(np.arange(-300, 300, 5, dtype=np.int16), scores) == OK
    out = ffi.new("int32_t *")
    assert lib.edge_asd_calibration_threshold(c.state, millionths, out) == OK
    assert out[0] == weighted_quantile({"source": scores}, millionths / 1e6)
    assert list(c.spans)[: len(scores)] == sorted(scores)


@given(st.integers(1, 2000), st.integers(1, 2000))
@example(10, 10)
@example(7, 7)
def test_quantiles_that_are_whole_numbers_of_spans_are_pythons(count: int, part: int) -> None:
    """Where floating point might round either way: q n a whole number, or nearly."""
    c = CCalibration(RATE, 1, 1, 1, count)
    assert c.record(np.arange(-300, 300, 5, dtype=np.int16), list(range(count))[::-1]) == OK
    quantile = round((part % count + 1) / count, 6)
    for q in {max(quantile - 1e-6, 1e-6), max(quantile, 1e-6), min(quantile + 1e-6, 1.0)}:
        q = round(q, 6)
        out = ffi.new("int32_t *")
        assert lib.edge_asd_calibration_threshold(c.state, round(q * 1e6), out) == OK
        assert out[0] == weighted_quantile({"source": list(range(count))}, q)


@pytest.mark.prove
@pytest.mark.parametrize("count", [999_999, 1_000_000])
def test_the_quantile_of_a_million_spans_is_pythons(count: int) -> None:
    c = CCalibration(RATE, 1, 1, 1, count)
    assert (
        c.record(
            np.arange(-300, 300, 5, dtype=np.int16), (scores := np.random.default_rng(1).permutation(count).tolist())
        )
        == OK
    )
    for millionths in (1, 2, 333_333, 500_000, 900_000, 999_999, 1_000_000):
        out = ffi.new("int32_t *")
        assert lib.edge_asd_calibration_threshold(c.state, millionths, out) == OK
        assert out[0] == weighted_quantile({"source": scores}, millionths / 1e6)


def test_numbers_out_of_range_are_refused() -> None:
    c = CCalibration(RATE, 1, 1, 1, 1)
    assert c.threshold(0.5) == -NONE
    assert c.threshold(0) == c.threshold(1.000001) == -QUANTILE
    begin = lib.edge_asd_calibration_begin
    for numbers, capacity in (
        ((999, 1, 1, 1), 1),
        ((RATE, 0, 1, 1), 1),
        ((RATE, 2, 1, 1), 1),
        ((RATE, 1, 1, 0), 1),
        ((RATE, 1, 1, 1), 1_000_001),
    ):
        assert not begin(c.state, *numbers, c.spans, capacity)
