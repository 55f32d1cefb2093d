"""A reproduction in processes and on a Dask cluster, with processes killed in its middle: the same bytes."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_asd.errors import SweepError
from edge_asd.quantize.jobs.reproduce import reproduce
from edge_asd.sweeps.running import Standing, Where
from edge_asd.train.runs.fitting import Settings
from tests.data import MACHINE
from tests.sweeps.calling import children
from tests.sweeps.test_cluster import running, workers

MACHINES = [MACHINE, "pump"]
AE = Settings(model="ae", epochs=3, batch_size=64)
RESULTS = ("results.json", "report.html", "ae/*/result.csv", "parts/*.json", "bundles/*.easd")


@pytest.fixture(scope="module")
def data(tiny_data, tmp_path_factory) -> Path:
    """A set of two machines that sound alike; the data set of all three runs."""
    root = tmp_path_factory.mktemp("machines") / "machines"
    for machine in MACHINES:
        shutil.copytree(tiny_data / MACHINE, root / machine)
    return root


def results(data: Path, out: Path, where: Where, kill: Callable[[], int] | None = None) -> dict[str, bytes]:
    """Reproduce; with `kill`, the first time that an epoch is done, a process dies."""
    killed: list[int] = []

    def progress(now: Standing) -> None:
        if kill is not None and not killed and now.stage == "training: epochs" and now.done == 1:
            killed.append(kill())
            os.kill(killed[0], signal.SIGKILL)

    reproduce(data, out, [AE], machines=MACHINES, seeds=(0, 1), int8=True, where=where, progress=progress)
    assert len(killed) == (kill is not None)
    found = {str(path.relative_to(out)): path.read_bytes() for name in RESULTS for path in out.glob(name)}
    assert len(found) == 2 + 2 + 4 + 4
    return found


@pytest.mark.prove
def test_results_are_the_same_bytes_however_many_compute_and_die(data, tmp_path):
    alone = results(data, tmp_path / "alone", Where())
    assert results(data, tmp_path / "two", Where(2)) == alone
    killed = results(data, tmp_path / "killed", Where(2), lambda: min(children(os.getpid())))
    assert killed == alone
    (tmp_path / "dask").mkdir()
    with running(tmp_path / "dask") as (address, _):
        assert results(data, tmp_path / "cluster", Where(scheduler=address)) == alone
        dead = results(data, tmp_path / "dead", Where(scheduler=address), lambda: min(workers(address)))
        assert dead == alone


@pytest.mark.prove
def test_what_failed_is_told_at_the_end_and_done_by_the_next_call(data, tmp_path):
    broken = Path(shutil.copytree(data, tmp_path / "machines"))
    clip = next((broken / "pump" / "train").glob("*.wav"))
    whole = clip.read_bytes()
    clip.write_bytes(whole[:100])
    out = tmp_path / "out"
    notes: list[str] = []
    with pytest.raises(
        SweepError, match=rf"^1 of 2 parts failed\. pump 00,01, ae, seed 0: .*{clip.name}.* {out}; the same"
    ):
        reproduce(broken, out, [AE], machines=MACHINES, where=Where(2), note=notes.append)
    assert [note for note in notes if note.startswith("pump 00,01, ae, seed 0 failed. ")]
    assert [path.name for path in (out / "parts").iterdir()] == ["fan_00-01_ae_seed0.json"]
    assert not (out / "results.json").exists()
    clip.write_bytes(whole)
    steps: list[Standing] = []
    done = reproduce(broken, out, [AE], machines=MACHINES, where=Where(2), progress=steps.append)
    pictures = {f"pictures of {machine}'s {kind}" for kind in ("clips", "scores") for machine in MACHINES}
    assert {step.name for step in steps} == {"pump 00,01, ae, seed 0", "report's figures"} | pictures
    assert {cell.machine for cell in done.results.cells} == set(MACHINES)
