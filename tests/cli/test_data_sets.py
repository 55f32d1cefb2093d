"""Data sets as people have them: names in capitals, hidden files, dead channels, other rates, copies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from edge_asd.bundle.bundle import Bundle
from edge_asd.cli import app
from tests.cli.command import Command, assert_error
from tests.golden.committed import NAMES

Write = Callable[[Path, npt.NDArray[np.int16]], None]


def sound(seed: int, *, rate: int = 16000, faulty: bool = False) -> npt.NDArray[np.int16]:
    t = np.arange(2 * rate) / rate
    x = np.random.default_rng(seed).normal(scale=1600, size=t.size) + 1600 * np.sin(2 * np.pi * 200 * t + seed)
    return (x + (2500 * np.sin(2 * np.pi * 3100 * t) if faulty else 0)).astype(np.int16)


def write(path: Path, pcm: npt.NDArray[np.int16], rate: int = 16000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, pcm, rate, subtype="PCM_16", format="FLAC" if path.suffix.lower() == ".flac" else "WAV")


def make(
    root: Path,
    suffix: Callable[[int], str] = lambda i: ".wav",
    put: Callable[[Path, npt.NDArray[np.int16], int], None] = lambda path, pcm, i: write(path, pcm),
) -> Path:
    """Write 12 training clips and 4 + 4 test clips of two seconds of one section."""
    for i in range(12):
        put(root / f"fan/train/section_00_source_train_normal_{i:04d}_v_1{suffix(i)}", sound(i), i)
    for i in range(4):
        for label in ("normal", "anomaly"):
            name = f"section_00_source_test_{label}_{i:04d}{suffix(i)}"
            put(root / "fan/source_test" / name, sound(100 + i, faulty=label == "anomaly"), i)
    return root


def stages(command: Command, data: Path, work: Path, *options: object) -> dict[str, str]:
    """Train, quantise and evaluate; return what each said on the standard error, and the clips they counted."""
    said = {}
    run, bundle = work / "run", work / "fan.easd"
    done = command("train", data, "--machine", "fan", "--epochs", 1, "--out", run, *options, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    said["train"] = done.stderr
    said["clips"] = str(document["clips_fit"] + document["clips_held_back"])
    done = command("quantize", run, "--data", data, "--out", bundle, "--json")
    assert done.returncode == 0, done.stderr
    said["quantize"] = done.stderr
    done = command("evaluate", bundle, "--data", data, "--out", work / "results", "--json")
    assert done.returncode == 0, done.stderr
    said["evaluate"] = done.stderr
    (result,) = json.loads(done.stdout)["results"]
    said["tests"] = f"{result['n_normal']}+{result['n_anomaly']}"
    return said


def test_upper_case_and_flac_are_clips_as_well_and_hidden_files_are_not(command: Command, tmp_path: Path) -> None:
    def put(path: Path, pcm: npt.NDArray[np.int16], i: int) -> None:
        write(path, pcm)
        (path.parent / f"._{path.name}").write_bytes(bytes.fromhex("0005160700020000") + bytes(100))

    data = make(tmp_path / "data", lambda i: (".wav", ".WAV", ".flac", ".Wav")[i % 4], put)
    said = stages(command, data, tmp_path)
    assert (said["clips"], said["tests"]) == ("12", "4+4")
    for stage in ("train", "quantize", "evaluate"):
        assert said[stage].count("passed over 20 hidden sound files, such as 'source_test/._section_00_") == 1, said[
            stage
        ]
    report = json.loads(command("data", "verify", data, "--json").stdout)
    assert report["clips"] == 20
    assert {fault["kind"] for fault in report["faults"]} == {"length"}
    assert "fan: passed over 20 hidden sound files, such as 'source_test/._section" in " ".join(report["notes"])
    assert (data / "fan/train/section_00_source_train_normal_0001_v_1.WAV").exists()


@pytest.mark.prove
def test_the_channel_that_holds_sound_is_used_in_all_stages(command: Command, tmp_path: Path) -> None:
    def stereo(path: Path, pcm: npt.NDArray[np.int16], i: int) -> None:
        write(path, np.stack([0 * pcm, pcm], axis=1))

    data, mono = make(tmp_path / "data", put=stereo), make(tmp_path / "mono")
    done = command("train", data, "--machine", "fan", "--epochs", 1, "--out", tmp_path / "wrong")
    assert_error(done, "channel 1", "--channel")
    assert "record it again" not in done.stderr
    assert not (tmp_path / "wrong").exists()
    faults = json.loads(command("data", "verify", data, "--json").stdout)["faults"]
    silent = [fault["text"] for fault in faults if fault["kind"] == "silent"]
    assert len(silent) == 20
    assert all("channel 1" in text for text in silent)
    faults = json.loads(command("data", "verify", data, "--channel", 1, "--json").stdout)["faults"]
    assert {fault["kind"] for fault in faults} == {"format", "length"}
    said = stages(command, data, tmp_path / "right", "--channel", 1)
    for stage in ("train", "quantize"):
        assert said[stage].count("12 of 12 training clips have 2 channels; channel 1 is used.") == 1
    assert "8 of 8 test clips have 2 channels; channel 1 is used." in said["evaluate"]
    stages(command, mono, tmp_path / "alike")
    bundle = Bundle.load(tmp_path / "right/fan.easd")
    assert bundle.channel == 1
    assert bundle.thresholds == Bundle.load(tmp_path / "alike/fan.easd").thresholds
    scores = "results/anomaly_score_fan_section_00_source_test.csv"
    assert (tmp_path / "right" / scores).read_bytes() == (tmp_path / "alike" / scores).read_bytes()


@pytest.mark.prove
def test_clips_of_another_rate_are_told_once(command: Command, tmp_path: Path) -> None:
    def put(path: Path, pcm: npt.NDArray[np.int16], i: int) -> None:
        low = i % 2 == 0 and path.parent.name == "train"
        write(path, sound(i, rate=8000) if low else pcm, 8000 if low else 16000)

    said = stages(command, make(tmp_path / "data", put=put), tmp_path)
    text = "6 of 12 training clips have 8000 Hz: nothing above 4000 Hz is in them."
    assert (said["train"].count(text), said["quantize"].count(text)) == (1, 1)
    assert said["evaluate"].count("8000 Hz") == said["evaluate"].count(text) == 1
    bundle = Bundle.load(tmp_path / "fan.easd")
    assert bundle.provenance["training_rates"] == {"8000": 6, "16000": 6}
    assert (bundle.trained_at(8000), bundle.trained_at(16000), bundle.trained_at(11025)) == (True, True, False)


@pytest.mark.prove
def test_a_gamma_fit_of_copies_is_refused_for_its_true_reason(command: Command, tmp_path: Path) -> None:
    data = make(tmp_path / "data", put=lambda path, pcm, i: write(path, sound(0)))
    run = tmp_path / "run"
    assert command("train", data, "--machine", "fan", "--epochs", 1, "--out", run).returncode == 0
    done = command("quantize", run, "--data", data, "--out", tmp_path / "fan.easd", "--threshold", "gamma")
    assert_error(done, "equal or nearly so", "data verify", "--threshold quantile")
    assert "record more" not in done.stderr


@pytest.mark.parametrize("name", ["anomaly_id_00_00000000.wav", "ABNORMAL-1.WAV", "fan_anomalous_3.flac"])
def test_calibrate_refuses_anomalies_by_name(command: Command, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "clips"
    for i in range(3):
        write(folder / f"normal_id_00_{i:08d}.wav", sound(i))
    write(folder / name, sound(9, faulty=True))
    arguments = ["--section", "00", "--out", tmp_path / "new.easd"]
    done = command("calibrate", NAMES["ae"], "--wav-dir", folder, *arguments)
    assert_error(done, name, "is an anomaly by its name")
    (folder / name).unlink()
    assert command("calibrate", NAMES["ae"], "--wav-dir", folder, *arguments).returncode == 0


def test_calibrate_refuses_a_folder_of_anomalies(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "id_00/abnormal/00000000.wav", sound(1))
    done = command(
        "calibrate",
        NAMES["ae"],
        "--section",
        "00",
        "--wav-dir",
        tmp_path / "id_00/abnormal",
        "--out",
        tmp_path / "n.easd",
    )
    assert_error(done, "abnormal", "is an anomaly by its name")


def test_training_refuses_anomalies_by_name(command: Command, tmp_path: Path) -> None:
    data = make(tmp_path / "data")
    name = "section_00_source_train_normal_0099_abnormal_load.wav"
    write(data / "fan/train" / name, sound(3))
    done = command("train", data, "--machine", "fan", "--epochs", 1, "--out", tmp_path / "run")
    assert_error(done, name, "is an anomaly by its name")
    faults = json.loads(command("data", "verify", data, "--json").stdout)["faults"]
    assert [fault["path"] for fault in faults if fault["kind"] == "label"] == [f"fan/train/{name}"]


def test_calibrate_says_what_a_lower_rate_lacks_unless_training_clips_lacked_it_too(
    command: Command, tmp_path: Path
) -> None:
    write(tmp_path / "clips/a.wav", sound(5, rate=8000), 8000)
    bundle = Bundle.load(NAMES["ae"])
    for rates, told in (({}, True), ({"16000": 3}, True), ({"8000": 3}, False)):
        path = tmp_path / f"{len(rates)}{told}.easd"
        replace(bundle, provenance={**bundle.provenance, "training_rates": rates}).save(path)
        done = command("calibrate", path, "--section", "00", "--wav-dir", tmp_path / "clips", "--in-place")
        assert done.returncode == 0, done.stderr
        assert ("nothing above 4000 Hz is in it" in done.stderr) is told


@pytest.mark.parametrize("rates", [None, 16000, [16000], {"x": 1}, {"": 1}, {"9" * 5000: 1}, {"8000": True}])
def test_training_rates_that_are_none_count_as_unknown(rates: object) -> None:
    bundle = replace(Bundle.load(NAMES["ae"]), provenance={"training_rates": rates})
    assert bundle.training_rates == {}
    assert not bundle.trained_at(8000)


def test_synth_takes_recordings_of_any_ending_and_says_what_it_passed_over(command: Command, tmp_path: Path) -> None:
    long = np.concatenate([sound(seed) for seed in range(5)])
    for place, count in (("own/normal", 3), ("own/anomaly", 1), ("noise", 2)):
        for i in range(count):
            write(tmp_path / place / f"{i}{('.WAV', '.flac', '.wav')[i]}", long)
        (tmp_path / place / "._0.WAV").touch()
    (tmp_path / "noise/readme.txt").touch()
    done = command(
        "data", "synth", tmp_path / "data", "--machine", "fan", "--json",
        "--machine-clips", tmp_path / "own", "--noise-clips", tmp_path / "noise",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    hidden = "passed over 1 hidden sound file, such as '._0.WAV'"
    assert [line for line in done.stderr.splitlines() if line.startswith("Note: ")] == [
        f"Note: {tmp_path / 'own/normal'}: {hidden}.",
        f"Note: {tmp_path / 'own/anomaly'}: {hidden}.",
        f"Note: {tmp_path / 'noise'}: {hidden} and 1 other file or folder, such as 'readme.txt'.",
    ]
    done = command(
        "data", "synth", tmp_path / "more", "--machine", "fan", "--sections", "00", "--noise-clips", tmp_path / "noise"
    )
    assert f"{tmp_path / 'noise'}: {hidden}" in done.stderr


def test_synth_refuses_anomalies_among_the_healthy(command: Command, tmp_path: Path) -> None:
    for name in ("own/normal/a.wav", "own/normal/Abnormal-2.wav", "own/anomaly/a.wav"):
        write(tmp_path / name, sound(1))
    done = command("data", "synth", tmp_path / "data", "--machine", "fan", "--machine-clips", tmp_path / "own")
    assert_error(done, "Abnormal-2.wav is an anomaly by its name")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("files", "header", "cells"),
    [
        (
            ["train/normal_id_00_00000000.wav", "test/anomaly_id_00_00000000.wav"],
            "machine section faults domain not told: train test",
            ["1", "0 + 1"],
        ),
        (
            ["train/section_00_source_train_normal_0000.wav", "test/section_00_0000.wav"],
            "machine section faults source train test target train test domain not told: train test",
            ["1", "0", "0", "0", "0", "1"],
        ),
        (
            ["train/section_00_source_train_normal_0000.wav"],
            "machine section faults source train test target train test",
            ["1", "0", "0", "0"],
        ),
    ],
)
def test_verify_has_columns_for_the_domains_that_names_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: list[str], header: str, cells: list[str]
) -> None:
    for name in files:
        write(tmp_path / "fan" / name, np.arange(16000, dtype=np.int16))
    with pytest.raises(SystemExit):  # clips of one second
        app(["data", "verify", str(tmp_path)])
    first, _, row = capsys.readouterr().out.splitlines()[:3]
    assert " ".join(first.split()) == header
    assert re.split(" {2,}", row)[3:] == cells
