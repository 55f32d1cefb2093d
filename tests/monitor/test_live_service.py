"""What systemd hears of the whole monitor: on a real socket, while it listens, waits, hangs and ends."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.command import without_microphone
from tests.monitor.live import SECONDS, Monitor, healthy, paced, quick_bundle
from tests.waiting import until

KICKS_S = 0.6
"""What the watchdog asks for; a third of that passes between two kicks."""


class Manager:
    """Systemd's side of its socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(SECONDS)
        self.env = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(round(KICKS_S * 1e6))}

    def next(self) -> dict[str, str]:
        """Take the next message."""
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def kicks(self, count: int, status: str) -> float:
        """Take so many kicks with this status, whatever comes before them; return how long they were apart at most."""
        times: list[float] = []
        while len(times) < count:
            if self.next() == {"WATCHDOG": "1", "STATUS": status}:
                times.append(time.monotonic())
        return max(after - before for before, after in pairwise(times))

    def drain(self) -> int:
        """Take all that has come; return how many messages that were."""
        count = 0
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(4096)
                count += 1
        except BlockingIOError:
            self.socket.settimeout(SECONDS)
            return count


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """A socket as systemd's."""
    made = Manager(tmp_path / "notify")
    yield made
    made.socket.close()


def test_the_watchdog_is_kicked_by_scored_sound_and_not_where_scoring_hangs(manager: Manager, tmp_path: Path) -> None:
    quick_bundle(tmp_path / "fan.easd")
    held = tmp_path / "held"
    command = paced(tmp_path, "fan", healthy(3))
    program = (sys.executable, "-m", "tests.monitor.hooked", held, 1000)
    arguments = (tmp_path / "fan.easd", "--section", "00", "--source-command", command, "--interval", "0.1")
    with Monitor(*arguments, env=manager.env, program=program) as monitor:
        # Ready is told of the loop's first turn, which has taken sound or waits for it.
        assert manager.next() == {"READY": "1", "STATUS": "starting"}
        manager.kicks(4, "healthy")
        held.touch()
        alive = held.with_suffix(".alive")
        decided = len(monitor.decisions())
        until(lambda: time.monotonic() - monitor.lines[-1].at > KICKS_S, "that it hangs", SECONDS)
        manager.drain()
        size, before = alive.stat().st_size, time.monotonic()
        time.sleep(3 * KICKS_S)
        assert manager.drain() == 0
        assert monitor.process.poll() is None
        assert alive.stat().st_size - size > 0.2 * (time.monotonic() - before) / 0.02  # other threads went on
        assert len(monitor.decisions()) <= decided + 10


def test_an_absent_microphone_is_no_reason_to_be_started_again(manager: Manager, tmp_path: Path) -> None:
    quick_bundle(tmp_path / "fan.easd")
    (tmp_path / "monitor.toml").write_text(
        "[sources.fan-1]\nbundle = 'fan.easd'\nsection = '00'\ndevice = 'usb:0d8c:0014'"
    )
    for arguments in (
        ("--config", tmp_path / "monitor.toml"),
        (tmp_path / "fan.easd", "--section", "00", "--device", "usb:0d8c:0014"),
    ):
        with Monitor(*arguments, env={**manager.env, **without_microphone(tmp_path)}) as monitor:
            assert manager.next() == {"READY": "1", "STATUS": "no signal"}
            # Kicks come when it was looked for sound in vain, four times a second.
            manager.kicks(3, "no signal")
            assert monitor.stop() < 5
            while manager.next() != {"STOPPING": "1"}:
                pass
            assert manager.drain() == 0
        assert [event["event"] for event in monitor.events()] == ["signal-lost"]
