"""Parts on a Dask cluster of real processes: the same results, killed workers replaced, what is amiss told."""

from __future__ import annotations

import gc
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest

from edge_asd.errors import ClusterError, DependencyError
from edge_asd.sweeps import alike
from edge_asd.sweeps import cluster as clusters
from edge_asd.sweeps.parts import Failure
from edge_asd.sweeps.running import Standing, Where
from tests.sweeps import work
from tests.sweeps.calling import ROOT, begun, call
from tests.waiting import until

pytest.importorskip("distributed")


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of Dask's from the repository, as its user does."""
    command = [sys.executable, "-m", f"distributed.cli.{arguments[0]}", *arguments[1:], "--no-dashboard"]
    # What this process has set for TensorFlow, another computer does not inherit.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment["PYTHONPATH"] = str(ROOT)
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def scheduler() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with started("dask_scheduler", "--host", "127.0.0.1", "--port", str(port)) as process:
        yield f"tcp://127.0.0.1:{port}", process


def workers(address: str) -> set[int]:
    """Processes of the workers that a scheduler knows."""
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        return set(client.run(os.getpid).values())


@contextmanager
def running(folder: Path, count: int = 2) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a scheduler and some workers, each in a process of its own with a nanny."""
    with scheduler() as (address, process):
        options = ("--nthreads", "1", "--nworkers", str(count), "--local-directory", str(folder))
        with started("dask_worker", address, *options):
            until(lambda: len(workers(address)) == count)
            yield address, process


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("dask")) as (address, _):
        yield address


def test_results_are_those_of_this_process(cluster, tmp_path):
    steps: list[Standing] = []
    notes: list[str] = []
    found = call(work.square, tmp_path, Where(scheduler=cluster), notes=notes, progress=steps.append)
    assert found == call(work.square, tmp_path / "here", Where())
    assert sorted(notes) == [f"part {i}: squared {i}" for i in range(4)]
    assert set().union(*begun(tmp_path).values()) <= workers(cluster)
    assert {(step.stage, step.done) for step in steps} >= {("squaring", 1), ("squaring", work.STEPS)}
    assert not list(tmp_path.glob(".seen*"))


def test_a_part_that_fails_names_its_worker(cluster, tmp_path):
    outcomes = call(work.failing, tmp_path, Where(scheduler=cluster))
    assert [outcomes[0], outcomes[3]] == [0, 9]
    assert str(outcomes[1].error).startswith("On the worker tcp://127.0.0.1:")
    assert str(outcomes[1].error).endswith(": There are no clips. Record some.")
    assert "work.py" in outcomes[2].error.__notes__[0]  # the traceback, for --debug


def test_a_worker_that_is_killed_costs_its_part_alone(cluster, tmp_path):
    notes: list[str] = []
    assert call(work.killed_once, tmp_path, Where(scheduler=cluster), notes=notes) == [0, 1, 4, 9]
    (lost,) = (text for text in notes if "lost" in text)
    assert re.fullmatch(
        r"part 1: its worker \((tcp://\S+:\d+)\) was lost\. It is begun again on (?!\1\.$)tcp://\S+:\d+\.", lost
    )
    assert len(begun(tmp_path)[1]) == 2
    until(lambda: len(workers(cluster)) == 2)


def test_a_worker_that_does_not_see_the_data_is_named(cluster, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    # A path that leads elsewhere in every process, as one on another computer does.
    data = Path("/proc/self/cwd/data")
    with pytest.raises(
        ClusterError, match=r"^The worker tcp://127\.0\.0\.1:\d+ does not see /proc/self/cwd/data\. Give"
    ):
        call(work.square, tmp_path, Where(scheduler=cluster), reads=[data])
    with pytest.raises(
        ClusterError, match=r"^The worker \S+ does not see /proc/self/cwd/data, or may not write there\."
    ):
        call(work.square, data, Where(scheduler=cluster), reads=[])
    assert not list(data.iterdir())


def test_a_worker_that_computes_otherwise_is_named(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "7")
    with pytest.raises(
        ClusterError, match=r"^The worker \S+ has TF_NUM_INTRAOP_THREADS 1 instead of 7, and its results"
    ):
        call(work.square, tmp_path, Where(scheduler=cluster))
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS")
    # Without it, a worker dies of the first part.
    monkeypatch.setattr(alike, "_version", lambda package: "0" if package == "joblib" else version(package))
    with pytest.raises(
        ClusterError, match=r"^The worker \S+ has joblib [\d.]+ instead of 0, .* edge-asd\[\w+,cluster\]"
    ):
        call(work.square, tmp_path, Where(scheduler=cluster))
    assert not begun(tmp_path)


def test_no_scheduler_and_no_dask(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(clusters, "CONNECT_S", 0.5)
    with pytest.raises(ClusterError, match=r"^There is no Dask scheduler at tcp://127\.0\.0\.1:1 .* dask scheduler"):
        call(work.square, tmp_path, Where(scheduler="tcp://127.0.0.1:1"))
    with pytest.raises(ClusterError, match=r"^There is no Dask scheduler at nonsense://x"):
        call(work.square, tmp_path, Where(scheduler="nonsense://x"))
    # Dask's client would wait, and print what went wrong when it is deleted.
    for address in ("127.0.0.1", ""):
        with pytest.raises(ClusterError, match=rf"^There is no Dask scheduler at {address} \(missing port number"):
            call(work.square, tmp_path, Where(scheduler=address))
    gc.collect()
    assert capsys.readouterr().err == ""
    for package in ("distributed", "dask"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            with pytest.raises(
                DependencyError, match=rf"not installed: {package}\. .* pip install 'edge-asd\[cluster\]'"
            ):
                call(work.square, tmp_path, Where(scheduler="tcp://127.0.0.1:1"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("address", "configured", "reason"),
    [
        ("tls://127.0.0.1:1", {}, r"^tls://127\.0\.0\.1:1 needs certificates.* distributed\.comm\.tls\.ca-file"),
        ("tcp://127.0.0.1:1", {"tls.ca-file": "absent.pem", "tls.client.cert": "absent.pem"}, "^The TLS files"),
        ("tcp://127.0.0.1:1", {"require-encryption": True}, r"asks for encryption .* begins with tls://\.$"),
    ],
)
def test_encryption_that_is_not_configured_is_told(tmp_path, capsys, address, configured, reason):
    import dask

    with (
        dask.config.set({f"distributed.comm.{name}": value for name, value in configured.items()}),
        pytest.raises(ClusterError, match=reason),
    ):
        call(work.square, tmp_path, Where(scheduler=address))
    gc.collect()
    assert capsys.readouterr().err == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.prove
def test_parts_wait_for_workers_after_the_last_has_gone_and_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "QUIET_S", 0.5)
    (tmp_path / "dask").mkdir()
    out, notes, come = tmp_path / "out", [], threading.Event()
    with scheduler() as (address, _), ExitStack() as later:
        worker = ("dask_worker", address, "--nthreads", "1", "--local-directory", str(tmp_path / "dask"))

        def note(text: str) -> None:
            notes.append(text)
            if "no workers" in text:
                come.set()

        def go_and_come() -> None:
            with started(*worker):
                until(lambda: begun(out))
            come.wait(60)
            later.enter_context(started(*worker))
            (out / "go").touch()

        thread = threading.Thread(target=go_and_come)
        thread.start()
        until(lambda: workers(address))
        assert call(work.held, out, Where(scheduler=address), note=note) == [0, 1, 4, 9]
        thread.join()
    assert [text for text in notes if "workers" in text] == [
        f"The Dask scheduler at {address} has no workers any more. Parts wait for new ones, each started with: "
        f"dask worker {address} --nthreads 1"
    ]


@pytest.mark.prove
def test_a_part_that_kills_every_worker_fails_and_the_others_go_on(tmp_path):
    (tmp_path / "dask").mkdir()
    with running(tmp_path / "dask", 1) as (address, _):  # joblib alone would not use a single one
        outcomes = call(work.killed_always, tmp_path / "out", Where(scheduler=address))
    assert [outcomes[i] for i in (0, 2, 3)] == [0, 4, 9]
    assert isinstance(outcomes[1], Failure)
    assert str(outcomes[1].error).startswith("Dask gave it up (KilledWorker)")


@pytest.mark.prove
def test_a_scheduler_without_workers_and_one_that_vanishes(tmp_path):
    with (
        scheduler() as (address, _),
        pytest.raises(ClusterError, match=r"has no workers\. Start them, each with: dask"),
    ):
        call(work.square, tmp_path, Where(scheduler=address))
    (tmp_path / "dask").mkdir()
    out = tmp_path / "out"
    out.mkdir()
    with running(tmp_path / "dask") as (address, process):

        def vanish() -> None:
            until(lambda: len(begun(out)) >= 2)
            os.kill(process.pid, signal.SIGKILL)

        threading.Thread(target=vanish).start()
        with pytest.raises(
            ClusterError, match=rf"^The Dask scheduler at {address} has gone\. Start it and its workers"
        ):
            call(work.waiting, out, Where(scheduler=address))
    assert not list(out.glob(".seen*"))
