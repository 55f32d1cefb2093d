"""Clips never take more than they may, nothing foreign is removed, and a full disk is survived."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from edge_asd.monitor.records.clip_names import clip_name
from edge_asd.monitor.records.clip_writer import HEADER_BYTES
from edge_asd.monitor.records.database import CLIPS, NAME, read_database
from edge_asd.monitor.records.reading import Wanted, read_events
from edge_asd.monitor.records.retention import Retention
from edge_asd.monitor.records.settings import RecordsSettings
from edge_asd.monitor.sinks.evidence import Evidence
from edge_asd.monitor.sinks.records import Records
from tests.monitor.recorded import RATE, START, clip_files, event, origin, pcm_of, sound

KB = 1000


def fill(folder: Path, count: int, size: int = 10 * KB) -> list[str]:
    """Make clips of one second each, the oldest first."""
    names = [f"{clip_name(event(k * RATE))}.flac" for k in range(count)]
    for name in names:
        (folder / name).write_bytes(bytes(size))
    return names


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_the_oldest_go_first_and_only_as_many_as_must(tmp_path: Path) -> None:
    names = fill(tmp_path, 5)
    retention = Retention(tmp_path, RecordsSettings(clips_bytes=50 * KB, floor_bytes=0))
    retention.look()
    assert retention.make_room(0)
    assert retention.make_room(15 * KB)
    assert sorted(os.listdir(tmp_path)) == names[2:]
    retention.wrote(names[4], 35 * KB)
    assert retention.make_room(5 * KB)
    assert sorted(os.listdir(tmp_path)) == names[3:]


def test_what_is_written_stays_and_what_cannot_fit_removes_nothing(tmp_path: Path) -> None:
    names = fill(tmp_path, 5)
    retention = Retention(tmp_path, RecordsSettings(clips_bytes=50 * KB, floor_bytes=0))
    retention.writing = {name.removesuffix(".flac") for name in names[:2]}
    retention.look()
    assert not retention.make_room(31 * KB)
    assert sorted(os.listdir(tmp_path)) == names
    assert retention.make_room(30 * KB)
    assert sorted(os.listdir(tmp_path)) == names[:2]


def test_nothing_foreign_is_counted_or_removed(tmp_path: Path) -> None:
    names = fill(tmp_path, 2)
    foreign = ["holiday.flac", f"my-{names[0]}", names[0].replace(".flac", ".mp3"), "0000.wav", "events.db"]
    for name in foreign:
        (tmp_path / name).write_bytes(bytes(100 * KB))
    (tmp_path / names[1].replace("_pump_", "_link_")).symlink_to(tmp_path / "holiday.flac")
    (tmp_path / names[1].replace("_pump_", "_folder_")).mkdir()
    retention = Retention(tmp_path, RecordsSettings(clips_bytes=20 * KB, clips_days=1e-6, floor_bytes=0))
    retention.look()
    assert retention.bytes == 20 * KB
    assert retention.make_room(20 * KB)
    retention.remove_old()
    assert not set(names) & set(os.listdir(tmp_path))
    assert len(os.listdir(tmp_path)) == len(foreign) + 2


def test_old_clips_go_but_not_because_the_clock_was_set_forward(tmp_path: Path) -> None:
    names = fill(tmp_path, 3)
    unset = names[0].replace("2026", "1970")  # the clock had not been set
    (tmp_path / unset).write_bytes(b"")
    at, ticks = START + timedelta(days=90, seconds=0.5), 0.0
    settings = RecordsSettings(floor_bytes=0)
    retention = Retention(tmp_path, settings, clock=lambda: at, monotonic=lambda: ticks)
    retention.look()
    retention.remove_old()
    assert sorted(os.listdir(tmp_path)) == [unset, *names[1:]]
    at += timedelta(days=3650)
    retention.remove_old()
    assert sorted(os.listdir(tmp_path)) == [unset, *names[1:]]
    ticks += 1
    retention.remove_old()
    assert sorted(os.listdir(tmp_path)) == [unset, *names[2:]]


def test_the_floor_of_free_space_is_the_smaller_of_both(tmp_path: Path) -> None:
    names = fill(tmp_path, 3)
    for settings, room in (
        (RecordsSettings(floor_bytes=1 << 60, floor_percent=0), True),
        (RecordsSettings(floor_bytes=0, floor_percent=100), True),
        (RecordsSettings(floor_bytes=1 << 60, floor_percent=100), False),
    ):
        retention = Retention(tmp_path, settings)
        retention.look()
        assert retention.make_room(1) is room
        assert sorted(os.listdir(tmp_path)) == names  # nothing goes for a floor that is out of reach


def test_200_alarms_in_a_minute_never_exceed_the_bound(memory_folder: Path) -> None:
    # Ten sources with an alarm every three seconds, clips of one second and a half, 48 kB each.
    bound = 1000 * KB
    settings = RecordsSettings(pre_s=1, post_s=0.5, longest_s=1.5, clips_bytes=bound, floor_bytes=0)
    notes: list[str] = []
    most, alarms = 0, 0
    evidence = Evidence(memory_folder, settings, notes.append)
    sources = [f"source-{k}" for k in range(10)]
    for source in sources:
        evidence.begin(origin(source))
    rng = np.random.default_rng(1)
    block = RATE // 2
    for start in range(0, 61 * RATE, block):
        for source in sources:
            evidence.hear(source, start, rng.integers(-9000, 9000, block).astype(np.int16))
            most = max(most, folder_bytes(memory_folder))
            if (start + block) % (3 * RATE) == 0:
                evidence.report(event(start + block, source=source))
                alarms += 1
                most = max(most, folder_bytes(memory_folder))
    evidence.close()
    assert alarms == 200
    assert 0.9 * bound < most <= bound
    assert folder_bytes(memory_folder) <= bound
    assert notes == []
    # The last ones are there, and whole.
    last = [path for path in clip_files(memory_folder) if path.name > f"{START + timedelta(seconds=57):%Y%m%dT%H%M%S}"]
    assert len(last) == 20
    assert {pcm_of(path).size for path in last} == {RATE * 3 // 2}


@pytest.mark.parametrize("bound", [0, HEADER_BYTES, 40 * KB])
def test_a_clip_that_may_not_be_ends_where_it_is_and_that_is_told_once(tmp_path: Path, bound: int) -> None:
    notes: list[str] = []
    settings = RecordsSettings(pre_s=1, post_s=1, longest_s=2, clips_bytes=max(1, bound), floor_bytes=0)
    evidence = Evidence(tmp_path, settings, notes.append)
    evidence.begin(origin())
    for second in range(1, 30):
        evidence.hear("pump", (second - 1) * RATE, sound(RATE, (second - 1) * RATE))
        if second % 5 == 0:
            told = evidence.alarm(event(second * RATE))
            assert (told is None) == (bound < 40 * KB)
        assert folder_bytes(tmp_path) <= bound
    evidence.close()
    assert len(notes) == 1
    assert notes[0].startswith(f"Clips of alarms cannot be recorded in {tmp_path} now: the bounds of bytes and of free")
    # What was written of the last one: what lies before the alarm.
    kept = [pcm_of(path) for path in clip_files(tmp_path)]
    assert [pcm.tolist() for pcm in kept] == ([sound(RATE, 24 * RATE).tolist()] if bound == 40 * KB else [])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk is mounted as root only")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.parametrize("full_at_start", [False, True])
def test_a_full_disk_is_told_once_and_all_goes_on_when_there_is_space(small_disk: Path, full_at_start: bool) -> None:
    folder, ballast = small_disk / "records", small_disk / "ballast"
    notes: list[str] = []
    ticks = 0.0

    def fill_disk() -> None:
        size = shutil.disk_usage(small_disk).free
        with ballast.open("ab", buffering=0) as file:
            assert file.write(bytes(size)) == size
            with pytest.raises(OSError, match="No space left"):
                file.write(b"1")

    if full_at_start:
        folder.mkdir()
        fill_disk()
    settings = RecordsSettings(pre_s=1, post_s=1, longest_s=2, floor_bytes=0)
    records = Records(folder, settings, notes.append, monotonic=lambda: ticks)
    records.begin(origin())
    alarms = []
    for second in range(1, 100):
        ticks += 1
        if second == 20 and not full_at_start:
            fill_disk()
        if second == 60:
            ballast.unlink()
        records.hear("pump", (second - 1) * RATE, sound(RATE, (second - 1) * RATE))
        if second % 10 == 0:
            records.report(event(second * RATE))
            alarms.append(float(second))
    records.close()
    with read_database(folder / NAME) as database:
        rows = list(read_events(database, Wanted(), pytest.fail))
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert [row["time_s"] for row in rows] == alarms  # those of the full disk, too
    kept = [0, 0, 0, 0, 0] if full_at_start else [1, 0, 0, 0, 0]
    assert [int(row["clip_s"] == 2.0) for row in rows] == [*kept, 1, 1, 1, 1]
    for path in clip_files(folder / CLIPS):
        assert pcm_of(path).size <= 2 * RATE
    about = [("Clips" in note, "cannot be" in note) for note in notes]
    assert sorted(about) == [(False, False), (False, True), (True, False), (True, True)], notes


@pytest.mark.parametrize(
    "wrong",
    [
        {"pre_s": -1.0},
        {"post_s": float("nan")},
        {"longest_s": 59.0},
        {"longest_s": 3601.0},
        {"format": "mp3"},
        {"clips_bytes": 0},
        {"clips_days": 0.0},
        {"clips_days": float("inf")},
        {"floor_bytes": -1},
        {"floor_percent": 101.0},
        {"database_bytes": 1000},
        {"database_days": float("nan")},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"use "):
        RecordsSettings(**wrong)  # type: ignore[arg-type]
