"""TFLite runtimes round differently; how far that goes is measured, in the real ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_asd.bundle.bundle import MODEL_ARITHMETICS
from edge_asd.quantize.pipeline import quantise_run
from edge_asd.selftest import OUTPUT_BOUND, SCORE_BOUND
from edge_asd.train.runs.fitting import Settings, train
from tests.golden.committed import NAMES

ROOT = Path(__file__).resolve().parents[3]
MACHINES = ("fan", "pump", "slider", "valve")
CORE = ("tflite-runtime==2.14.0", "numpy<2", "cffi", "sounddevice", "soundfile", "soxr", "typer")


def compare(*arguments: object) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Run the benchmark; a failure of pip or of a runtime is one of the test."""
    command = [sys.executable, ROOT / "benchmarks/runtimes.py", "--json", *arguments]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    return document["rows"], document["spreads"]


def test_litert_is_three_arithmetics_close_to_one_another(tiny_data: Path) -> None:
    # A committed bundle: how many values differ depends on the weights, and so on where they were trained.
    rows, (spread,) = compare(NAMES["ae"], "--data", tiny_data, "--litert-only")
    assert [row["arithmetic"] for row in rows] == list(MODEL_ARITHMETICS)
    assert all((row["clips"], row["windows"]) == (26, 26 * 57) for row in rows)
    reference, xnnpack, builtin = rows
    assert (reference["differing"], reference["largest_lsb"], reference["score_difference"]) == (0, 0, 0)
    assert 0 <= xnnpack["differing"] < 0.0005
    assert 0 < builtin["differing"] < 0.0005
    assert max(row["score_difference"] for row in rows) <= spread["largest"] <= SCORE_BOUND
    assert (spread["clips"], spread["clips_beyond"]) == (26, 0)


@pytest.mark.prove
def test_every_runtime_scores_every_real_clip_alike(mimii_mini: Path, tmp_path: Path) -> None:
    bundles = []
    for machine in MACHINES:
        train(mimii_mini, machine, tmp_path / machine, Settings(epochs=100))
        bundles.append(tmp_path / f"{machine}.easd")
        quantise_run(tmp_path / machine, mimii_mini, bundles[-1])
    rows, spreads = compare(*bundles, "--data", mimii_mini)
    assert len(rows) == len(MACHINES) * 7  # LiteRT and tflite-runtime in three arithmetics, and TFLM
    assert {row["runtime"].split(" ")[0] for row in rows} == {"LiteRT", "tflite-runtime", "tflite-micro"}
    assert sum(row["clips"] for row in rows) == 157 * 7
    assert sum(spread["clips"] for spread in spreads) == 157
    for spread in spreads:
        assert spread["largest"] <= SCORE_BOUND, spread
        assert spread["clips_beyond"] == 0, spread
    assert max(row["median_score_difference"] for row in rows) <= SCORE_BOUND / 10
    assert max(row["differing"] for row in rows) <= 0.005


@pytest.mark.prove
def test_a_classifiers_logits_are_the_same_in_every_runtime(mimii_mini: Path, tmp_path: Path) -> None:
    # Ten steps an epoch: the batch norms' averages need some hundreds to leave those of the untrained network.
    settings = Settings(model="mobilenetv2", epochs=60, learning_rate=0.001)
    train(mimii_mini, "fan", tmp_path / "fan", settings)
    shares = {}
    for method in ("compensated", "plain"):
        path = tmp_path / f"{method}.easd"
        quantise_run(tmp_path / "fan", mimii_mini, path, quantisation=method)
        rows, (spread,) = compare(path, "--data", mimii_mini)
        assert (len(rows), spread["clips"]) == (7, 58)
        shares[method] = max(row["differing"] for row in rows)
        if method == "compensated":
            assert spread["largest"] <= SCORE_BOUND, spread
    assert shares["compensated"] < 0.01
    assert shares["plain"] > 0.1


@pytest.mark.prove
def test_the_core_works_with_tflite_runtime_and_an_old_numpy(run_folder: Path, tiny_data: Path, tmp_path: Path) -> None:
    source, venv = tmp_path / "source", tmp_path / "venv"
    source.mkdir()
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    archive = subprocess.run(
        ["tar", "--null", "--files-from=-", "--create"], cwd=ROOT, input=files, capture_output=True, check=True
    ).stdout
    subprocess.run(["tar", "--extract"], cwd=source, input=archive, check=True)
    python = venv / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", venv],
        [python, "-m", "pip", "install", "--quiet", *CORE],
        [python, "-m", "pip", "install", "--quiet", "--no-deps", source],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    without_ours = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for arithmetic in MODEL_ARITHMETICS:
        path = tmp_path / f"{arithmetic}.easd"
        quantise_run(run_folder, tiny_data, path, score_seconds=1.5, arithmetic=arithmetic)
        done = subprocess.run(
            [python, "-W", "error", "-m", "edge_asd", "selftest", path, "--json"],
            capture_output=True, text=True, check=False, cwd=tmp_path, env=without_ours,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        document = json.loads(done.stdout)
        assert document["runtime"] == "tflite-runtime 2.14.0"
        assert document["arithmetic"] == arithmetic
        stages = {stage["name"]: stage for stage in document["stages"]}
        assert {name for name, stage in stages.items() if stage["verdict"] != "equal"} <= {"model output", "score"}
        assert stages["model output"]["largest_difference"] <= OUTPUT_BOUND
        assert stages["score"]["largest_difference"] <= SCORE_BOUND
