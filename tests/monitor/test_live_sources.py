"""Several sources in one process of the whole monitor: what fails, or is configured anew, disturbs no other."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.records.database import CLIPS
from tests.cli.command import edge_asd, without_microphone
from tests.data import RATE
from tests.monitor.live import Monitor, faulty, healthy, paced, quick_bundle

SOUND = np.concatenate([healthy(2), faulty(2)])

HEAD = """
bundle = "fan.easd"
section = "00"
interval_s = 0.1
[policy]
alarm_after = "6/8"
[records]
folder = "records"
"""


def source(name: str, command: str, more: str = "") -> str:
    return f"[sources.{name}]\ncommand = {json.dumps(command)}\n{more}\n"


def assert_undisturbed(bundle: Bundle, decisions: list[dict[str, Any]], sound: np.ndarray[Any, Any]) -> None:
    """See that decisions are those on a sound that is played over and over, from its first sample on."""
    seconds = decisions[-1]["time_s"] + 2
    alone = Engine(bundle, "00", interval_s=0.1).push(np.resize(sound, round(seconds * RATE)))
    found = [(d["time_s"], d["score"], d["anomaly"]) for d in decisions]
    assert found == [(d.time_s, d.score, d.anomaly) for d in alone][: len(found)]


def test_a_faulty_source_stops_no_other(tmp_path: Path) -> None:
    bundle = quick_bundle(tmp_path / "fan.easd")
    dying = paced(tmp_path, "dying", healthy(0.3), once=True)
    (tmp_path / "monitor.toml").write_text(
        HEAD
        + source("good", paced(tmp_path, "good", SOUND))
        + source("dying", dying)
        + source("broken", "sh -c 'exit 3'")
        + "[sources.absent]\ndevice = 'usb:0d8c:0014'\n"
    )
    with Monitor("--config", tmp_path / "monitor.toml", env=without_microphone(tmp_path)) as monitor:
        monitor.wait_for_event("signal-lost", 2, "dying")
        monitor.wait_for_event("alarm", 1, "good")
        monitor.stop()
    assert_undisturbed(bundle, monitor.decisions("good"), SOUND)
    for name in ("absent", "broken"):
        assert [event["event"] for event in monitor.events(source=name)] == ["signal-lost"]
    told = [event["event"] for event in monitor.events(source="dying")]
    assert told[:3] == ["signal-lost", "signal-back", "signal-lost"]
    first = monitor.events(source="dying")[0]
    assert first["time_s"] == 0.3  # all that it sent was heard
    assert "good: Listening to the program " in "\n".join(monitor.said)


def test_a_changed_configuration_leaves_what_did_not_change_alone(tmp_path: Path) -> None:
    bundle = quick_bundle(tmp_path / "fan.easd")
    path = tmp_path / "monitor.toml"
    kept = HEAD + source("kept", paced(tmp_path, "kept", SOUND))
    command = paced(tmp_path, "other", healthy(3))
    path.write_text(kept + source("changed", command) + source("removed", command))
    with Monitor("--config", path) as monitor:

        def read_again(text: str, words: str) -> None:
            path.write_text(text)
            monitor.process.send_signal(signal.SIGHUP)
            monitor.wait_for(lambda: any(words in line for line in monitor.said), words)

        for name in ("kept", "changed", "removed"):
            monitor.wait_for(lambda name=name: monitor.decisions(name), f"decisions of {name}")  # type: ignore[misc]
        read_again(kept + source("changed", command, "secton = '01'"), 'did you mean "section"?')
        assert any("the one from before stays in force" in line for line in monitor.said)
        counted = {name: len(monitor.decisions(name)) for name in ("changed", "removed")}
        for name, count in counted.items():
            goes_on = lambda name=name, count=count: len(monitor.decisions(name)) > count + 3  # noqa: E731
            monitor.wait_for(goes_on, f"decisions of {name}")
        read_again(
            kept + source("changed", command, "section = '01'\npolicy.alarm_after = '1/1'") + source("added", command),
            "changed begins anew; removed ends; added begins",
        )
        monitor.wait_for(lambda: monitor.decisions("added"), "decisions of the new one")
        monitor.wait_for(lambda: monitor.decisions("changed")[-1]["section"] == "01", "the other section")
        # The section's own threshold is lower, and one decision is enough.
        monitor.wait_for_event("alarm", 1, "changed")
        monitor.wait_for_event("alarm", 1, "kept")
        took = monitor.stop()
    assert took < 5
    assert_undisturbed(bundle, monitor.decisions("kept"), SOUND)
    removed = monitor.decisions("removed")
    assert_undisturbed(bundle, removed, healthy(3))
    assert all(line.values["source"] != "removed" for line in monitor.lines[-5:])
    changed = monitor.decisions("changed")
    new = [d for d in changed if d["section"] == "01"]
    assert changed[-len(new) :] == new
    assert new[0]["time_s"] == bundle.score_seconds  # it began anew
    assert all(d["threshold"] == bundle.thresholds["01"].score for d in new)
    (first,) = monitor.events("alarm", source="changed")
    assert first["time_s"] == next(d["time_s"] for d in new if d["anomaly"])
    assert_flushed(tmp_path / "records", monitor)


def assert_flushed(records: Path, monitor: Monitor) -> None:
    """See that all that was told is kept: events, minutes, and clips up to the end."""
    kept = json.loads(edge_asd("events", records, "--json", "--last", "1000").stdout)["events"]
    told = monitor.events()
    assert [(e["source"], e["event"], e["time_s"]) for e in kept] == [
        (e["source"], e["event"], e["time_s"]) for e in told
    ]
    minutes = json.loads(edge_asd("events", records, "--minutes", "--json").stdout)["minutes"]
    for name in ("kept", "changed", "removed", "added"):
        counted = sum(minute["decisions"] for minute in minutes if minute["source"] == name)
        assert counted == len(monitor.decisions(name)), name
    for alarm in (event for event in kept if event["event"] == "alarm"):
        clip, rate = soundfile.read(records / CLIPS / f"{alarm['clip']}.flac", dtype="int16")
        assert rate == RATE
        assert clip.size == alarm["clip_s"] * RATE
        # The end of its source came before the clip's own.
        last = monitor.decisions(alarm["source"])[-1]["time_s"]
        assert alarm["time_s"] - alarm["clip_time_s"] + alarm["clip_s"] >= last


if sys.platform == "win32":  # it has neither SIGHUP nor sh
    __test__ = False
