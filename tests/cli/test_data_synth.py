"""``edge-asd data synth`` as its user meets it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import Command, assert_error, edge_asd, said
from tests.data import write_wav


def test_own_recordings_become_a_data_set_that_verifies(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for kind in ("normal", "anomaly"):
        write_wav(tmp_path / "clips" / kind / "a.wav", rng.integers(-900, 900, 640_000).astype(np.int16))
    write_wav(tmp_path / "noise" / "n.wav", rng.integers(-900, 900, 320_000).astype(np.int16))
    out = tmp_path / "out"
    done = edge_asd("data", "synth", out, "--machine", "valve", "--machine-clips", tmp_path / "clips",
                    "--noise-clips", tmp_path / "noise", "--sections", "3", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert said(done) == []
    document = json.loads(done.stdout)
    (machine,) = document["machines"]
    (row,) = machine["sections"]
    assert machine["machine"] == "valve"
    assert {k: row[k] for k in ("section", "domain", "train", "normal", "anomaly")} == {
        "section": "03", "domain": "source", "train": 3, "normal": 1, "anomaly": 4,
    }  # fmt: skip
    checked = edge_asd("data", "verify", out, "--json")
    assert checked.returncode == 0, checked.stdout
    assert any("synthetic" in text for text in json.loads(checked.stdout)["notes"])


def test_errors_leave_nothing_behind(tmp_path: Path, command: Command) -> None:
    (tmp_path / "there").mkdir()
    assert_error(command("data", "synth", tmp_path / "there"), "there exists already")
    new = tmp_path / "new"
    assert_error(command("data", "synth", new, "--machine", "fan", "--sections", "00,06"), "'06' of fan", "00 to 05")
    assert_error(command("data", "synth", new, "--machine-clips", tmp_path), "--machine")
    assert_error(command("data", "synth", new, "--machine", "fan,mixer"), "no machine 'mixer'. It has: fan, gearbox")
    assert_error(command("data", "synth", new, "--machine", "fan,fan"), "named twice")
    assert_error(command("data", "synth", new, "--noise-clips", tmp_path), "holds no sound files")
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


@pytest.mark.prove
def test_tiny_is_made_within_a_minute_and_bit_for_bit_again(tmp_path: Path) -> None:
    contents, times = [], []
    for name in ("a", "b"):
        started = time.monotonic()
        done = edge_asd("data", "synth", tmp_path / name, "--preset", "tiny", "--workers", 2 if name == "a" else 1)
        times.append(time.monotonic() - started)
        assert done.returncode == 0, done.stderr
        folder = tmp_path / name
        contents.append({str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.*")})
    assert len(contents[0]) == 5 * 183
    assert contents[0] == contents[1]
    print(f"two workers {times[0]:.1f} s, one {times[1]:.1f} s")
    assert times[0] < 60
