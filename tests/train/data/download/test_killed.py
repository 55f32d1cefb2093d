"""Whatever ends a download in the middle, the same command goes on from there."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from edge_asd.train.data.download.records import RECORDS
from tests.cli.command import assert_error
from tests.train.data.download.conftest import Fetch
from tests.train.data.download.http_server import Server
from tests.train.data.download.made_archives import clips_of, hidden, publish, publish_2021, tree, zipped
from tests.train.data.download.processes import started
from tests.waiting import until


def parts_of(data: Path) -> dict[str, int]:
    """Return how much there is of each archive, by name."""
    folder = data / ".edge-asd-download" / "mirror"
    return {path.name.split(".zip.")[0] + ".zip": path.stat().st_size for path in folder.rglob("*.part")}


def end_and_go_on(server: Server, fetch: Fetch, data: Path, way: float, seconds: float = 0.0) -> bool:
    """Kill the command when the server has sent a share of all bytes, and some time after; go on, and check the end."""
    expected = publish_2021(server, ("fan", "pump"), ("dev", "eval-test"))
    total = sum(len(one) for path, one in server.files.items() if path.endswith(".zip"))
    server.sent, server.pause = 0, 0.003
    process = started(server, data, "--part", "dev,eval-test")
    until(lambda: server.sent >= way * total or process.poll() is not None)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    there, sizes = parts_of(data), {path.split("/")[-1]: len(one) for path, one in server.files.items()}
    server.requests.clear()
    server.pause = 0.0
    done = fetch("--part", "dev,eval-test")
    assert done.returncode == 0, done.stderr
    assert tree(data) == expected
    assert [name.split("/")[0] for name in hidden(data)] == ["placed"] * 4
    for name, size in there.items():
        asked = server.asked_for(name)
        assert asked == ([] if size == sizes[name] else [f"bytes={size}-" if size else None])
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("way", [0.2, 0.7, 1.0])
def test_a_killed_download_goes_on(server: Server, fetch: Fetch, data: Path, way: float) -> None:
    assert end_and_go_on(server, fetch, data, way)


@pytest.mark.prove
def test_a_download_killed_anywhere_goes_on(server: Server, fetch: Fetch, data: Path) -> None:
    chance, killed = random.Random(14), 0
    for i in range(20):
        # Half of them after the last byte, as checksums are made and files unpacked and placed.
        way, seconds = (chance.uniform(0, 1), 0.0) if i % 2 else (1.0, chance.uniform(0, 0.4))
        killed += end_and_go_on(server, fetch, data, way, seconds)
        shutil.rmtree(data)
    print(f"{killed} of 20 killed before they were done")
    assert killed >= 15


def test_ctrl_c_ends_cleanly_and_keeps_what_has_come(server: Server, fetch: Fetch, data: Path) -> None:
    expected = publish_2021(server, ("fan",))
    server.pause = 0.02
    process = started(server, data)
    until(lambda: any(parts_of(data).values()))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "What has come is kept; the same command goes on from there." in err
    assert err.endswith("Stopped.\n")
    (there,) = parts_of(data).values()
    server.pause = 0.0
    server.requests.clear()
    assert fetch().returncode == 0
    assert server.asked_for(".zip") == [f"bytes={there}-"]
    assert tree(data) == expected


def test_a_full_disk_loses_nothing(server: Server, fetch: Fetch, data: Path) -> None:
    expected = publish_2021(server, ("fan",))
    process = started(server, data, largest_file=500_000)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "Error: dev_data_fan.zip cannot be written into" in err
    assert "the same command goes on from there" in err
    assert parts_of(data) == {"dev_data_fan.zip": 500_000}
    assert fetch().returncode == 0
    assert server.asked_for(".zip") == [None, "bytes=500000-"]
    assert tree(data) == expected


def test_a_disk_that_is_full_as_files_are_unpacked_loses_nothing(server: Server, fetch: Fetch, data: Path) -> None:
    clips = clips_of("fan", "dev")
    publish(server, RECORDS[2021]["dev"], {"dev_data_fan.zip": zipped(clips)})
    out, err = (process := started(server, data, largest_file=100_000)).communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "Error: The files of dev_data_fan.zip cannot be written into" in err
    assert tree(data) == {}
    assert [name.split("/")[-1] for name in hidden(data)] == ["dev_data_fan.zip"]
    assert fetch().returncode == 0
    assert server.asked_for(".zip") == [None]
    assert tree(data) == clips


def test_a_second_download_into_the_same_folder_is_refused(server: Server, fetch: Fetch, data: Path) -> None:
    expected = publish_2021(server, ("fan",))
    work = data / ".edge-asd-download"
    work.mkdir(parents=True)
    handle = os.open(work, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert_error(fetch(), "Another download into", "is under way")
    os.close(handle)
    assert fetch().returncode == 0
    assert tree(data) == expected
