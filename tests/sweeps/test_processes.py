"""Parts in this process and in several: the same results, failures told, killed processes replaced, none left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_asd.errors import DataError, SweepError
from edge_asd.sweeps.parts import Failure
from edge_asd.sweeps.running import Standing, Where, results_of
from tests.sweeps import work
from tests.sweeps.calling import ROOT, begun, call, children
from tests.waiting import until

SQUARES = [0, 1, 4, 9]


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_turn_and_the_standing_ends_full(tmp_path, jobs):
    steps: list[Standing] = []
    notes: list[str] = []
    assert call(work.square, tmp_path, Where(jobs), notes=notes, progress=steps.append) == SQUARES
    processes = set.union(*begun(tmp_path).values())
    assert processes == {os.getpid()} if jobs == 1 else (os.getpid() not in processes and 1 <= len(processes) <= jobs)
    assert sorted(notes) == [f"part {i}: squared {i}" for i in range(4)]
    ends = [step for step in steps if not step.stage]
    assert [step.ended for step in ends] == [1, 2, 3, 4]
    assert sorted(step.name for step in ends) == [f"part {i}" for i in range(4)]
    assert (ends[-1].share, ends[-1].left_s) == (4, 0)
    told = [(step.done, step.total) for step in steps if step.name == "part 2" and step.stage == "squaring"]
    assert (told[0], told[-1]) == ((1, work.STEPS), (work.STEPS, work.STEPS))
    assert all(step.left_s is not None and step.left_s > 0 for step in steps[1:-1])


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_part_that_fails_is_told_and_the_others_go_on(tmp_path, jobs):
    notes: list[str] = []
    outcomes = call(work.failing, tmp_path, Where(jobs), notes=notes)
    assert [outcomes[0], outcomes[3]] == [0, 9]
    assert "part 1 failed. There are no clips. Record some." in notes
    parts = [(f"part {i}", None) for i in range(4)]
    with pytest.raises(SweepError) as caught:
        results_of(parts, outcomes, "Go on.")
    assert str(caught.value) == (
        "2 of 4 parts failed. part 1: There are no clips. Record some. part 2: Unexpected KeyError: 'gone'. This is a "
        "defect of edge-asd; --debug shows where. Go on."
    )
    assert "work.py" in outcomes[2].error.__notes__[0]  # the traceback, for --debug
    with pytest.raises(DataError, match=r"^There are no clips\. Record some\.$"):
        results_of(parts[1:2], outcomes[1:2], "Go on.")


def test_a_process_that_is_killed_costs_its_part_alone(tmp_path):
    notes: list[str] = []
    assert call(work.killed_once, tmp_path, Where(2), notes=notes) == SQUARES
    assert {number: len(processes) for number, processes in begun(tmp_path).items()} == {0: 1, 1: 2, 2: 1, 3: 1}
    (note,) = [note for note in notes if "killed" in note]
    first = min(begun(tmp_path)[1], key=lambda process: (tmp_path / f"1.{process}").stat().st_mtime_ns)
    assert note == f"part 1: its process ({first}) was killed. It is begun again."


@pytest.mark.prove
def test_a_part_that_is_always_killed_fails_and_the_others_go_on(tmp_path):
    outcomes = call(work.killed_always, tmp_path, Where(2))
    assert [outcomes[i] for i in (0, 2, 3)] == [0, 4, 9]
    assert isinstance(outcomes[1], Failure)
    assert str(outcomes[1].error).startswith("Its process was killed 4 times before it was done.")
    assert len(begun(tmp_path)[1]) == 4


def test_threads_are_bounded_in_processes_and_one_adds_up_everywhere(tmp_path):
    cores = len(os.sched_getaffinity(0))
    (here,) = call(work.bounds, tmp_path, Where(), parts=1)
    assert (here["own"], here["blas"]) == (cores, {1})
    share = max(1, cores // 2)
    assert (
        call(work.bounds, tmp_path, Where(2), parts=2)
        == [{"own": share, "blas": {1}, "tensorflow": [os.environ["TF_NUM_INTRAOP_THREADS"], str(share)]}] * 2
    )


SWEEP = """
import sys
from pathlib import Path
from edge_asd.sweeps.alike import SCORING
from edge_asd.sweeps.running import Where, sweep
from tests.sweeps import work
folder = Path(sys.argv[1])
try:
    parts = [(str(i), (folder, i)) for i in range(3)]
    sweep(parts, work.waiting, Where(2), reads=[], writes=folder, alike=SCORING, main="")
except KeyboardInterrupt:
    sys.exit("stopped")
"""


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SWEEP, str(folder)], cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_processes_that_are_only_starting_say_nothing_of_ctrl_c(tmp_path):
    started = start(tmp_path)
    until(lambda: bool(children(started.pid)))
    os.killpg(started.pid, signal.SIGINT)
    assert started.communicate(timeout=60)[1] == "stopped\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_sweep(tmp_path, how):
    started = start(tmp_path)
    until(lambda: len(begun(tmp_path)) == 2)
    if how == signal.SIGINT:  # as a terminal does, to all of them
        os.killpg(started.pid, how)
        assert started.communicate(timeout=60)[1] == "stopped\n"
    else:
        started.kill()
        started.communicate(timeout=60)
    processes = set.union(*begun(tmp_path).values())
    until(lambda: not any(alive(process) for process in processes))


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
