"""``edge-asd train`` of one's own machine: the distance detector by default, and what it is told and tells."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edge_asd.false_alarms import lowest_rate
from edge_asd.own_set.mark import mark_own
from edge_asd.train.runs.run import Run
from tests.cli.command import Command, assert_error
from tests.data import MACHINE, MORE_TRAIN
from tests.once import Once

CLIPS = sum(MORE_TRAIN.values())


@pytest.fixture(scope="session")
def own_data(distance_data: Path, once: Once) -> Path:
    """`distance_data`, marked as a user's own; do not change it."""

    def make(folder: Path) -> None:
        shutil.copytree(distance_data, folder, dirs_exist_ok=True)
        mark_own(folder / MACHINE, "edge-asd data record")

    return once("own_distance_data", make)


def test_own_sets_are_fitted_by_distance_and_told_what_is_wanting(
    own_data: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    done = command("train", own_data, "--machine", MACHINE, "--out", run, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    cells, clips = document.pop("cells"), document.pop("threshold_clips")
    shortcomings = document.pop("shortcomings")
    assert document == {
        "run": str(run),
        "machine": MACHINE,
        "model": "distance",
        "sections": ["00", "01"],
        "clips_fit": CLIPS,
        "clips_held_back": 0,
        "epochs": 0,
        "best_epoch": None,
        "loss": None,
        "held_back_loss": None,
        "advice": [],
        "own": True,
    }
    assert [(c["section"], c["domain"], c["clips_fit"], c["clips_held_back"]) for c in cells] == [
        (section, domain, count, 0) for (section, domain), count in MORE_TRAIN.items()
    ]
    assert {(c["loss_fit"], c["loss_held_back"]) for c in cells} == {(None, None)}
    assert all(-40 < c["level_low_db"] <= c["level_high_db"] < 0 for c in cells)
    # Of the source alone: the threshold rests on no target clip.
    assert clips == [
        {"section": "00", "clips": 12, "lowest_rate": lowest_rate(12), "clips_needed": 29, "more_training_clips": 17},
        {"section": "01", "clips": 10, "lowest_rate": lowest_rate(10), "clips_needed": 29, "more_training_clips": 19},
    ]  # fmt: skip
    assert [text.partition(", which")[0] for text in shortcomings] == [
        "Section 00: its threshold will rest on 12 clips",
        "Section 01: its threshold will rest on 10 clips",
    ]
    assert all(f"Note: {text}\n" in done.stderr for text in shortcomings)
    assert "held back" not in done.stderr


def test_what_it_prints_and_that_the_span_can_be_chosen(own_data: Path, tmp_path: Path, command: Command) -> None:
    run = tmp_path / "run"
    train = ("train", own_data, "--machine", MACHINE, "--sections", "00", "--out", run)
    done = command(*train, "--score-seconds", 1.5)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "fan, section 00: fitted on 14 clips, each of which was held out in turn to be scored as a new one. A score "
        "spans 1.3 s.",
        f"Next: edge-asd quantize {run} --data {own_data} --out run.easd",
    ]
    before = (run / "run.json").read_bytes()
    assert_error(command(*train), "already holds a run")
    # The same command and --resume gives the same fit: there is nothing to go on with.
    assert command(*train, "--score-seconds", 1.5, "--resume").returncode == 0
    assert (run / "run.json").read_bytes() == before


def test_another_models_run_is_not_resumed_nor_lost(
    own_data: Path, run_folder: Path, tmp_path: Path, command: Command
) -> None:
    run = shutil.copytree(run_folder, tmp_path / "run")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = command("train", own_data, "--machine", MACHINE, "--out", run, "--resume")
    assert_error(done, "was begun with another model")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


@pytest.mark.prove  # the choice of the model is tested below, and its schedule in tests/train/runs/test_sufficiency.py
def test_the_autoencoder_is_trained_by_the_schedule_of_own_sets(
    own_data: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    done = command("train", own_data, "--machine", MACHINE, "--out", run, "--model", "ae", "--epochs", 1, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["model"], document["own"], document["epochs"]) == ("ae", True, 1)
    assert document["clips_fit"] + document["clips_held_back"] == CLIPS
    assert document["loss"] > 0
    found = Run.load(run)
    assert (found.batch_size, found.learning_rate, found.patience, found.epochs) == (128, 1e-3, 10, 1)


@pytest.mark.parametrize(
    "options",
    [("--epochs", 3), ("--batch-size", 32), ("--learning-rate", 0.01), ("--patience", 5), ("--split", "faithful")],
)
def test_what_belongs_to_networks_is_refused(
    options: tuple[object, ...], own_data: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    done = command("train", own_data, "--machine", MACHINE, "--out", run, *options)
    assert_error(done, "distance is fitted in one step", "train a network with --model ae")
    assert not run.exists()


def test_other_sets_and_the_published_code_are_the_autoencoders(
    own_data: Path, distance_data: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    # The refusal names the model that it would have been.
    for data, *options in ((distance_data,), (own_data, "--faithful"), (own_data, "--model", "ae")):
        done = command("train", data, "--machine", MACHINE, "--out", run, *options, "--score-seconds", 1.5)
        assert_error(done, "the fit of distance alone. Of ae, it is chosen later")
        assert not run.exists()
