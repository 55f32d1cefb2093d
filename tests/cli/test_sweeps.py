"""The commands with parts: --jobs changes no byte, and what failed is told at the end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.main import get_command

from edge_asd.cli import app
from edge_asd.cli.reproduce import _FLAGS, command_line
from tests.cli.command import assert_error, edge_asd
from tests.data import MACHINE

MACHINES = (MACHINE, "pump", "valve")


@pytest.fixture(scope="module")
def data(distance_data, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("several")
    for machine in MACHINES:
        shutil.copytree(distance_data / MACHINE, root / machine)
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_machines_are_trained_as_they_are_alone(data, tmp_path, command):
    options = ("--machine", "all", "--model", "distance", "--score-seconds", "1.5", "--json")
    alone = command("train", data, *options, "--out", tmp_path / "alone")
    assert alone.returncode == 0, alone.stderr
    done = edge_asd("train", data, *options, "--out", tmp_path / "jobs", "--jobs", 2)
    assert done.returncode == 0, done.stderr
    assert [run["machine"] for run in json.loads(done.stdout)["runs"]] == sorted(MACHINES)
    assert contents(tmp_path / "jobs") == contents(tmp_path / "alone")
    ends = [line for line in done.stderr.splitlines() if "parts done" in line]
    assert ends[0].startswith("1 of 3 parts done, about ")
    assert ends[-1] == "3 of 3 parts done ..."
    again = command("train", data, *options, "--out", tmp_path / "jobs")
    assert_error(again, "3 of 3 parts failed.", "already holds a run. Add --resume")


def test_a_machine_that_fails_is_told_and_the_others_are_kept(data, tmp_path, command):
    broken = Path(shutil.copytree(data, tmp_path / "data"))
    clip = next((broken / "pump" / "train").glob("*.wav"))
    clip.write_bytes(b"RIFF")
    out = tmp_path / "runs"
    done = command(
        "train", broken, "--machine", "all", "--model", "distance", "--score-seconds", "1.5", "--out", out, "--json"
    )
    assert_error(done, "1 of 3 parts failed. pump: ", clip.name, f"kept in {out}; the same command with --resume")
    assert sorted(path.parent.name for path in out.glob("*/run.json")) == ["fan", "valve"]


def test_jobs_and_a_cluster_exclude_each_other(data, tmp_path, command):
    for arguments in (("train", data, "--machine", "all"), ("reproduce", data)):
        done = command(*arguments, "--out", tmp_path / "out", "--jobs", "2", "--scheduler", "tcp://127.0.0.1:1")
        assert done.returncode == 2
        assert "give --jobs or --scheduler, not both" in done.stderr


@pytest.mark.parametrize(
    "given",
    [
        ["D", "--out", "R"],
        ["--out=R", "./D/", "--jobs", "2"],
        ["D", "--jobs=2", "--out", "R"],
        ["D", "--scheduler", "tcp://h:1", "--out", "R"],
        ["D", "--scheduler=tcp://h:1", "--cache", "C", "--ground-truth=G", "--out", "R"],
    ],
)
def test_the_report_tells_no_places(monkeypatch, given):
    asked = ["--machine", "D", "--int8", "--seeds", "2"]
    monkeypatch.setattr("sys.argv", ["edge-asd", "--debug", "reproduce", *asked, *given])
    assert command_line() == "edge-asd reproduce DATA --machine D --int8 --seeds 2 --out DIR"


def test_the_flags_are_those_that_take_no_value():
    command = next(one for name, one in get_command(app).commands.items() if name == "reproduce")
    assert {option for param in command.params if getattr(param, "is_flag", False) for option in param.opts} - {
        "--help"
    } == set(_FLAGS)


@pytest.mark.prove
def test_synthetic_machines_are_the_same_bytes(tmp_path, command):
    made = [
        command("data", "synth", tmp_path / name, "--sections", "00", "--seed", "3", *jobs)
        for name, jobs in (("alone", ()), ("jobs", ("--jobs", "2", "--workers", "1")))
    ]
    assert [done.returncode for done in made] == [0, 0]
    assert contents(tmp_path / "jobs") == contents(tmp_path / "alone")
    assert len(contents(tmp_path / "alone")) > 400
