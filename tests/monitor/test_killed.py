"""Killed at any moment, the monitor leaves records that can be read, and goes on with them."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from edge_asd.monitor.records.clip_names import ENCODING, PART, find_clip
from edge_asd.monitor.records.database import CLIPS, NAME, open_database, read_database
from edge_asd.monitor.records.reading import Wanted, read_events
from edge_asd.monitor.sinks.records import Records
from tests.monitor.recorded import RATE, clip_files, pcm_of, sound
from tests.monitor.recording_process import SETTINGS


def run_and_kill(folder: Path, rng: random.Random) -> list[int]:
    """Return the places of the events that the process had printed as written."""
    lines = rng.randint(1, 25)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.monitor.recording_process", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            head = [process.stdout.readline() for _ in range(lines)]
            time.sleep(rng.random() * 0.05)  # a moment at random; any will do
        finally:
            process.kill()
        rest, errors = process.communicate()
    assert process.returncode == -9, errors
    assert all(head), errors
    printed = [*head, *rest.splitlines(keepends=True)]
    return [int(line) for line in printed if line.endswith("\n")]


def check(folder: Path, written: list[int]) -> int:
    """Read what is there; return how many clips it is."""
    with read_database(folder / NAME) as database:
        rows = list(read_events(database, Wanted(), pytest.fail))
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))
    run = [round(row["time_s"] * RATE) for row in rows]
    start = len(run) - run[::-1].index(written[0]) - 1  # the last run's first
    # Nothing that was printed is missing; what had not been printed yet may be there.
    assert run[start : start + len(written)] == written
    assert len(run) - start - len(written) <= 1
    heard = 0
    for row in rows:
        path = find_clip(folder / CLIPS, row["clip"])
        if path is None or (path.name.endswith(PART) and path.stat().st_size <= 44):
            continue  # removed to keep the bound, or killed before its first second
        first = round((row["time_s"] - row["clip_time_s"]) * RATE)
        pcm = pcm_of(path)
        assert 0 < pcm.size <= 1.3 * RATE
        assert pcm.tolist() == sound(pcm.size, first).tolist()
        heard += 1
    for path in clip_files(folder / CLIPS):
        if not path.name.endswith(ENCODING) and path.stat().st_size > 44:
            assert soundfile.info(path).frames > 0
    assert sum(path.stat().st_size for path in (folder / CLIPS).iterdir()) <= SETTINGS.clips_bytes
    return heard


def kill_often(folder: Path, times: int) -> None:
    rng = random.Random(13)
    heard = 0
    for _ in range(times):
        heard += check(folder, run_and_kill(folder, rng))
    assert heard > 0
    notes: list[str] = []
    Records(folder, SETTINGS, notes.append).close()
    assert [note for note in notes if "lack their end" not in note] == []
    assert {path.suffix for path in clip_files(folder / CLIPS)} == {".flac"}
    assert not list((folder / CLIPS).glob("*.part.*"))
    database = open_database(folder / NAME, 1 << 26, pytest.fail)
    database.close()


def test_killed_a_few_times(tmp_path: Path) -> None:
    kill_often(tmp_path, 3)


@pytest.mark.prove
def test_killed_at_50_random_moments(tmp_path: Path) -> None:
    kill_often(tmp_path, 50)
