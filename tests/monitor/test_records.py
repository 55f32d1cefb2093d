"""The database of events and minutes: what is in it, whatever lay there before, and how large it gets."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.policy import Policy
from edge_asd.errors import DataError, OutputError
from edge_asd.monitor.alarms import Event, EventName, State
from edge_asd.monitor.records.database import NAME, SCHEMA, read_database
from edge_asd.monitor.records.event_log import stamp
from edge_asd.monitor.records.origin import Origin
from edge_asd.monitor.records.reading import Wanted, newest, read_events, read_minutes
from edge_asd.monitor.records.settings import MIN_DATABASE_BYTES, RecordsSettings
from edge_asd.monitor.reports import Report, Status
from edge_asd.monitor.sinks.records import LiveRecords, Records, open_records
from tests.golden.committed import NAMES
from tests.monitor.recorded import RATE, START, clip_files, decision, event, origin, pcm_of, sound

SETTINGS = RecordsSettings(pre_s=1, post_s=1, longest_s=2, floor_bytes=0)


@pytest.fixture
def tmp_path(memory_folder: Path) -> Path:
    """Nothing here is about the disk itself, and commits wait for it."""
    return memory_folder


def events(folder: Path, **wanted: Any) -> list[dict[str, Any]]:
    with read_database(folder / NAME) as database:
        return list(read_events(database, Wanted(**wanted), pytest.fail))


def minutes(folder: Path, **wanted: Any) -> list[dict[str, Any]]:
    with read_database(folder / NAME) as database:
        return list(read_minutes(database, Wanted(**wanted), pytest.fail))


def record(
    folder: Path, *places: int, settings: RecordsSettings = SETTINGS, notes: list[str] | None = None
) -> list[str]:
    """Write an event at each place, and close."""
    told = [] if notes is None else notes
    records = Records(folder, settings, told.append)
    records.begin(origin())
    for place in places:
        records.report(event(place))
    records.close()
    return told


@pytest.mark.parametrize("live", [False, True])
def test_what_is_told_can_be_read_again(tmp_path: Path, live: bool) -> None:
    notes: list[str] = []
    records = open_records(tmp_path / "new" / "folder", SETTINGS, notes.append, live=live)
    assert isinstance(records, LiveRecords if live else Records)
    pump = Origin.of("pump", "00", bundle := Bundle.load(NAMES["ae"]), Policy())
    records.begin(pump)
    zone = timezone(timedelta(hours=-3, minutes=-30))
    for second in range(1, 126):
        records.hear("pump", (second - 1) * RATE, sound(RATE, (second - 1) * RATE))
        records.report(decision(second * RATE, 655_361 if second == 100 else 1000 + second))
        records.status(Status("pump", "00", State.healthy, float(second)))
        if second == 100:
            told = event(second * RATE)
            records.report(Report(told.what, told.time.astimezone(zone), told.source, told.state))
    records.report(event(125 * RATE, EventName.cleared))
    records.close()
    folder = tmp_path / "new" / "folder"
    assert not (folder / f"{NAME}-wal").exists()
    alarm, cleared = events(folder)
    assert alarm == {
        "id": 1,
        "time": "2026-11-28T10:31:40.000-03:30",
        "source": "pump",
        "section": "00",
        "event": "alarm",
        "state": "alarm",
        "time_s": 100.0,
        "score": 700_000,
        "threshold": 655_360,
        "unit": "dB²",
        "duration_s": 12.5,
        "text": None,
        "clip": alarm["clip"],
        "clip_time_s": 1.0,
        "clip_s": 2.0,
        "clip_missing_s": 0.0,
        "machine": bundle.machine,
        "bundle": bundle.digest,
    }
    assert cleared["clip"] is None
    assert [path.name for path in clip_files(folder / "clips")] == [f"{alarm['clip']}.flac"]
    assert pcm_of(clip_files(folder / "clips")[0]).tolist() == sound(2 * RATE, 99 * RATE).tolist()
    told_minutes = minutes(folder)
    assert [(one["time_s"], one["seconds"], one["decisions"], one["over"]) for one in told_minutes] == [
        (0.0, 60.0, 60, 0),
        (60.0, 60.0, 60, 1),
        (120.0, 5.0, 5, 0),
    ]
    assert [(one["minimum"], one["maximum"]) for one in told_minutes] == [(1001, 1060), (1061, 655_361), (1121, 1125)]
    assert told_minutes[1]["mean"] == (sum(range(1061, 1121)) - 1100 + 655_361 + 30) // 60
    assert told_minutes[1]["states"] == {"healthy": 59.0, "alarm": 1.0}
    assert told_minutes[0]["time"] == "2026-11-28T14:00:00.000+00:00"
    assert notes == []


def test_the_digest_is_that_of_the_bundles_manifest() -> None:
    import zipfile

    with zipfile.ZipFile(NAMES["ae"]) as bundle:
        assert Bundle.load(NAMES["ae"]).digest == json.loads(bundle.read("manifest.json"))["manifest_sha256"]


def test_what_a_run_rests_on_is_stored_once_and_only_with_something_in_it(tmp_path: Path) -> None:
    record(tmp_path)
    record(tmp_path, 1, 2, 3)
    record(tmp_path, 4)
    with closing(sqlite3.connect(tmp_path / NAME)) as database:
        runs = database.execute("SELECT id, source, section, rate, bundle, unit, policy, version FROM runs").fetchall()
        assert database.execute("SELECT run FROM events").fetchall() == [(1,), (1,), (1,), (2,)]
        assert database.execute("PRAGMA user_version").fetchall() == [(SCHEMA,)]
    policy = json.dumps(Policy().as_json())
    assert [run[:-1] for run in runs] == [(k, "pump", "00", RATE, "ab" * 32, "dB²", policy) for k in (1, 2)]


def test_counters_beyond_32_bits_and_clocks_that_jump(tmp_path: Path) -> None:
    records = Records(tmp_path, RecordsSettings(clips=False), print)
    records.begin(origin())
    places = [2**31, 2**33, 2**45]
    for place, days in zip(places, (0, -5000, 5000), strict=True):
        told = event(place)
        records.report(Report(told.what, START + timedelta(days=days), told.source, told.state))
    records.close()
    assert [round(one["time_s"] * RATE) for one in events(tmp_path)] == places
    assert sum(one["seconds"] for one in minutes(tmp_path)) == 2**45 / RATE
    assert not (tmp_path / "clips").exists()


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 : len(data)] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def statement(*texts: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database:
            for text in texts:
                database.execute(text)
            database.commit()

    return run


def folder_there(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "mine.txt").write_text("mine")


def link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


STRANGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_text("my diary " * 1000), "damaged or no database"),
    "damaged": (damaged, "damaged"),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:5000]), "damaged"),
    "newer": (statement(f"PRAGMA user_version = {SCHEMA + 1}"), "newer edge-asd"),
    "older": (statement("PRAGMA user_version = 0"), "not ours"),
    "foreign": (statement("PRAGMA application_id = 7"), "another program"),
    "column": (statement("ALTER TABLE events ADD COLUMN more TEXT"), "not ours"),
    "trigger": (
        statement("CREATE TRIGGER bad AFTER INSERT ON events BEGIN DELETE FROM minutes; END"),
        "not ours",
    ),
    "view": (statement("DROP TABLE clips", "CREATE VIEW clips AS SELECT 1 AS name"), "not ours"),
    "folder": (folder_there, "no file"),
    "link": (link_to_nowhere, "no file"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_not_ours_or_damaged_is_set_aside_and_told(tmp_path: Path, kind: str) -> None:
    change, why = STRANGE[kind]
    record(tmp_path, *range(200))
    path = tmp_path / NAME
    change(path)
    held = path.read_bytes() if path.is_file() else None
    (note,) = record(tmp_path, 5 * RATE)
    assert why in note
    assert [one["time_s"] for one in events(tmp_path)] == [5.0]
    (aside,) = tmp_path.glob("events-set-aside-*.db")
    assert aside.name in note
    if held is not None:
        assert aside.read_bytes() == held
    assert record(tmp_path, 6 * RATE) == []  # and not again


@pytest.mark.parametrize("kind", [kind for kind in STRANGE if kind not in ("damaged", "cut off")])
def test_who_reads_is_told_what_is_wrong(tmp_path: Path, kind: str) -> None:
    record(tmp_path, *range(200))
    STRANGE[kind][0](tmp_path / NAME)
    with pytest.raises(DataError, match=r"events\.db"):
        events(tmp_path)


def test_damage_while_the_monitor_runs_is_survived(tmp_path: Path) -> None:
    ticks, notes = 0.0, []
    records = Records(tmp_path, SETTINGS, notes.append, monotonic=lambda: ticks)
    records.begin(origin())
    for k in range(300):
        records.report(event(k))
    with closing(sqlite3.connect(tmp_path / NAME)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damaged(tmp_path / NAME)
    for k in range(300, 310):
        records.report(event(k))
        ticks += 11
    records.close()
    assert [round(one["time_s"] * RATE) for one in events(tmp_path)] == list(range(300, 310))
    assert len(notes) == 3
    assert "cannot be written" in notes[0]
    assert "set-aside" in notes[1]
    assert "again; nothing was lost" in notes[2]


def test_a_database_that_somebody_removes_is_begun_anew(tmp_path: Path) -> None:
    notes: list[str] = []
    records = Records(tmp_path, SETTINGS, notes.append)
    records.begin(origin())
    records.report(event(1))
    for path in tmp_path.glob(f"{NAME}*"):
        path.unlink()
    records.report(event(2))
    records.close()
    assert [round(one["time_s"] * RATE) for one in events(tmp_path)] == [2]
    assert notes == []


def test_the_database_stays_within_its_bound_and_keeps_the_newest(tmp_path: Path) -> None:
    ticks, notes = 0.0, []
    settings = RecordsSettings(clips=False, database_bytes=MIN_DATABASE_BYTES)
    records = Records(tmp_path, settings, notes.append, monotonic=lambda: ticks)
    records.begin(origin())
    most = 0
    for minute in range(1, 15_000):
        records.report(decision(minute * 60 * RATE))
        ticks += 1.0
        if minute % 200 == 0:
            records.report(event(minute * 60 * RATE))
            most = max(most, (tmp_path / NAME).stat().st_size)
    records.close()
    assert notes == []
    assert MIN_DATABASE_BYTES // 2 < most <= MIN_DATABASE_BYTES
    kept = minutes(tmp_path)
    assert 2000 < len(kept) < 14_000
    assert [one["time_s"] for one in kept] == [60.0 * k for k in range(14_999 - len(kept), 14_999)]
    assert events(tmp_path)[-1]["time_s"] == 14_800 * 60
    with read_database(tmp_path / NAME) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_old_rows_go_by_age_but_not_because_the_clock_was_set_forward(tmp_path: Path) -> None:
    at, ticks = START, 0.0
    settings = RecordsSettings(clips=False, database_days=1)
    records = Records(tmp_path, settings, print, clock=lambda: at, monotonic=lambda: ticks)
    records.begin(origin())
    records.report(event(1))
    at += timedelta(days=2)
    records.report(event(2))
    assert len(events(tmp_path)) == 2
    ticks += 2 * 86_400
    records.report(event(86_400 * RATE))
    records.close()
    assert [one["id"] for one in events(tmp_path)] == [3]
    with read_database(tmp_path / NAME) as database:
        assert newest(database, "events") == 3


def test_two_monitors_do_not_write_into_one_folder(tmp_path: Path) -> None:
    records = Records(tmp_path, SETTINGS, print)
    with pytest.raises(OutputError, match="Another edge-asd monitor"):
        Records(tmp_path, SETTINGS, print)
    records.close()
    record(tmp_path, 1)
    assert len(events(tmp_path)) == 1


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="Cannot write records into"):
        Records(tmp_path / "file" / "records", SETTINGS, print)
    (tmp_path / "clips").write_text("mine")
    with pytest.raises(OutputError, match="for clips"):
        Records(tmp_path, SETTINGS, print)
    (tmp_path / "clips").unlink()
    record(tmp_path)  # the first one has let go


def test_a_pipe_in_the_lock_s_place_is_refused_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".lock")
    with pytest.raises(OutputError, match="Cannot write records into"):
        open_records(tmp_path, SETTINGS, print)


def test_reading_goes_on_while_the_monitor_writes_and_without_it(tmp_path: Path) -> None:
    records = Records(tmp_path, SETTINGS, print)
    records.begin(origin())
    with read_database(tmp_path / NAME) as database:
        for k in range(1, 6):
            records.report(event(k))
            assert len(list(read_events(database, Wanted(), pytest.fail))) == k
    # The log still holds it all; what is copied so can be read, too.
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (NAME, f"{NAME}-wal"):
        shutil.copy(tmp_path / name, copy / name)
    assert len(events(copy)) == 5
    records.close()
    assert len(events(tmp_path)) == 5


@pytest.mark.parametrize("killed", [False, True])
def test_a_medium_that_cannot_be_written_can_be_read(tmp_path: Path, killed: bool) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("a disk is mounted as root only")
    try:
        records = Records(tmp_path / "records", SETTINGS, print)
        records.begin(origin())
        records.report(event(1))
        if not killed:
            records.close()
        for path in (tmp_path / "records").glob(f"{NAME}*"):
            if not path.name.endswith("-shm"):
                shutil.copy(path, disk / path.name)
        if killed:
            assert (disk / f"{NAME}-wal").stat().st_size > 0
            records.close()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert len(events(disk)) == 1
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_rows_with_values_that_cannot_be_are_left_out_and_told(tmp_path: Path) -> None:
    notes: list[str] = []
    strange = ("time = 1 << 62", "offset_s = 99999999", "place = -1", "score = 1 << 40", "duration_s = 9e999")
    record(tmp_path, *range(len(strange) + 1))
    statement(*(f"UPDATE events SET {cells} WHERE id = {k}" for k, cells in enumerate(strange, 1)))(tmp_path / NAME)
    with read_database(tmp_path / NAME) as database:
        assert [one["id"] for one in read_events(database, Wanted(), notes.append)] == [len(strange) + 1]
    (note,) = notes
    assert "row 1 of events holds 4611686018427387904" in note
    assert note.endswith("in all: 5.")


@pytest.mark.parametrize("text", ["not json", "[]", '{"healthy": "long"}', '{"healthy": NaN}', "[" * 100_000])
def test_states_that_cannot_be_are_left_out_and_told(tmp_path: Path, text: str) -> None:
    notes: list[str] = []
    record(tmp_path, 1)
    with closing(sqlite3.connect(tmp_path / NAME)) as database:
        database.execute("UPDATE minutes SET states = ?", (text,))
        database.commit()
    with read_database(tmp_path / NAME) as database:
        assert list(read_minutes(database, Wanted(), notes.append)) == []
    assert len(notes) == 1
    assert "row 1 of minutes holds" in notes[0]


def test_any_damage_is_an_error_for_people_and_the_monitor_goes_on(tmp_path: Path) -> None:
    record(tmp_path / "whole", *range(60))
    whole = (tmp_path / "whole" / NAME).read_bytes()
    rng = random.Random(5)
    told: Counter[str] = Counter()
    for _ in range(60):
        folder = tmp_path / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        data = bytearray(whole)
        for _ in range(rng.choice((1, 3, 30))):
            # Half of it in the first page, which tells how to read the rest.
            data[rng.randrange(len(data) if rng.random() < 0.5 else 4096)] = rng.randrange(256)
        (folder / NAME).write_bytes(data[: rng.randrange(len(data))] if rng.random() < 0.2 else data)
        left_out: list[str] = []
        try:
            with read_database(folder / NAME) as database:
                list(read_events(database, Wanted(), left_out.append))
                list(read_minutes(database, Wanted(), left_out.append))
            told["read"] += 1
        except DataError:
            told["refused"] += 1
        told["set aside"] += bool(record(folder, 99))
        with read_database(folder / NAME) as database:
            last = list(read_events(database, Wanted(last=1), left_out.append))
        assert [round(one["time_s"] * RATE) for one in last] == [99]
    assert all(told[kind] > 5 for kind in ("read", "refused", "set aside")), told


def test_many_rows_are_read_in_pages_and_in_order(tmp_path: Path) -> None:
    record(tmp_path, *range(1, 2502))
    for last, first in ((None, 1), (999, 1503), (1000, 1502), (1001, 1501), (2501, 1), (9999, 1)):
        assert [one["id"] for one in events(tmp_path, last=last)] == list(range(first, 2502))
    assert [one["id"] for one in events(tmp_path, last=2000, after=1000)] == list(range(1001, 2502))
    assert [one["id"] for one in events(tmp_path, last=1200, until=START)] == []


def test_times_are_stamped_to_the_millisecond() -> None:
    zone = timezone(timedelta(hours=5, minutes=45))
    assert stamp(START.astimezone(zone) + timedelta(milliseconds=7)) == (1_795_874_400_007, 20_700)
    with pytest.raises(ValueError, match="zone"):
        stamp(START.replace(tzinfo=None))


def test_names_that_are_no_utf_8_are_kept_visibly(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\x1b[31m")
    records = Records(tmp_path, SETTINGS, print)
    records.begin(origin(name))
    records.report(event(1, source=name))
    records.close()
    assert [one["source"] for one in events(tmp_path)] == ["caf\\udce9\x1b[31m"]


@pytest.mark.parametrize("microsecond", [0, 499, 500, 999, 29_999, 999_999])
def test_an_event_has_the_same_time_wherever_it_is_told(microsecond: int) -> None:
    for zone in (UTC, timezone(timedelta(hours=-3, minutes=-30))):
        when = datetime(2026, 11, 28, 14, 3, 5, microsecond, tzinfo=zone)
        told = Report(Event(EventName.alarm, 1.0, "00"), when, "fan", State.alarm).for_programs()["time"]
        milliseconds, offset_s = stamp(when)
        assert datetime.fromisoformat(told) == datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
        assert datetime.fromisoformat(told).utcoffset() == timedelta(seconds=offset_s)
