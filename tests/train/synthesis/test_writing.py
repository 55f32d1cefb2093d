"""Synthetic data sets on disk: reproducible, whole, readable as MIMII DUE."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from edge_asd.clips import ClipName
from edge_asd.errors import DataError, OutputError
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.data.marker import MARKER
from edge_asd.train.data.table1 import MACHINES, table1
from edge_asd.train.data.verify import verify
from edge_asd.train.synthesis import PRESETS, make_dataset, make_turning_file
from edge_asd.train.synthesis.presets import Preset

LITTLE = Preset(("00", "01"), 2, 1, 2)


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "little", LITTLE)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.wav"))}


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def rms_db(pcm: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(pcm.astype(np.float64) ** 2)))


@pytest.mark.parametrize("machine", MACHINES)
def test_one_seed_gives_identical_bytes_whatever_the_workers(tmp_path: Path, machine: str) -> None:
    def made(name: str, **options: object) -> dict[str, bytes]:
        options = {"machine": machine, "preset": "little", "sections": ["01"], "seconds": 1.0, **options}
        return contents(make_dataset(tmp_path / name, **options).folder)

    one, two, other = made("a", seed=3, workers=1), made("b", seed=3, workers=3), made("c", seed=4)
    assert len(one) == 2 + 1 + 2 * 2 * 2
    assert one == two
    assert len(set(one.values()) | set(other.values())) == 2 * len(one)  # no clip twice


def test_layout_names_and_format(tmp_path: Path) -> None:
    made = make_dataset(tmp_path, machine="slider", preset="little", sections=("0", "04"), seconds=1.0)
    assert made.folder == tmp_path / "slider"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["slider"]  # nothing temporary stays
    assert sorted(p.name for p in made.folder.iterdir()) == ["source_test", MARKER, "target_test", "train"]
    for path in made.folder.rglob("*.wav"):
        name = ClipName.parse(path.name)
        assert samples(path).size == 16_000
        assert name.label in ("normal", "anomaly")
        assert name.attributes.startswith("vel_") == (name.split == "train")
    assert Dataset(tmp_path, "slider").sections == ["00", "04"]
    cells = [(row.section, row.domain, row.train, row.normal, row.anomaly) for row in made.rows]
    assert cells == [(s, d, n, 2, 2) for s in ("00", "04") for d, n in (("source", 2), ("target", 1))]
    assert all(row.auc_level in (0.0, 0.25, 0.5, 0.75, 1.0) for row in made.rows)


def test_presets_are_as_large_as_they_should_be() -> None:
    assert [len(PRESETS["tiny"].plans("fan", s)) for s in PRESETS["tiny"].sections] == [91, 91]
    small = PRESETS["small"].counts("valve", "02")
    assert small["source", "train", "normal"] >= 100
    assert small["target", "train", "normal"] == 3
    assert {small[d, "test", label] for d in ("source", "target") for label in ("normal", "anomaly")} == {30}
    for (machine, section), row in table1().items():
        plans = PRESETS["full"].plans(machine, section)
        assert len(plans) == len(set(plans)) == row.clips
    assert PRESETS["full"].counts("gearbox", "02")["source", "test", "anomaly"] == 138
    half = PRESETS["full"].counts("slider", "05")  # 203 target clips, labels not disclosed
    assert (half["target", "test", "normal"], half["target", "test", "anomaly"]) == (102, 101)


def test_verify_says_synthetic_and_counts_only_the_full_preset(tmp_path: Path) -> None:
    make_dataset(tmp_path, machine="valve", preset="little", seconds=10.0, sections=["00"])
    report = verify(tmp_path)
    assert report.faults == []
    assert "counts" not in report.checks
    assert any("the synthetic valve has a size of its own" in note for note in report.notes)
    assert any("valve is synthetic" in note for note in report.notes)
    assert not any("passed over" in note for note in report.notes)
    marker = tmp_path / "valve" / MARKER
    marker.write_text(marker.read_text().replace('"table1_counts": false', '"table1_counts": true'))
    few = "it has 11 clips where MIMII DUE has 1,403"
    assert any(few in note for note in verify(tmp_path).notes)
    for damaged in (b"{", b"[]", b'{"made_by": 3}', b"\xff" * 100, b" " * 100_000):
        marker.write_bytes(damaged)
        assert any(few in note for note in verify(tmp_path).notes)


@pytest.mark.parametrize(("section", "seed"), [("00", 0), ("01", 5)])
def test_the_turning_file_turns_without_click_or_jump(tmp_path: Path, section: str, seed: int) -> None:
    path = tmp_path / "turning.wav"
    assert make_turning_file(path, section=section, seed=seed, healthy_seconds=12, faulty_seconds=8) == 12
    pcm, at = samples(path), 12 * 16_000
    assert pcm.size == 20 * 16_000
    # A cut between two recordings would show as a step.
    step = np.abs(np.diff(pcm.astype(int)))
    assert step[at - 800 : at + 800].max() <= step.max()
    assert step[at - 8 : at + 8].max() <= np.quantile(step[: at - 800], 0.9999)
    assert abs(rms_db(pcm[at:]) - rms_db(pcm[:at])) < 1.0
    # A damaged wing: high frequencies swell once a turn, so they fluctuate more than before.
    again = tmp_path / "again.wav"
    make_turning_file(again, section=section, seed=seed, healthy_seconds=20, faulty_seconds=0)
    np.testing.assert_array_equal(pcm[:at], samples(again)[:at])
    assert np.mean(pcm[at:] != samples(again)[at:]) > 0.9


def test_refusals_leave_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no synthetic 'toaster'"):
        make_dataset(tmp_path, machine="toaster")
    with pytest.raises(DataError, match="is not a section"):
        make_dataset(tmp_path, sections=("x",))
    with pytest.raises(DataError, match="No section"):
        make_dataset(tmp_path, sections=())
    with pytest.raises(DataError, match="no preset 'huge'"):
        make_dataset(tmp_path, preset="huge")
    with pytest.raises(DataError, match="not a fault"):
        make_turning_file(tmp_path / "x.wav", section="00", seed=0, fault="over voltage")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        make_dataset(tmp_path / "file", preset="little", seconds=1.0)
    with pytest.raises(OutputError, match="cannot be written"):
        make_turning_file(tmp_path / "absent" / "x.wav", section="00", seed=0, healthy_seconds=1, faulty_seconds=1)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    (tmp_path / "fan").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        make_dataset(tmp_path)


def test_what_goes_wrong_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    def broken(n: int, rng: np.random.Generator) -> np.ndarray:
        if rng.random() < 0.3:
            raise OSError(28, "No space left on device")
        return rng.standard_normal(n)

    with pytest.raises(OutputError, match="No space left"):
        make_dataset(tmp_path / "new", preset="little", seconds=1.0, noise=broken)
    assert list((tmp_path / "new").iterdir()) == []
