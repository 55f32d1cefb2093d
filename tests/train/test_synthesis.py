"""The synthetic data set: honest, reproducible, and readable as MIMII DUE."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from edge_asd.clips import ClipName
from edge_asd.errors import DataError, OutputError
from train.synthesis import SEVERITIES, ClipPlan, make_clip, make_dataset, make_turning_file
from train.synthetic_sounds import FAULTS, fan_of_section, fan_sound

SMALL = {"train_source": 2, "train_target": 1, "test_per_class": 2, "seconds": 1.0}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.wav"))}


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def rms_db(pcm: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(pcm.astype(np.float64) ** 2)))


def auc(normal: np.ndarray, anomaly: np.ndarray) -> float:
    return float(np.mean(anomaly[:, None] > normal) + 0.5 * np.mean(anomaly[:, None] == normal))


def test_one_seed_gives_identical_bytes_whatever_the_workers(tmp_path: Path) -> None:
    one = contents(make_dataset(tmp_path / "a", seed=3, workers=1, **SMALL))
    two = contents(make_dataset(tmp_path / "b", seed=3, workers=2, **SMALL))
    other = contents(make_dataset(tmp_path / "c", seed=4, **SMALL))
    assert len(one) == 2 * (2 + 1 + 2 * 2 * 2)
    assert one == two
    assert len(set(one.values()) | set(other.values())) == 2 * len(one)  # no clip twice


def test_layout_names_and_format(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path, sections=("0", "07"), **SMALL)
    assert folder == tmp_path / "fan"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fan"]  # nothing temporary stays
    counts: dict[tuple[str, ...], int] = {}
    for path in folder.rglob("*.wav"):
        name = ClipName.parse(path.name)
        assert path.parent.name == ("train" if name.split == "train" else f"{name.domain}_test")
        fan = fan_of_section(name.section)
        assert name.attributes.startswith(f"rpm_{fan.rpm[name.domain]}_snr_m")
        assert samples(path).size == 16_000
        key = (name.section, name.domain, name.split, name.label or "")
        counts[key] = counts.get(key, 0) + 1
    expected = {}
    for section in ("00", "07"):
        expected |= {(section, "source", "train", "normal"): 2, (section, "target", "train", "normal"): 1}
        expected |= {(section, d, "test", c): 2 for d in ("source", "target") for c in ("normal", "anomaly")}
    assert counts == expected


def test_the_domains_differ_in_speed() -> None:
    for section in ("00", "01", "05"):
        rpm = fan_of_section(section).rpm
        assert 1.15 < rpm["target"] / rpm["source"] < 1.35


def test_faulty_clips_take_every_fault_at_every_severity() -> None:
    plans = [ClipPlan("00", "source", "test", "anomaly", i) for i in range(12)]
    assert {p.fault for p in plans} == {(f, s) for f in FAULTS for s in SEVERITIES}
    assert ClipPlan("00", "source", "test", "normal", 5).fault[1] == 0


@pytest.mark.parametrize("domain", ["source", "target"])
def test_the_level_is_no_give_away(domain: str) -> None:
    levels = {
        label: np.array(
            [rms_db(make_clip(ClipPlan("00", domain, "test", label, i), seconds=2.0)[0]) for i in range(100)]
        )
        for label in ("normal", "anomaly")
    }
    assert 0.35 < auc(levels["normal"], levels["anomaly"]) < 0.65


def test_clips_are_neither_faint_nor_clipped() -> None:
    for index in range(12):
        pcm, _ = make_clip(ClipPlan("01", "target", "test", "anomaly", index))
        assert -30 < rms_db(pcm) - rms_db(np.array([32768.0])) < -20
        assert np.mean(np.abs(pcm.astype(int)) >= 32767) < 1e-4


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_changes_the_spectrum_not_the_power(fault: str) -> None:
    states = [fan_sound(fan_of_section("00"), 1400, 160_000, fault, s, np.random.default_rng(1)) for s in (0.0, 0.85)]
    assert [float(np.mean(x**2)) for x in states] == pytest.approx([1.0, 1.0])
    # Third-octave-like bands: at least one moves by 3 dB, and what is 0 severity is the same for all.
    power = [np.abs(np.fft.rfft(x)) ** 2 for x in states]
    edges = np.geomspace(100, 80_000, 30).astype(int)  # bins of 0.1 Hz
    bands = [10 * np.log10(np.add.reduceat(p, edges)[:-1]) for p in power]
    assert np.max(np.abs(bands[1] - bands[0])) > 3
    healthy = fan_sound(fan_of_section("00"), 1400, 160_000, "wing", 0.0, np.random.default_rng(1))
    np.testing.assert_array_equal(healthy, states[0])


@pytest.mark.parametrize(("section", "seed"), [("00", 0), ("01", 5)])
def test_the_turning_file_turns_without_click_or_jump(tmp_path: Path, section: str, seed: int) -> None:
    path = tmp_path / "turning.wav"
    healthy = tmp_path / "healthy.wav"
    make_turning_file(healthy, section=section, seed=seed, healthy_seconds=20, faulty_seconds=0)
    change = make_turning_file(path, section=section, seed=seed, healthy_seconds=12, faulty_seconds=8)
    assert change == 12
    pcm = samples(path)
    assert pcm.size == 20 * 16_000
    at = 12 * 16_000
    # A cut between two recordings would show as a step; the first ball hits are still faint here.
    step = np.abs(np.diff(pcm.astype(int)))
    assert step[at - 800 : at + 1600].max() <= step[: at - 800].max()
    np.testing.assert_array_equal(pcm[:at], samples(healthy)[:at])
    assert abs(rms_db(pcm[at : at + 32_000]) - rms_db(pcm[at - 32_000 : at])) < 1.5
    assert abs(rms_db(pcm[at:]) - rms_db(pcm[:at])) < 1.0
    # The bearing's resonance stands out after the change, and not before.
    housing = fan_of_section(section).housing

    def ringing(x: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(x * np.hanning(x.size))) ** 2
        f = np.fft.rfftfreq(x.size, 1 / 16_000)
        return float(10 * np.log10(power[np.abs(f - housing) < 100].mean() / power[f > 1000].mean()))

    assert ringing(pcm[at + 16_000 :]) - ringing(pcm[:at]) > 6


def test_refusals_leave_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no synthetic 'toaster'"):
        make_dataset(tmp_path, machine="toaster")
    with pytest.raises(DataError, match="is not a section"):
        make_dataset(tmp_path, sections=("x",))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        make_dataset(tmp_path / "file", **SMALL)
    with pytest.raises(OutputError, match="cannot be written"):
        make_turning_file(tmp_path / "absent" / "x.wav", section="00", seed=0, healthy_seconds=1, faulty_seconds=1)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    (tmp_path / "fan").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        make_dataset(tmp_path)
