"""``edge-asd events``: what a person, a program and a spreadsheet see."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_asd.monitor.alarms import EventName
from edge_asd.monitor.records.settings import RecordsSettings
from edge_asd.monitor.sinks.records import Records
from tests.cli.command import EDGE_ASD, Command, assert_error
from tests.monitor.recorded import RATE, START, clip_files, decision, event, origin, sound
from tests.pulse import PulseMicrophone

HOSTILE = '=HYPERLINK("http://x")\x1b[2J\u202e\n'
SETTINGS = RecordsSettings(pre_s=1, post_s=1, longest_s=2, floor_bytes=0)


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three minutes of a pump with an alarm, and one of a source with a hostile name."""
    records = Records(tmp_path / "records", SETTINGS, pytest.fail)
    records.begin(origin())
    records.begin(origin(HOSTILE))
    for second in range(1, 126):
        records.hear("pump", (second - 1) * RATE, sound(RATE, (second - 1) * RATE))
        records.report(decision(second * RATE, 600_000 + second))
        if second in (70, 80):
            records.report(event(second * RATE, EventName.alarm if second == 70 else EventName.cleared))
    records.report(event(90 * RATE, EventName.dead, source=HOSTILE))
    records.close()
    return tmp_path / "records"


def document(command: Command, *arguments: object) -> Any:
    done = command("events", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_list_is_a_table_with_the_readers_time_and_no_control_characters(command: Command, folder: Path) -> None:
    done = command("events", folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    columns = ["id", "time", "source", "section", "event", "score", "threshold", "lasted", "clip", "text"]
    assert lines[0].split() == columns
    name = r'=HYPERLINK("http://x")\x1b[2J\u202e\n'
    assert [line.split() for line in lines[2:]] == [
        ["1", "2026-11-28", "19:46:10+05:45", "pump", "00", "alarm", "10.68", "10.00", "dB²", "12.5", "s", "kept"],
        ["2", "2026-11-28", "19:46:20+05:45", "pump", "00", "cleared", "10.68", "10.00", "dB²", "12.5", "s", "-"],
        ["3", "2026-11-28", "19:46:30+05:45", name, "00", "dead", "10.68", "10.00", "dB²", "12.5", "s", "-"],
    ]
    clip_files(folder / "clips")[0].unlink()
    assert command("events", folder).stdout.splitlines()[2].endswith("gone")


def test_a_clip_under_way_is_told_from_one_that_a_killed_monitor_left(command: Command, tmp_path: Path) -> None:
    records = Records(tmp_path / "records", SETTINGS, pytest.fail)
    records.begin(origin())
    records.hear("pump", 0, sound(2 * RATE))
    records.report(event(2 * RATE))
    end = time.monotonic() + 60
    while "recording" not in command("events", tmp_path / "records").stdout:  # another thread writes
        assert time.monotonic() < end
    shutil.copytree(tmp_path / "records", tmp_path / "left")
    assert "incomplete" in command("events", tmp_path / "left").stdout
    records.close()
    assert "kept" in command("events", tmp_path / "records").stdout


def test_filters(command: Command, folder: Path) -> None:
    def ids(*arguments: object) -> list[int]:
        return [row["id"] for row in document(command, folder, *arguments)["events"]]

    assert ids() == [1, 2, 3]
    assert ids("--source", "pump") == [1, 2]
    assert ids("--source", HOSTILE) == [3]
    assert ids("--section", "01") == []
    assert ids("--event", "cleared") == [2]
    assert ids("--last", 2) == [2, 3]
    assert ids("--since", "2026-11-28T19:46:20") == [2, 3]
    assert ids("--since", "2026-11-28T14:01:20Z", "--until", "2026-11-28T14:01:30+00:00") == [2]
    assert ids("--until", "2026-11-28") == []
    assert ids("--source", "pump", "--last", 1) == [2]
    ago = int((datetime.now().astimezone() - START - timedelta(seconds=75)).total_seconds())
    if ago > 0:
        assert ids("--since", f"{ago}s") == [2, 3]
    assert command("events", folder, "--event", "on").stdout == "Nothing of that kind was recorded.\n"


def test_minutes(command: Command, folder: Path) -> None:
    rows = document(command, folder, "--minutes", "--source", "pump")["minutes"]
    assert [(row["time_s"], row["decisions"], row["minimum"]) for row in rows] == [
        (0, 60, 600_001),
        (60, 60, 600_061),
        (120, 5, 600_121),
    ]
    lines = command("events", folder, "--minutes").stdout.splitlines()
    assert lines[0].split() == ["id", "begins", "source", "section", "scores", "mean", "threshold", "over", "states"]
    text = "2026-11-28 19:46:00+05:45 pump 00 9.16 to 9.16 9.16 10.00 dB² 0 of 60 healthy 58.0 s, alarm 2.0 s"
    assert text in [" ".join(line.split()[1:]) for line in lines]


def test_exports_say_the_same_and_replace_only_their_own(command: Command, folder: Path, tmp_path: Path) -> None:
    rows = document(command, folder)["events"]
    lines, table = tmp_path / "out.jsonl", tmp_path / "out.csv"
    for _ in range(2):
        for path in (lines, table):
            done = command("events", folder, "--export", path)
            assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert [json.loads(line) for line in lines.read_text().splitlines()] == rows
    text = table.read_text()
    assert command("events", folder, "--csv").stdout == text
    cells = list(csv.DictReader(text.splitlines()))
    assert [row["event"] for row in cells] == ["alarm", "cleared", "dead"]
    assert (cells[0]["score"], cells[0]["threshold"], cells[0]["clip_time_s"]) == ("10.68115", "10.0", "1.0")
    assert cells[2]["source"].startswith("'=HYPERLINK")  # a spreadsheet must not compute it
    assert not set(text) & {"\x1b", "\u202e"}
    for path in (lines, table):
        path.write_text("my diary\n")
        assert_error(command("events", folder, "--export", path), str(path), "not replaced")
        assert path.read_text() == "my diary\n"
    assert_error(command("events", folder, "--export", table / "x.csv"), "Cannot write")
    minutes = tmp_path / "minutes.csv"
    assert command("events", folder, "--minutes", "--export", minutes).returncode == 0
    assert len(minutes.read_text().splitlines()) == 1 + len(document(command, folder, "--minutes")["minutes"])


def test_the_path_of_a_clip(command: Command, folder: Path) -> None:
    (clip,) = clip_files(folder / "clips")
    assert command("events", folder, "--clip", 1).stdout == f"{clip}\n"
    assert_error(command("events", folder, "--clip", 2), "no clip")
    assert_error(command("events", folder, "--clip", 99), "no event 99")
    clip.unlink()
    assert_error(command("events", folder, "--play", 1), "gone")


def test_a_clip_is_played(folder: Path, pulse_microphone: PulseMicrophone) -> None:
    recording = folder.parent / "heard.raw"
    with (
        recording.open("wb") as file,  # not a pipe: it is full after two seconds, before a busy machine plays anything
        subprocess.Popen(
            ["parec", "--raw", "--rate=16000", "--channels=1", "--format=s16le", "--latency-msec=20"],
            env=pulse_microphone.env,
            stdout=file,
            stderr=subprocess.DEVNULL,
        ) as heard,
    ):
        while not recording.stat().st_size:
            assert heard.poll() is None
            time.sleep(0.02)
        done = subprocess.run(
            [EDGE_ASD, "events", folder, "--play", "1"],
            env=pulse_microphone.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == "Playing 2.0 s; the alarm is at 1.0 s. Ctrl-C stops it.\n"
        heard.terminate()
    played = np.fromfile(recording, np.int16)
    assert np.abs(played.astype(int)).max() > 20_000


def test_new_events_are_followed_while_the_monitor_writes(tmp_path: Path) -> None:
    records = Records(tmp_path, SETTINGS, pytest.fail)
    records.begin(origin())
    for second in range(1, 26):
        records.report(event(second * RATE))
    with subprocess.Popen(
        [EDGE_ASD, "events", tmp_path, "--follow", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert [json.loads(process.stdout.readline())["id"] for _ in range(20)] == list(range(6, 26))
            for second in (26, 27, 28):
                records.report(event(second * RATE))
                row = json.loads(process.stdout.readline())
                assert (row["id"], row["time_s"]) == (second, second)
            records.close()
            for path in tmp_path.glob("events.db*"):
                path.unlink()
            records = Records(tmp_path, SETTINGS, pytest.fail)  # another database: numbers begin anew
            records.begin(origin())
            records.report(event(99 * RATE))
            assert json.loads(process.stdout.readline())["time_s"] == 99
            process.send_signal(2)
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
            records.close()
    assert (process.returncode, output, errors) == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--csv", "--json"],
        ["--follow", "--csv"],
        ["--export", "x.txt"],
        ["--since", "yesterday"],
        ["--since", "2026-13-01"],
        ["--since", "999999999d"],
        ["--clip", "9223372036854775808"],
        ["--last", "0"],
        ["--clip", "1", "--play", "1"],
    ],
)
def test_options_that_do_not_fit_are_refused(command: Command, folder: Path, arguments: list[str]) -> None:
    assert command("events", folder, *arguments).returncode == 2


def test_what_is_no_folder_of_records_is_told(command: Command, tmp_path: Path) -> None:
    assert_error(command("events", tmp_path), "events.db", "--records")
    (tmp_path / "events.db").write_bytes(os.urandom(5000))
    assert_error(command("events", tmp_path), "events.db", "set it aside")
