"""However a call was ended, the next one goes on, and the rows are those of a call that was not."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from edge_asd.archive.partitions import tidy
from edge_asd.archive.tables import FILES, SCORES, part_name
from edge_asd.files import hold
from tests.archive.archived import BUNDLE, SOUND, at_work, contents, fill, parts, passed_over, rows, start
from tests.cli.command import Command
from tests.data import write_wav
from tests.waiting import until

SCORE = ("score", BUNDLE)
PATIENCE_S = 300.0


def score(command: Command, where: Path, out: Path, *options: object) -> dict[str, Any]:
    done = command(*SCORE, where, "--section", "00", "--out", out, "--partition", 0.1, "--json", *options)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_second_call_scores_what_is_new_and_nothing_else(command: Command, tmp_path: Path) -> None:
    tree, out = fill(tmp_path / "tree", 3), tmp_path / "out"
    assert score(command, tree, out)["recordings_new"] == 3
    before = contents(out)
    told = score(command, tree, out)
    assert [told[f"recordings_{kind}"] for kind in ("new", "again", "before")] == [0, 0, 3]
    assert contents(out) == before
    write_wav(tree / "00b.wav", SOUND)
    told = score(command, tree, out)
    assert [told[f"recordings_{kind}"] for kind in ("new", "again", "before")] == [1, 0, 3]
    assert {name: data for name, data in contents(out).items() if name in before} == before
    assert parts(out) == [part_name(number) for number in (1, 2, 3, 4)]
    assert told["decisions"] == len(rows(out)) == 20


def test_what_has_changed_is_scored_anew_and_what_has_gone_is_kept(command: Command, tmp_path: Path) -> None:
    tree, out = fill(tmp_path / "tree", 3), tmp_path / "out"
    (tree / "broken.wav").write_bytes(b"RIFF")
    score(command, tree, out, "--partition", 100)
    assert len(parts(out)) == 1
    before = rows(out)
    write_wav(tree / "01.wav", SOUND[:-16000])
    write_wav(tree / "broken.wav", SOUND)
    (tree / "00.wav").unlink()
    told = score(command, tree, out, "--partition", 100)
    assert [told[f"recordings_{kind}"] for kind in ("new", "again", "before")] == [0, 2, 1]
    assert len(parts(out)) == 1
    assert passed_over(out) == {}
    after = rows(out)
    for name in ("00.wav", "02.wav"):
        assert [row for row in after if row["file"] == name] == [row for row in before if row["file"] == name] != []
    alone = tmp_path / "alone"
    (tree / "02.wav").unlink()
    score(command, tree, alone)
    assert [row for row in after if row["file"] in ("01.wav", "broken.wav")] == rows(alone)
    assert told["decisions"] == len(after)


def test_what_the_system_refused_is_tried_again(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_asd.audio import recording_stream

    tree, out = fill(tmp_path / "tree", 2), tmp_path / "out"
    refuse = recording_stream._open

    def opened(path: Path, name: str) -> Any:
        if name.endswith("01.wav"):
            raise PermissionError(13, "Permission denied")  # root may read whatever its mode says
        return refuse(path, name)

    with monkeypatch.context() as patch:
        patch.setattr(recording_stream, "_open", opened)
        score(command, tree, out)
    assert "Permission denied" in passed_over(out)["01.wav"]
    assert score(command, tree, out)["recordings_again"] == 1
    assert passed_over(out) == {}
    assert len(rows(out)) == 10


def kill_and_go_on(tmp_path: Path, command: Command, tree: Path, times: int, *options: object) -> int:
    """Kill calls at random moments, go on in the end, and compare; return how many were killed at work."""
    whole, out = tmp_path / "whole", tmp_path / "out"
    rng, at_work = random.Random(17), 0
    for _ in range(times):
        process = start(tree, out, *options)
        wanted = len(parts(out)) + rng.randint(1, 3)
        until(lambda: len(parts(out)) >= wanted or process.poll() is not None, "partitions", PATIENCE_S)  # noqa: B023
        time.sleep(rng.random() * 0.1)  # a moment at random; any will do
        process.kill()
        process.communicate(timeout=600)
        at_work += process.returncode == -signal.SIGKILL
    score(command, tree, out)
    score(command, tree, whole)
    for table in (SCORES, FILES):
        assert rows(out, table) == rows(whole, table)
    assert not [name for name in contents(out) if Path(name).name.startswith(".")]
    return at_work


def test_killed_at_work_and_gone_on(tmp_path: Path, command: Command) -> None:
    assert kill_and_go_on(tmp_path, command, fill(tmp_path / "tree", 40), 1) == 1


@pytest.mark.prove
@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_at_20_moments_and_gone_on(jobs: int, tmp_path: Path, command: Command) -> None:
    assert kill_and_go_on(tmp_path, command, fill(tmp_path / "tree", 120), 20, "--jobs", jobs) >= 15


def test_a_process_that_is_killed_costs_its_partition(tmp_path: Path, command: Command) -> None:
    tree, out = fill(tmp_path / "tree", 6, seconds=60), tmp_path / "out"
    process = start(tree, out, "--jobs", 2)
    os.kill(until(lambda: at_work(process.pid, tree), "a process that reads a recording", PATIENCE_S), signal.SIGKILL)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    assert ") was killed. It is begun again." in errors
    score(command, tree, tmp_path / "whole")
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.prove)])
def test_ctrl_c_ends_it_with_what_is_finished(jobs: int, tmp_path: Path) -> None:
    tree, out = fill(tmp_path / "tree", 24, seconds=60), tmp_path / "out"
    process = start(tree, out, "--jobs", jobs)
    until(lambda: parts(out), "a partition", PATIENCE_S)
    os.killpg(process.pid, signal.SIGINT)
    printed, errors = process.communicate(timeout=600)
    assert (process.returncode, printed) == (130, "")
    lines = [line for line in errors.splitlines() if not line.endswith(" ...")]
    assert lines == [f"Stopped. What is finished is kept in {out}; the same command goes on from there."]
    assert 0 < len(parts(out)) < 24
    assert {Path(name).name for name in contents(out)} == {"score.json", *parts(out)}


def test_a_process_that_outlived_its_parent_is_waited_for(tmp_path: Path) -> None:
    for table in (SCORES, FILES):
        (tmp_path / table).mkdir()
    held, left = tmp_path / SCORES / ".part-000001.parquet.abc", tmp_path / FILES / ".part-000009.parquet.xyz"
    left.touch()
    (tmp_path / SCORES / part_name(7)).touch()  # of a partition whose table of recordings was not written
    (tmp_path / FILES / part_name(8)).touch()  # of one whose scores were lost
    told = []
    with open(held, "wb") as file:
        hold(file.fileno())

        def waiting() -> None:
            told.append(held.exists())
            threading.Timer(0.1, file.close).start()

        tidy(tmp_path)
        assert held.exists()
        tidy(tmp_path, waiting)
    assert told == [True]
    assert contents(tmp_path) == {}


@pytest.mark.prove
def test_two_calls_at_once_take_turns(tmp_path: Path) -> None:
    tree, out = fill(tmp_path / "tree", 6, seconds=60), tmp_path / "out"
    first = start(tree, out)
    until(lambda: parts(out), "a partition", PATIENCE_S)
    second = start(tree, out)
    for process in (first, second):
        printed, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        assert json.loads(printed)["partitions"] == 6
    assert len({row["file"] for row in rows(out)}) == len(rows(out, FILES)) == 6


@pytest.mark.prove
def test_the_workers_of_a_cluster_make_the_same_tables_and_one_that_is_killed_costs_its_partition(
    tmp_path: Path, command: Command
) -> None:
    from tests.sweeps.test_cluster import running, workers

    tree, out = fill(tmp_path / "tree", 6, seconds=60), tmp_path / "out"
    (tmp_path / "dask").mkdir()
    with running(tmp_path / "dask") as (address, _):
        process = start(tree, out, "--scheduler", address)
        until(lambda: parts(out), "a partition", PATIENCE_S)
        os.kill(min(workers(address)), signal.SIGKILL)
        printed, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        assert json.loads(printed)["partitions"] == 6
    score(command, tree, tmp_path / "whole")
    assert contents(out) == contents(tmp_path / "whole")
