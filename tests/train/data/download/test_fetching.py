"""A whole download by the command, from a server that fails as servers do."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from pathlib import Path

import pytest

from edge_asd.train.data import download
from edge_asd.train.data.download import client
from edge_asd.train.data.download.records import RECORDS
from tests.cli.command import assert_error
from tests.train.data.download import http_server
from tests.train.data.download.conftest import Fetch
from tests.train.data.download.http_server import FAULTS, Server, failing
from tests.train.data.download.impatient import IMPATIENT
from tests.train.data.download.made_archives import clips_of, hidden, publish, publish_2021, tree, zipped

PARTS = ("dev", "eval-train", "eval-test")
DEV = RECORDS[2021]["dev"]


def fail_and_succeed(server: Server, fetch: Fetch, data: Path, seed: int, machines: tuple[str, ...]) -> None:
    expected = publish_2021(server, machines, PARTS)
    server.fault = failing(0.3, seed)
    done = fetch("--part", "all", "--json")
    assert done.returncode == 0, done.stderr
    assert tree(data) == expected
    report = json.loads(done.stdout)
    assert len(report["archives"]) == 3 * len(machines)
    assert all(archive["fetched"] for archive in report["archives"])
    assert report["verify"]["clips"] == len(expected)
    assert [name.split("/")[0] for name in hidden(data)] == ["placed"] * 3 * len(machines)


def test_three_failing_requests_of_ten_change_nothing_in_the_end(server: Server, fetch: Fetch, data: Path) -> None:
    fail_and_succeed(server, fetch, data, 1, ("fan", "gearbox", "pump", "slider", "valve"))
    assert sum(server.dealt.values()) > 0.2 * len(server.requests)


@pytest.mark.prove
def test_no_kind_of_failure_is_left_out(server: Server, fetch: Fetch, data: Path) -> None:
    for seed in range(20):
        fail_and_succeed(server, fetch, data, seed, ("ToyCar", "ToyTrain", "fan", "gearbox", "pump", "slider", "valve"))
        shutil.rmtree(data)
    assert set(server.dealt) == set(FAULTS)
    print(f"{len(server.requests)} requests, {dict(server.dealt)}")


@pytest.mark.parametrize("kind", FAULTS)
def test_one_failure_of_each_kind(server: Server, fetch: Fetch, data: Path, kind: str) -> None:
    expected = publish_2021(server, ("fan",))
    # A break first, so that a range is asked for.
    kinds = ["break", kind]
    server.fault = lambda path, ranged: kinds.pop(0) if kinds and "/files/" in path else None
    assert fetch().returncode == 0
    assert tree(data) == expected
    first, second, *_ = server.asked_for(".zip")
    assert first is None
    assert second is not None
    assert server.dealt == {"break": 1} | {kind: 1 + (kind == "break")}


def test_a_broken_file_goes_on_where_it_broke(server: Server, fetch: Fetch, data: Path) -> None:
    expected = publish_2021(server, ("fan",), count=1)
    size = len(server.files[f"/records/{DEV}/files/dev_data_fan.zip"])
    server.fault = lambda path, ranged: "break" if "/files/" in path and len(server.asked_for(".zip")) <= 2 else None
    assert fetch("--json").returncode == 0
    assert tree(data) == expected
    starts = [int((ranged or "bytes=0-")[6:-1]) for ranged in server.asked_for(".zip")]
    assert starts == [0, size // 2, size // 2 + (size - size // 2) // 2]


def test_a_file_that_was_replaced_meanwhile_is_begun_anew(server: Server, fetch: Fetch, data: Path) -> None:
    expected = publish_2021(server, ("fan",))
    path = f"/records/{DEV}/files/dev_data_fan.zip"
    server.tags[path] = '"one"'

    def fault(path: str, ranged: bool) -> str | None:
        if "/files/" not in path or ranged:
            return None
        if len(server.asked_for(".zip")) > 1:
            return None
        return "break"

    server.fault = fault
    original = server.files[path]
    assert fetch().returncode == 0
    assert tree(data) == expected
    ranged = next(head for head in server.headers if "Range" in head)
    assert ranged["If-Range"] == '"one"'
    assert server.files[path] == original


def test_a_second_run_does_nothing(server: Server, fetch: Fetch, data: Path) -> None:
    expected = publish_2021(server)
    assert fetch().returncode == 0
    assert not list(data.rglob("*.zip"))
    asked = len(server.asked_for(".zip"))
    done = fetch()
    assert done.returncode == 0
    assert f"Nothing to do: all of it is in {data} already." in done.stdout
    assert len(server.asked_for(".zip")) == asked
    assert tree(data) == expected
    done = fetch("--keep-archives")
    assert "2 archives whose files are in place were not kept, such as dev_data_fan.zip." in done.stderr
    assert len(server.asked_for(".zip")) == asked
    # What has gone comes back; what was changed stays.
    lost, changed, *_ = [name for name in expected if name.startswith("fan/")]
    (data / lost).unlink()
    done = fetch("--json")
    assert done.returncode == 0
    assert "1 of 4 files of dev_data_fan.zip have gone, such as fan/" in done.stderr
    assert len(server.asked_for(".zip")) == asked + 1
    assert tree(data) == expected
    (data / changed).write_bytes(b"mine")
    done = fetch("--json")
    assert done.returncode == 0
    assert (
        f"1 files of dev_data_fan.zip have been changed since, such as {changed}. They were left alone." in done.stderr
    )
    assert tree(data) == {**expected, changed: b"mine"}
    assert len(server.asked_for(".zip")) == asked + 1


def test_an_archive_that_outlived_its_run_goes(server: Server, fetch: Fetch, data: Path) -> None:
    publish_2021(server)
    assert fetch().returncode == 0
    (path,) = (path for path in server.files if path.endswith("dev_data_fan.zip"))
    left = data / ".edge-asd-download" / "mirror" / path.lstrip("/")
    left.parent.mkdir(parents=True)
    left.write_bytes(server.files[path])
    assert fetch().returncode == 0
    assert not (data / ".edge-asd-download" / "mirror").exists()


def test_kept_archives_are_a_mirror(server: Server, fetch: Fetch, data: Path) -> None:
    expected = publish_2021(server)
    assert fetch("--keep-archives").returncode == 0
    mirror = data / ".edge-asd-download" / "mirror"
    served = {"/" + str(path.relative_to(mirror)): path.read_bytes() for path in mirror.rglob("*") if path.is_file()}
    assert served == server.files
    shutil.rmtree(data / "fan")
    asked = len(server.asked_for(".zip"))
    assert fetch("--keep-archives").returncode == 0
    assert len(server.asked_for(".zip")) == asked
    assert tree(data) == expected
    assert fetch().returncode == 0
    assert len(list(mirror.rglob("*.zip"))) == 2  # they stay kept


def test_a_wrong_checksum_keeps_nothing(server: Server, fetch: Fetch, data: Path) -> None:
    good, bad = zipped(clips_of("fan", "dev")), zipped(clips_of("pump", "dev"))
    damaged = bad[:-1] + b"x"
    publish(
        server,
        DEV,
        {"dev_data_fan.zip": good, "dev_data_pump.zip": damaged},
        {"dev_data_fan.zip": good, "dev_data_pump.zip": bad},
    )
    done = fetch()
    assert_error(done, "dev_data_pump.zip has another checksum than md5:", "3 times over", "nothing of it was kept")
    assert tree(data) == clips_of("fan", "dev")
    assert hidden(data) == [f"placed/{DEV}-dev_data_fan.zip.json"]
    shutil.rmtree(data)
    assert_error(fetch("--machine", "pump"), "dev_data_pump.zip")
    assert not data.exists()
    listed = {"dev_data_fan.zip": bad, "dev_data_pump.zip": bad}
    publish(server, DEV, dict.fromkeys(listed, damaged), listed)
    assert_error(fetch(), "2 of 2 archives failed", *(f"{name} has another checksum" for name in listed))
    assert not data.exists()


def test_the_server_is_waited_for_as_long_as_it_asks(server: Server, fetch: Fetch, data: Path) -> None:
    publish_2021(server, ("fan",))
    asked: list[float] = []

    def fault(path: str, ranged: bool) -> str | None:
        asked.append(time.monotonic())
        return "429 1" if len(asked) == 1 else None

    server.fault = fault
    assert fetch().returncode == 0
    assert asked[1] - asked[0] >= 1.0


def test_a_server_that_asks_for_too_much_or_never_answers_is_an_error(server: Server, fetch: Fetch, data: Path) -> None:
    publish_2021(server, ("fan",))
    server.fault = lambda path, ranged: "429 3600"
    assert_error(fetch(), "429", "asks to wait for 60 minutes")
    server.fault = lambda path, ranged: "503" if "/files/" in path else None
    assert_error(fetch(), "dev_data_fan.zip: the server answered 503", "last of 8 attempts", "goes on where this one")
    assert not data.exists()
    assert_error(fetch("--year", 2023), "/api/records/7882613", "404")
    assert_error(fetch("--base-url", "http://127.0.0.1:1"), "Connection refused", "last of 4 attempts")
    for url in ("file:///etc", "ftp://example.org", "http://", "https://a b", "nonsense", "http://x:y"):
        assert_error(fetch("--base-url", url), "is not an address")


def test_a_drip_is_ended(server: Server, fetch: Fetch, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, and all of them would take days."""
    publish_2021(server, ("fan",))
    monkeypatch.setattr(http_server, "_PIECE", 100)
    server.pause = 0.01
    monkeypatch.setattr(client, "_WINDOW", 1)
    patience = dataclasses.replace(IMPATIENT, attempts=4, read=0.5)
    monkeypatch.setattr(download, "Patience", lambda: patience)
    assert_error(fetch(), "dev_data_fan.zip: the server sends next to nothing", "last of 4 attempts")
    assert any(".part" in name for name in hidden(data))
