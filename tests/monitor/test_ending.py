"""What ends at the same time, and what is asked to end within a second."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_asd.audio import capture
from edge_asd.monitor import merging
from edge_asd.monitor.ending import end_together, inside
from edge_asd.monitor.sinks import notifications
from edge_asd.monitor.sources import source
from tests.cli.command import without_microphone
from tests.monitor.live import Monitor, faulty, paced, quick_bundle

CONFIG = """
bundle = "fan.easd"
section = "00"
interval_s = 0.1
[policy]
alarm_after = "6/8"
[records]
folder = "records"
[notify]
urls = ["json://127.0.0.1:9/nobody"]
on_alarm = "touch begun; sleep 1000"
[sources.one]
device = "usb:0d8c:0014"
[sources.two]
device = "usb:0d8c:0013"
"""


def test_all_end_at_the_same_time_and_what_goes_wrong_is_raised_afterwards() -> None:
    together, done = threading.Barrier(3), []

    def end(what: str) -> None:
        together.wait(30)  # all three are at it
        if what == "bad":
            raise ValueError(what)
        time.sleep(0.05)
        done.append(what)

    with pytest.raises(ValueError, match="bad"):
        end_together([lambda: end("one"), lambda: end("bad"), lambda: end("two")])
    assert sorted(done) == ["one", "two"]


@pytest.mark.parametrize("at_once", [False, True])
def test_contexts_are_left_whatever_happens_inside(at_once: bool) -> None:
    told = []

    @contextmanager
    def part(name: str) -> Iterator[None]:
        told.append(f"in {name}")
        if name == "bad":
            raise KeyError
        yield
        told.append(f"out {name}")

    with pytest.raises(ZeroDivisionError), inside(part("a"), part("b"), at_once=at_once):
        told.append(str(1 // 0))
    assert told[:2] == ["in a", "in b"]
    assert sorted(told[2:]) == ["out a", "out b"] if at_once else told[2:] == ["out b", "out a"]
    told.clear()
    with pytest.raises(KeyError), inside(part("a"), part("bad"), part("b"), at_once=at_once):
        pass
    assert told == ["in a", "in bad", "out a"]


def test_a_monitor_whose_every_part_takes_its_time_ends_within_a_second(tmp_path: Path) -> None:
    """A turn of the loop, then all parts at the same time: the bounds of each add up to less."""
    longest_turn = max(capture._WAITING_SECONDS, source.WAITING_SECONDS, merging._WAITING_S)
    assert longest_turn + max(capture._END_SECONDS, notifications._LIVE_CLOSE_S) < 0.8

    quick_bundle(tmp_path / "fan.easd")
    stubborn = f"sh -c 'trap : TERM; while :; do {paced(tmp_path, 'fan', faulty(3))}; done'"
    path = tmp_path / "monitor.toml"
    path.write_text(CONFIG.replace("touch ", f"touch {tmp_path}/") + f"[sources.fan]\ncommand = {json.dumps(stubborn)}")
    with Monitor("--config", path, env=without_microphone(tmp_path)) as monitor:
        monitor.wait_for_event("alarm")
        monitor.wait_for((tmp_path / "begun").exists, "the command")
        took = monitor.stop()
    assert took < 5  # a second, but for what else this machine does; docs/proofs.md tells what it takes
    assert any("notifications wait in" in line for line in monitor.said)
    assert any("run for 'fan sounds wrong', was ended by signal 9" in line for line in monitor.said)
    print(f"SIGTERM to the end: {took:.2f} s")
