"""Detectors on other features than the published ones, command by command."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.cli.train import FrameLength
from edge_asd.errors import EdgeAsdError
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.train.runs.run import Run
from tests.cli.command import Command, assert_error
from tests.data import MACHINE, TEST

FEW_BANDS = ("--mels", 64, "--frame", 512, "--hop", 256)


def test_frame_lengths_are_those_of_the_front_end() -> None:
    def accepted(length: int) -> bool:
        try:
            FeatureSpec(n_fft=length, hop_length=1)
        except EdgeAsdError:
            return False
        return True

    assert [length for length in range(1, 5000) if accepted(length)] == [int(length) for length in FrameLength]


@pytest.mark.prove
def test_an_autoencoder_of_64_bands_is_heard_as_it_was_evaluated(
    command: Command, tiny_data: Path, tmp_path: Path
) -> None:
    run, bundle, results = tmp_path / "run", tmp_path / "fan.easd", tmp_path / "results"
    trained = command("train", tiny_data, "--machine", MACHINE, "--epochs", 2, "--out", run, *FEW_BANDS)
    assert trained.returncode == 0, trained.stderr
    spec = FeatureSpec(16000, 512, 256, 64)
    assert Run.load(run).features == spec
    other = command("train", tiny_data, "--machine", MACHINE, "--epochs", 3, "--out", run, "--resume", "--mels", 64)
    assert_error(other, "was begun with another features")

    assert command("quantize", run, "--data", tiny_data, "--out", bundle).returncode == 0
    made = Bundle.load(bundle)
    assert made.features == spec
    # Two seconds, as the clips have: (32000 - 512) / 256 + 1 frames.
    assert (made.window_frames, made.score_window_frames, made.windows_per_score) == (5, 124, 120)
    golden = made.golden_arrays()
    assert golden["features"].shape == golden["model_input"].shape == (40, 64)
    assert {-32768, 32767} <= set(golden["pcm"].tolist())
    assert command("selftest", bundle).returncode == 0

    assert command("evaluate", bundle, "--data", tiny_data, "--out", results).returncode == 0
    seen = 0
    for section, domain in TEST:
        with open(results / f"anomaly_score_{MACHINE}_section_{section}_{domain}_test.csv", newline="") as file:
            scores = {name: int(score) for name, score in csv.reader(file)}
        for name, score in scores.items():
            clip = tiny_data / MACHINE / f"{domain}_test" / name
            heard = command("monitor", bundle, "--section", section, "--wav", clip, "--json")
            (decision,) = map(json.loads, heard.stdout.splitlines())
            assert decision["score"] == score
            assert decision["time_s"] == 2.0
            seen += 1
    assert seen == 14


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--model", "mobilenetv2", "--mels", 31), ("at least 32 mel bands, not 31", "--mels")),
        (("--faithful", "--mels", 64), ("128 mel bands", "not on 64 mel bands", "Leave --mels, --frame and --hop out")),
        (("--faithful", "--hop", 256), ("every 512", "every 256")),
        (("--faithful", "--frame", 2048), ("frames of 2048",)),
    ],
)
def test_features_that_a_model_cannot_take(
    command: Command, tiny_data: Path, tmp_path: Path, options: tuple[object, ...], words: tuple[str, ...]
) -> None:
    done = command("train", tiny_data, "--machine", MACHINE, "--out", tmp_path / "run", *options)
    assert_error(done, *words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "options",
    [("--mels", 15), ("--mels", 129), ("--frame", 1000), ("--hop", 0), ("--hop", 1025), ("--hop", 513, "--frame", 512)],
)
def test_features_that_the_front_end_does_not_have(
    command: Command, tiny_data: Path, tmp_path: Path, options: tuple[object, ...]
) -> None:
    done = command("train", tiny_data, "--machine", MACHINE, "--out", tmp_path / "run", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert not (tmp_path / "run").exists()


def test_the_hop_is_half_a_frame_by_default(command: Command, tiny_data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert (
        command("train", tiny_data, "--machine", MACHINE, "--out", run, "--epochs", 1, "--frame", 2048).returncode == 0
    )
    assert Run.load(run).features == FeatureSpec(16000, 2048, 1024, 128)
