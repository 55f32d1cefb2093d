"""What systemd is told, on a real socket; and the heartbeat, where no systemd is."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_asd.errors import OutputError
from edge_asd.monitor.service.heartbeat import Heartbeat, last_beat
from edge_asd.monitor.service.systemd import Notifier, Watchdog


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket as systemd's, with the name that it gives to its services."""
    name = (
        str(tmp_path / "notify") if request.param == "file" else f"@edge-asd-test-{os.getpid()}-{time.monotonic_ns()}"
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(name.replace("@", "\0"))
        receiver.settimeout(10)
        yield receiver, name


def heard(receiver: socket.socket) -> list[str]:
    """All that has come."""
    found = []
    receiver.setblocking(False)
    while True:
        try:
            found.append(receiver.recv(4096).decode())
        except BlockingIOError:
            return found


def test_the_words_of_a_life(manager: tuple[socket.socket, str]) -> None:
    receiver, name = manager
    notifier = Notifier({"NOTIFY_SOCKET": name})
    assert notifier.active
    assert notifier.watchdog_s is None
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert notifier.ready("listening to\n2 sources\x00")
    assert notifier.status("no signal")
    assert notifier.reloading()
    assert notifier.stopping()
    ready, status, reloading, stopping = heard(receiver)
    assert ready == "READY=1\nSTATUS=listening to 2 sources\x00"
    assert (status, stopping) == ("STATUS=no signal", "STOPPING=1")
    word, at = reloading.split("\nMONOTONIC_USEC=")
    assert word == "RELOADING=1"
    assert before <= int(at) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_kicks_come_of_calls_alone_and_are_spared(manager: tuple[socket.socket, str]) -> None:
    receiver, name = manager
    watchdog = Watchdog(Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "900000"}))
    until = time.monotonic() + 0.9
    calls, begun = 0, time.monotonic()
    while time.monotonic() < until:
        watchdog.kick("healthy")
        calls += 1
    most = 1 + int((time.monotonic() - begun) / 0.3)
    kicks = heard(receiver)
    assert set(kicks) == {"WATCHDOG=1\nSTATUS=healthy"}
    assert len(kicks) <= most < calls
    time.sleep(0.6)  # nobody calls
    assert heard(receiver) == []
    watchdog.kick("healthy")
    assert heard(receiver) == ["WATCHDOG=1\nSTATUS=healthy"]


def test_a_kick_that_was_not_taken_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    watchdog = Watchdog(Notifier({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "60000000"}))
    watchdog.kick("healthy")  # there is no socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        watchdog.kick("healthy")
        watchdog.kick("healthy")
        assert heard(receiver) == ["WATCHDOG=1\nSTATUS=healthy"]
        flood = Notifier({"NOTIFY_SOCKET": str(path)})
        for _ in range(100_000):  # a manager that does not read holds nobody up
            if not flood.status("x" * 1000):
                break
        else:
            pytest.fail("the socket took everything")


def test_without_systemd_nothing_happens() -> None:
    for environment in (
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "vsock:2:1"},
        {"NOTIFY_SOCKET": "/nowhere/socket"},
    ):
        notifier = Notifier(environment)
        assert not notifier.ready()
        assert not notifier.status("x")
        Watchdog(notifier).kick("healthy")
    assert not Notifier({"NOTIFY_SOCKET": "/" + "x" * 500}).ready()


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        ("30000000", "", 30.0),
        ("30000000", "ours", 30.0),
        ("30000000", "another's", None),
        ("0", "", None),
        ("-5", "", None),
        ("soon", "", None),
        ("30000000", "x", None),
    ],
)
def test_the_watchdog_that_is_asked_for(usec: str, pid: str, seconds: float | None) -> None:
    pid = {"ours": str(os.getpid()), "another's": str(os.getpid() + 1)}.get(pid, pid)
    assert Notifier({"NOTIFY_SOCKET": "/s", "WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}).watchdog_s == seconds
    assert Notifier({"WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}).watchdog_s is None


def test_the_heartbeat_is_the_loops(tmp_path: Path) -> None:
    path = tmp_path / "run/heartbeat"
    assert last_beat(path) is None
    watchdog = Watchdog(Notifier({}), Heartbeat(path))
    first = last_beat(path)
    assert first is not None
    assert first.status == "starting"
    watchdog.kick("no signal")
    written = path.read_bytes()
    second = last_beat(path)
    assert second is not None
    assert second.status == "no signal"
    watchdog.kick("healthy")  # within five seconds: spared
    assert path.read_bytes() == written
    assert len(written) == 256
    third = last_beat(path)
    assert third is not None
    assert third.age_s >= second.age_s


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe", b"nan x", b"1.5 x", b"9" * 25 + b" from the future", b"-" + b"9" * 25 + b" x"]
)
def test_what_is_no_heartbeat(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "beat").write_bytes(text)
    assert last_beat(tmp_path / "beat") is None


def test_a_heartbeat_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="heartbeat"):
        Heartbeat(tmp_path / "file/beat")
