"""The whole monitor, killed at any moment with everything on: all that it keeps can be read, and gone on with."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.records.database import CLIPS, NAME
from tests.cli.command import edge_asd
from tests.data import RATE
from tests.monitor.live import SECONDS, Monitor, faulty, healthy, paced, quick_bundle
from tests.notify.service import Service

CONFIG = """
bundle = "fan.easd"
section = "00"
interval_s = 0.1
[policy]
alarm_after = "2/3"
cooldown_s = 0
[records]
folder = "records"
[evidence]
pre_s = 0.5
post_s = 0.5
format = "wav"
[notify]
urls = ["URL"]
events = ["alarm", "cleared"]
max_per_source = 1000
on_alarm = "cat >> told"
"""

LONGEST_PAUSE_S = 300
"""Between two attempts to deliver to who was away for long."""

SOUND = np.concatenate([healthy(1.2), faulty(1.2)])
"""Played over and over: an alarm every two and a half seconds, from each of the sources at another time."""


def kill_often(folder: Path, times: int, longest_s: float) -> None:
    bundle = quick_bundle(folder / "fan.easd")
    before = (folder / "fan.easd").read_bytes()
    service = Service()
    with service.running():
        pass  # the port is its own from here on, and nobody there
    path, records = folder / "monitor.toml", folder / "records"
    sources = "".join(
        f"[sources.fan-{number}]\ncommand = {json.dumps(paced(folder, str(number), np.roll(SOUND, 7000 * number)))}\n"
        for number in range(3)
    )
    config = CONFIG.replace("URL", service.url).replace("told", str(folder / "told"))
    path.write_text(config + sources)
    rng, heard = random.Random(13), 0
    told: list[tuple[str, str, float, str]] = []
    for _ in range(times):
        with Monitor("--config", path) as monitor:
            monitor.wait_for_event("alarm")
            time.sleep(rng.random() * longest_s)  # a moment at random; any will do
            monitor.process.kill()
            monitor.process.wait()
            killed = time.monotonic()
        assert monitor.process.returncode == -9
        assert (folder / "fan.easd").read_bytes() == before
        assert Bundle.load(folder / "fan.easd").thresholds == bundle.thresholds
        # But for the last second's, all that was told is kept.
        told += [
            (v["source"], v["event"], v["time_s"], v["time"])
            for line in monitor.lines
            if "event" in (v := line.values) and killed - line.at > 1
        ]
        heard += check_records(records, told)
    # The next start finds the queue, and delivers from it all alarms that were ever told.
    alarms = {(f"{source} sounds wrong", moment(time)) for source, event, _, time in told if event == "alarm"}
    assert alarms
    with service.running(), Monitor("--config", path) as monitor:

        def delivered() -> set[tuple[str, str]]:
            lines = [(one["title"], line) for one in service.taken for line in one["message"].splitlines()]
            return {(title, line.removeprefix("Time: ")) for title, line in lines if line.startswith("Time: ")}

        monitor.wait_for(lambda: alarms <= delivered(), "what waited", SECONDS + LONGEST_PAUSE_S)
        monitor.wait_for(monitor.decisions, "decisions")
        monitor.stop()
    assert heard > 0
    assert not any("set aside" in line for line in monitor.said), monitor.said
    assert not list((records / CLIPS).glob("*.part.*"))


def moment(time: str) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M:%S %z}"


def check_records(records: Path, told: list[tuple[str, str, float, str]]) -> int:
    """See that all can be read; return how many clips there are."""
    done = edge_asd("events", records, "--json", "--last", "100000")
    assert done.returncode == 0, done.stderr
    kept = json.loads(done.stdout)["events"]
    assert set(told) <= {(e["source"], e["event"], e["time_s"], e["time"]) for e in kept}
    for path in (records / NAME, *(records / "notify").glob("*.sqlite")):
        with sqlite3.connect(path) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path
        database.close()
    found = [path for path in (records / CLIPS).iterdir() if path.stat().st_size > 44]
    for path in found:
        pcm, rate = soundfile.read(path, dtype="int16")
        assert rate == RATE
        assert pcm.size > 0
    return len(found)


@pytest.mark.prove
def test_killed_a_few_times(tmp_path: Path) -> None:
    kill_often(tmp_path, 3, 2.5)


@pytest.mark.prove
def test_killed_at_50_random_moments(tmp_path: Path) -> None:
    kill_often(tmp_path, 50, 3.5)
