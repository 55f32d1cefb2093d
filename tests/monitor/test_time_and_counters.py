"""Labels of time are labels: the samples alone count, however many they are, and whatever the clock does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import soundfile

from edge_asd.audio.stream import Break
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.policy import Policy
from edge_asd.monitor.alarms import Alarms, Event
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.listener import Listener
from edge_asd.monitor.loop import Ear, Loop
from edge_asd.monitor.merging import Ended, Item
from edge_asd.monitor.records.clip_names import find_clip
from edge_asd.monitor.records.database import CLIPS, NAME, read_database
from edge_asd.monitor.records.origin import Origin
from edge_asd.monitor.records.reading import Wanted, read_events, read_minutes
from edge_asd.monitor.records.settings import RecordsSettings
from edge_asd.monitor.reports import Report, Sink
from edge_asd.monitor.sinks.records import Records
from tests.data import RATE
from tests.monitor.live import faulty, healthy, quick_bundle

POLICY = Policy(needed=6, of=8, cooldown_s=0)
SETTINGS = RecordsSettings(pre_s=1, post_s=1, longest_s=5, floor_bytes=0)

SOUND = np.concatenate([part for seed in range(1, 6) for part in (healthy(3, seed), faulty(3, seed))])
"""Half a minute with five faults."""

BEYOND = 2**33 + 12345
"""Samples: six days."""


class Kept(Sink):
    """Keeps the reports."""

    def __init__(self) -> None:
        self.reports: list[Report] = []

    def report(self, report: Report, /) -> None:
        self.reports.append(report)


class Clock:
    """Goes on with the sound, and jumps at some seconds of it."""

    def __init__(self, jumps: dict[float, timedelta] | None = None, zone: tzinfo = UTC) -> None:
        self.heard_s, self._jumps, self._zone = 0.0, jumps or {}, zone

    def __call__(self) -> datetime:
        jumped = sum((jump for at, jump in self._jumps.items() if at <= self.heard_s), timedelta())
        return (START + timedelta(seconds=self.heard_s) + jumped).astimezone(self._zone)


START = datetime(2026, 10, 25, 0, 59, 50, tzinfo=UTC)
CLOCKS = {
    "back": Clock({10.0: timedelta(hours=-1)}),
    "forth": Clock({10.0: timedelta(days=40)}),
    "set late": Clock({0.0: datetime(1970, 1, 1, tzinfo=UTC) - START, 15.0: timedelta(days=20000)}),
    # At 01:00 UTC the hour from two to three o'clock begins for the second time.
    "daylight saving": Clock(zone=ZoneInfo("Europe/Berlin")),
}


def run(folder: Path, bundle: Bundle, clock: Clock, *, missing: int = 0) -> tuple[list[Report], dict[str, Any]]:
    """Hear the sound, after so many samples that are missing; return the reports, and what was recorded."""
    listener = Listener("fan", Engine(bundle, "00", interval_s=0.1), Alarms(POLICY, "00", RATE), clock=clock)
    kept, records = Kept(), Records(folder, SETTINGS, pytest.fail, clock=clock)
    records.begin(Origin.of("fan", "00", bundle, POLICY))

    def items() -> Iterator[tuple[str, Item | Ended]]:
        if missing:
            yield "fan", Break("samples-lost", missing, missing / RATE, 0.0, "")
        for start in range(0, SOUND.size, 800):
            clock.heard_s = start / RATE
            yield "fan", SOUND[start : start + 800]
        yield "fan", Ended()

    Loop({"fan": Ear(listener)}, [kept, records], lambda _: None).run(items())
    records.close()
    with read_database(folder / NAME) as database:
        events, minutes = (list(read(database, Wanted(), pytest.fail)) for read in (read_events, read_minutes))
    clips = {}
    for event in events:
        if event["event"] == "alarm":
            path = find_clip(folder / CLIPS, event["clip"])
            assert path is not None
            clips[event["time_s"]] = soundfile.read(path, dtype="int16")[0]
    return kept.reports, {"events": events, "minutes": minutes, "clips": clips}


def without_labels(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in ("time", "clip")} for row in rows]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return quick_bundle(tmp_path_factory.mktemp("bundle") / "fan.easd")


@pytest.fixture(scope="module")
def steady(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Report], dict[str, Any]]:
    """What comes of a clock that is right."""
    return run(tmp_path_factory.mktemp("steady"), bundle, Clock())


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_changes_labels_alone(
    name: str, bundle: Bundle, steady: tuple[list[Report], dict[str, Any]], tmp_path: Path
) -> None:
    reports, kept = steady
    assert [r.what.event for r in reports if isinstance(r.what, Event)] == ["alarm", "cleared"] * 4 + ["alarm"]
    assert len(kept["clips"]) == 5
    jumped, also_kept = run(tmp_path, bundle, CLOCKS[name])
    assert [(r.what, r.state) for r in jumped] == [(r.what, r.state) for r in reports]
    same_moments = [r.time.timestamp() for r in jumped] == [r.time.timestamp() for r in reports]
    assert same_moments is (name == "daylight saving")
    for table in ("events", "minutes"):
        assert without_labels(also_kept[table]) == without_labels(kept[table])
        if name == "daylight saving":  # the same moments, in another zone
            times = [[datetime.fromisoformat(row["time"]) for row in rows[table]] for rows in (kept, also_kept)]
            assert times[0] == times[1]
    if name == "daylight saving":
        assert {event["time"][-6:] for event in also_kept["events"]} == {"+02:00", "+01:00"}
    assert also_kept["clips"].keys() == kept["clips"].keys()
    for place, clip in kept["clips"].items():
        assert np.array_equal(also_kept["clips"][place], clip)


def test_counters_go_on_beyond_32_bits(
    bundle: Bundle, steady: tuple[list[Report], dict[str, Any]], tmp_path: Path
) -> None:
    reports, kept = steady
    (gap, *later), also_kept = run(tmp_path, bundle, Clock(), missing=BEYOND)
    assert isinstance(gap.what, Event)
    assert (gap.what.event, gap.what.duration_s) == ("samples-lost", BEYOND / RATE)

    def placed(found: list[Report], before: int) -> list[tuple[Any, ...]]:
        return [
            (round(r.what.time_s * RATE) - before, r.what.score, getattr(r.what, "event", ""), r.state) for r in found
        ]

    assert placed(later, BEYOND) == placed(reports, 0)
    assert all(r.what.time_s == (round(r.what.time_s * RATE)) / RATE for r in later)  # a double holds it exactly
    _, *events = also_kept["events"]
    assert [e["time_s"] * RATE - BEYOND for e in events] == [e["time_s"] * RATE for e in kept["events"]]
    assert [e["clip_time_s"] for e in events] == [e["clip_time_s"] for e in kept["events"]]
    for place, clip in kept["clips"].items():
        assert np.array_equal(also_kept["clips"][(place * RATE + BEYOND) / RATE], clip)
    counted = [sum(minute["decisions"] for minute in rows["minutes"]) for rows in (kept, also_kept)]
    assert counted[0] == counted[1] > 200
