"""What the tables say: what the monitor says of each recording, and what its decisions rest on."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_asd.archive.tables import FILES
from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.engine import Engine
from tests.archive.archived import BUNDLE, SOUND, fill, parts, passed_over, rows
from tests.cli.command import Command, assert_error, json_decisions
from tests.data import RATE, write_wav
from tests.golden.committed import NAMES, made_sound

SCORE = ("score", BUNDLE)


def archive(folder: Path) -> Path:
    """A tree of recordings of several kinds."""
    (folder / "hall/pump 1").mkdir(parents=True)
    two = np.stack([SOUND, made_sound(4, 330)], axis=1)
    soundfile.write(folder / "a.wav", two, RATE)
    soundfile.write(folder / "hall/b.flac", np.tile(two, (3, 1)), 44100)
    soundfile.write(folder / "hall/pump 1/c.wav", two[::-1] / 32768, RATE, subtype="FLOAT")
    return folder


@pytest.mark.parametrize(
    ("detector", "options"),
    [*((name, ()) for name in NAMES), ("ae", ("--channel", 1, "--gain", 3, "--interval", 0.3, "--domain", "target"))],
)
def test_scores_are_those_of_the_monitor(
    detector: str, options: tuple[object, ...], command: Command, tmp_path: Path
) -> None:
    tree, out = archive(tmp_path / "tree"), tmp_path / "out"
    given = (NAMES[detector], *options, "--section", "00")
    assert command("score", *given[:1], tree, *given[1:], "--out", out).returncode == 0
    found = rows(out)
    assert [row["file"] for row in rows(out, FILES)] == ["a.wav", "hall/b.flac", "hall/pump 1/c.wav"]
    for name in ("a.wav", "hall/b.flac", "hall/pump 1/c.wav"):
        told = json_decisions(command("monitor", *given, "--wav", tree / name, "--json"))
        assert len(told) > 2
        mine = [row for row in found if row["file"] == name and row["score"] is not None]
        keys = ("time_s", "score", "threshold", "anomaly")
        assert [[row[key] for key in keys] for row in mine] == [[one[key] for key in keys] for one in told]


def test_each_decision_that_falls_due_has_a_row(command: Command, tmp_path: Path) -> None:
    sound = np.concatenate([np.tile(SOUND, 2), np.full(RATE, 7, np.int16), SOUND, SOUND // 64, SOUND])
    sound[RATE : RATE + 100] = 32767
    out = tmp_path / "out"
    write_wav(tmp_path / "tree/a.wav", sound)
    assert command(*SCORE, tmp_path / "tree", "--section", "00", "--out", out, "--off-level", -50).returncode == 0
    found = rows(out)
    bundle = Bundle.load(BUNDLE)
    span = bundle.score_samples
    engine = Engine(bundle, "00", off_level_db=-50)
    made = [*engine.push(sound), *engine.finish()]
    assert [row["time_s"] for row in found if row["score"] is not None] == [one.time_s for one in made]
    assert sum(row["dead"] for row in found) == engine.withheld > 0
    assert sum(row["off"] for row in found) == engine.unjudged > 3
    assert np.allclose(np.diff([row["time_s"] for row in found]), 31 * 512 / RATE, rtol=0, atol=1e-9)
    for row in found:
        assert (row["score"] is None) == (row["anomaly"] is None) == (row["dead"] or row["off"])
        end = round(row["time_s"] * RATE)
        whole = sound[end - span : end].astype(float)
        assert row["level_db"] == round(10 * math.log10(np.mean(whole**2) / 2**30), 2)
        assert row["clipped"] == (np.mean(np.abs(whole) >= 32767) > 0.001)
    assert {row["clipped"] for row in found} == {True, False}
    (file,) = rows(out, FILES)
    size = (tmp_path / "tree/a.wav").stat()
    assert (file["bytes"], file["modified"]) == (size.st_size, size.st_mtime_ns)
    assert file["seconds"] == sound.size / RATE
    assert (file["decisions"], file["anomalies"]) == (len(made), sum(one.anomaly for one in made))
    assert file["passed_over"] is None
    assert file["notes"] == (
        "is dead from 12.00 s to 13.00 s (its samples stay within 1 of a constant): no decisions there."
    )


def test_what_cannot_be_used_is_listed_and_passed_over(command: Command, tmp_path: Path) -> None:
    tree, out = fill(tmp_path / "tree", 2), tmp_path / "out"
    whole = (tree / "00.wav").read_bytes()
    (tree / "cut.wav").write_bytes(whole[:-1000])
    (tree / "empty.flac").touch()
    write_wav(tree / "short.wav", SOUND[: RATE // 2])
    write_wav(tree / "silent.wav", np.zeros(RATE * 3, np.int16))
    (tree / "notes.txt").write_text("no sound")
    os.mkfifo(tree / "pipe.wav")
    (tree / os.fsdecode(b"n\xe4h.wav")).write_bytes(whole)
    done = command(*SCORE, tree, "--section", "00", "--out", out, "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    why = passed_over(out)
    assert {one["file"]: one["why"] for one in told["passed_over"]} == why
    assert list(why) == ["cut.wav", "empty.flac", "short.wav", "silent.wav"]
    starts = ("is truncated", "is empty (0 bytes)", "lasts less than the 1.5 s", "holds only zeros")
    assert [text.startswith(start) for text, start in zip(why.values(), starts, strict=True)] == [True] * 4
    assert "Passed over: cut.wav is truncated" in done.stderr
    assert "1 file that is not sound, such as" in done.stderr
    assert "1 pipe, device or broken link, such as" in done.stderr
    assert sorted({row["file"] for row in rows(out)}) == ["00.wav", "01.wav", "n\\udce4h.wav"]
    assert (told["recordings"], told["recordings_passed_over"]) == (3, 4)
    assert told["decisions"] == len(rows(out)) == 3 * 5


def test_nothing_that_can_be_used_is_an_error(command: Command, tmp_path: Path) -> None:
    write_wav(tmp_path / "tree/silent.wav", np.zeros(RATE * 3, np.int16))
    done = command(*SCORE, tmp_path / "tree", "--section", "00", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "None of the 1 recordings can be used" in done.stderr
    assert "silent.wav holds only zeros" in done.stderr
    (tmp_path / "nothing").mkdir()
    done = command(*SCORE, tmp_path / "nothing", "--section", "00", "--out", tmp_path / "other")
    assert_error(done, "holds no recording")
    assert not (tmp_path / "other").exists()


def test_a_list_names_recordings_beside_it(command: Command, tmp_path: Path) -> None:
    tree, out = fill(tmp_path / "tree", 2), tmp_path / "out"
    far = fill(tmp_path / "far", 1) / "00.wav"
    text = f"01.wav\r\n\nmissing.wav\n{far}\n01.wav\nfolder\n"
    (tree / "folder").mkdir()
    (tree / "list.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert command(*SCORE, tree / "list.txt", "--section", "00", "--out", out).returncode == 0
    assert [row["file"] for row in rows(out, FILES)] == sorted(["01.wav", "missing.wav", str(far), "folder"])
    assert sorted({row["file"] for row in rows(out)}) == sorted(["01.wav", str(far)])
    why = passed_over(out)
    assert why["missing.wav"].startswith("does not exist")
    assert "is a folder" in why["folder"]
    # What is missing still is not asked for again; what has come is.
    before = parts(out)
    done = command(*SCORE, tree / "list.txt", "--section", "00", "--out", out, "--json")
    assert json.loads(done.stdout)["recordings_again"] == 0
    write_wav(tree / "missing.wav", SOUND)
    done = command(*SCORE, tree / "list.txt", "--section", "00", "--out", out, "--json")
    assert json.loads(done.stdout)["recordings_again"] == 1
    assert "missing.wav" not in passed_over(out)
    assert parts(out) == before


def test_a_recording_is_no_list(command: Command, tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", SOUND)
    done = command(*SCORE, tmp_path / "a.wav", "--section", "00", "--out", tmp_path / "out")
    assert_error(done, "is a recording", "edge-asd monitor --wav")
    done = command(*SCORE, tmp_path / "absent", "--section", "00", "--out", tmp_path / "out")
    assert_error(done, "absent cannot be read: No such file or directory. Check the path.")
