"""Streams that are closed, places that are no files, two trainings at once."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.cli.command import EDGE_ASD, Command, assert_error, edge_asd


def test_closed_standard_streams(bundle_path: Path) -> None:
    monitor = f"'{EDGE_ASD}' monitor '{bundle_path}' --section 00 --stdin"
    closed_in = subprocess.run(["sh", "-c", f"{monitor} <&-"], capture_output=True, text=True)
    assert (closed_in.returncode, closed_in.stdout) == (1, "")
    assert closed_in.stderr.startswith("Error: No sound came in")
    sound = np.random.default_rng(1).integers(-900, 900, 32000, dtype=np.int16).tobytes()
    whole = subprocess.run(["sh", "-c", monitor], input=sound, capture_output=True)
    without_stderr = subprocess.run(["sh", "-c", f"{monitor} 2>&-"], input=sound, capture_output=True)
    assert (without_stderr.returncode, without_stderr.stdout) == (whole.returncode, whole.stdout)
    assert whole.stdout.count(b"\n") == 1


def test_a_terminal_without_our_characters(bundle_path: Path) -> None:
    sound = np.random.default_rng(1).integers(-900, 900, 32000, dtype=np.int16).tobytes()
    done = edge_asd("monitor", bundle_path, "--section", "00", "--stdin", env={"PYTHONIOENCODING": "ascii"}, data=sound)
    assert done.returncode in (0, 3), done.stderr
    assert "dB?" in done.stdout


def test_a_current_folder_that_was_deleted(tmp_path: Path) -> None:
    program = f"mkdir gone && cd gone && rmdir ../gone && '{sys.executable}' -m edge_asd --version"
    done = subprocess.run(["sh", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("edge-asd "), done.stderr


def test_zeros_alone_are_an_error(bundle_path: Path) -> None:
    assert_silent = edge_asd("monitor", bundle_path, "--section", "00", "--stdin", data=bytes(20 * 32000))
    assert assert_silent.returncode == 1
    assert "muted or unplugged" in assert_silent.stderr


def test_places_that_are_no_files(tiny_data: Path, run_folder: Path, tmp_path: Path, command: Command) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert_error(edge_asd("monitor", pipe), "pipe", "neither a file nor a folder")
    assert_error(command("quantize", run_folder, "--data", tiny_data, "--out", pipe), "pipe", "not a file")
    assert_error(command("quantize", run_folder, "--data", tiny_data, "--out", tmp_path), "folder")
    assert_error(command("monitor", run_folder), "training run", "edge-asd quantize")
    assert pipe.is_fifo()


def test_a_link_keeps_pointing(tiny_data: Path, run_folder: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.easd"
    link.symlink_to(tmp_path / "real" / "fan.easd")
    quantize = ("quantize", run_folder, "--data", tiny_data, "--out", link, "--quantisation", "plain")
    assert command(*quantize).returncode == 0
    assert link.is_symlink()
    assert (tmp_path / "real" / "fan.easd").is_file()


def test_two_trainings_do_not_share_a_folder(tiny_data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    handle = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert_error(
            edge_asd("train", tiny_data, "--machine", "fan", "--epochs", 1, "--out", run), "Another training", str(run)
        )
    finally:
        os.close(handle)


def test_a_score_spans_no_more_than_the_clips(
    tiny_data: Path, run_folder: Path, tmp_path: Path, command: Command
) -> None:
    out = tmp_path / "fan.easd"
    too_long = command("quantize", run_folder, "--data", tiny_data, "--out", out, "--score-seconds", 3)
    assert_error(too_long, "3 s", "--score-seconds")
    assert not out.exists()
    done = command("quantize", run_folder, "--data", tiny_data, "--out", out, "--quantisation", "plain")
    assert done.returncode == 0
    assert "Scores span 1.98 s, not 10, for the shortest clip, section_" in done.stderr


@pytest.mark.prove
def test_thresholds_follow_the_span(tiny_data: Path, run_folder: Path, tmp_path: Path, command: Command) -> None:
    from edge_asd.bundle.bundle import Bundle

    found = {}
    for seconds in (0.3, 1.9):
        out = tmp_path / f"{seconds}.easd"
        done = command("quantize", run_folder, "--data", tiny_data, "--out", out, "--score-seconds", seconds)
        assert done.returncode == 0, done.stderr
        found[seconds] = Bundle.load(out).thresholds["00"]
    assert found[0.3].score > found[1.9].score  # short spans scatter more
    assert found[0.3].clips["source"] == 2 * (57 // 4)  # 57 windows a clip, 4 a score
    assert found[1.9].clips["source"] == 2


@pytest.mark.parametrize("rate", [8000, 16000])
def test_sound_that_lacks_the_upper_half_is_pointed_out(bundle_path: Path, tmp_path: Path, rate: int) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.random.default_rng(1).normal(size=2 * rate) * 0.05, rate, subtype="PCM_16")
    done = edge_asd("monitor", bundle_path, "--section", "00", "--wav", path)
    assert ("Nothing above 4000 Hz" in done.stderr) == (rate == 8000)
