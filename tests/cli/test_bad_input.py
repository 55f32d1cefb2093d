"""What goes wrong gets one paragraph, exit code 1, and leaves nothing half-written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.cli.command import EDGE_ASD, Command, assert_error, edge_asd, without_microphone


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds of noise, longer than the bundle's score."""
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.random.default_rng(1).normal(size=32000) * 0.05, 16000, subtype="PCM_16")
    return path


def test_no_such_folder(tmp_path: Path) -> None:
    assert_error(edge_asd("train", tmp_path / "nowhere", "--machine", "fan", "--out", tmp_path / "run"), "nowhere")
    assert not (tmp_path / "run").exists()


def test_no_clips(tmp_path: Path, command: Command) -> None:
    (tmp_path / "data/fan/train").mkdir(parents=True)
    assert_error(command("train", tmp_path / "data", "--machine", "fan", "--out", tmp_path / "run"), "no clips")


def test_unknown_machine_and_section(tiny_data: Path, tmp_path: Path, command: Command) -> None:
    run = tmp_path / "run"
    assert_error(command("train", tiny_data, "--machine", "pump", "--out", run), "pump", "fan")
    assert_error(command("train", tiny_data, "--machine", "fan", "--sections", "00,07", "--out", run), "07", "00, 01")
    assert not run.exists()


def test_unknown_section_of_a_bundle(bundle_path: Path, clip: Path, command: Command) -> None:
    assert_error(command("monitor", bundle_path, "--section", "09", "--wav", clip), "09", "00, 01")
    assert_error(command("monitor", bundle_path, "--section", "x", "--wav", clip), 'such as "00", not "x"')
    assert_error(command("monitor", bundle_path, "--wav", clip), "--section")


def test_broken_wav_files(bundle_path: Path, clip: Path, tmp_path: Path, command: Command) -> None:
    def monitor(path: Path) -> subprocess.CompletedProcess[str]:
        return command("monitor", bundle_path, "--section", "00", "--wav", path)

    bad = tmp_path / "bad.wav"
    bad.write_bytes(clip.read_bytes()[:-1000])
    assert_error(monitor(bad), "bad.wav", "truncated")
    bad.write_bytes(b"")
    assert_error(monitor(bad), "bad.wav", "empty")
    soundfile.write(bad, np.zeros(32000), 16000, subtype="PCM_U8")
    assert_error(monitor(bad), "bad.wav", "8-bit")
    soundfile.write(bad, np.zeros(32000), 16000, subtype="PCM_16")
    assert_error(monitor(bad), "bad.wav", "zeros")
    soundfile.write(bad, np.linspace(-0.1, 0.1, 1000), 16000, subtype="PCM_16")
    assert_error(monitor(bad), "lasts less than")
    assert_error(monitor(tmp_path / "none.wav"), "none.wav", "does not exist")


def test_a_silent_or_short_training_clip_is_named(tiny_data: Path, tmp_path: Path, command: Command) -> None:
    data = tmp_path / "data"
    shutil.copytree(tiny_data, data)
    victim = next((data / "fan/train").glob("section_00_source*.wav"))
    for samples, words in ((np.zeros(32000), "only zeros"), (np.linspace(-0.1, 0.1, 1500), "shorter than one window")):
        soundfile.write(victim, samples, 16000, subtype="PCM_16")
        assert_error(
            command("train", data, "--machine", "fan", "--epochs", 1, "--out", tmp_path / "run"), victim.name, words
        )


@pytest.mark.parametrize(
    ("rate", "channels", "subtype", "form"),
    [
        (16000, 1, "PCM_24", "WAV"),
        (16000, 1, "FLOAT", "WAV"),
        (16000, 1, "PCM_16", "WAVEX"),
        (16000, 8, "PCM_16", "WAVEX"),
        (48000, 2, "PCM_16", "WAV"),
        (44100, 1, "PCM_32", "WAV"),
    ],
)
def test_other_formats_are_converted(
    bundle_path: Path, tmp_path: Path, rate: int, channels: int, subtype: str, form: str, command: Command
) -> None:
    path = tmp_path / "other.wav"
    sound = np.random.default_rng(2).normal(size=(2 * rate, channels)) * 0.05
    soundfile.write(path, sound, rate, subtype=subtype, format=form)
    done = command("monitor", bundle_path, "--section", "00", "--wav", path, "--json")
    assert done.returncode in (0, 3), done.stderr
    assert done.stdout.count("\n") == 1
    assert done.stderr.count("channel 0") == (channels > 1)  # said once
    assert done.stderr.count("resampled") == (rate != 16000)


def test_a_channel_that_is_not_there(bundle_path: Path, clip: Path, command: Command) -> None:
    assert_error(
        command("monitor", bundle_path, "--section", "00", "--wav", clip, "--channel", 1), "clip.wav", "channel"
    )


def test_damaged_bundle(bundle_path: Path, clip: Path, tmp_path: Path, command: Command) -> None:
    data = bytearray(bundle_path.read_bytes())
    data[len(data) // 2] ^= 1
    bad = tmp_path / "bad.easd"
    bad.write_bytes(data)
    assert_error(command("monitor", bad, "--section", "00", "--wav", clip), "bad.easd")
    assert_error(command("monitor", tmp_path / "none.easd", "--wav", clip), "none.easd", "quantize")


def test_no_microphone(bundle_path: Path, tmp_path: Path) -> None:
    """It is waited for, and Ctrl-C ends the waiting."""
    command = [str(EDGE_ASD), "monitor", str(bundle_path), "--section", "00"]
    env = {**os.environ, **without_microphone(tmp_path)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=120)
    assert line.startswith("No microphone was found. Plug one in")
    assert line.endswith("Waiting for it; Ctrl-C stops.\n")
    assert (process.returncode, out, rest) == (0, "", "Stopped.\n")


def test_places_that_cannot_be_written(
    tiny_data: Path, run_folder: Path, bundle_path: Path, tmp_path: Path, command: Command
) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    assert_error(command("train", tiny_data, "--machine", "fan", "--out", file / "run"), str(file))
    assert_error(command("quantize", run_folder, "--data", tiny_data, "--out", file / "fan.easd"), str(file))
    assert_error(command("evaluate", bundle_path, "--data", tiny_data, "--out", file / "results"), str(file))
    assert file.read_text() == "in the way"


def test_a_full_disk_leaves_the_old_bundle(
    tiny_data: Path, run_folder: Path, bundle_path: Path, tmp_path: Path, command: Command
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    size = bundle_path.stat().st_size + 65536
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("filling a disk needs the right to mount one")
    try:
        old = disk / "fan.easd"
        shutil.copy(bundle_path, old)
        quickly = ("--score-seconds", 1, "--quantisation", "plain")
        done = command("quantize", run_folder, "--data", tiny_data, "--out", old, *quickly, "--overwrite")
        assert_error(done, "fan.easd", "No space left")
        assert old.read_bytes() == bundle_path.read_bytes()
        assert list(disk.iterdir()) == [old]
        done = command("train", tiny_data, "--machine", "fan", "--epochs", 1, "--out", disk / "run")
        assert_error(done, "space")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)  # Keras may hold a file open


def test_ctrl_c_in_training_keeps_the_last_epoch(tiny_data: Path, tmp_path: Path, command: Command) -> None:
    run = tmp_path / "run"
    train = ["train", str(tiny_data), "--machine", "fan", "--out", str(run)]
    process = subprocess.Popen(
        [EDGE_ASD, *train, "--epochs", "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not list(run.glob("epoch_*.keras")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert (out, "--resume" in err, "Traceback" in err) == ("", True, False)
    (kept,) = run.glob("*.keras")
    epochs = int(kept.stem.removeprefix("epoch_"))
    assert_error(command(*train, "--epochs", epochs + 2), "--resume")
    resumed = command(*train, "--epochs", epochs + 2, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert f"{epochs + 2} epochs" in resumed.stdout


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = edge_asd("--debug", "monitor", tmp_path / "none.easd")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_usage_errors_exit_with_2(bundle_path: Path) -> None:
    assert edge_asd("monitor", bundle_path, "--wav", "a.wav", "--stdin").returncode == 2
    assert edge_asd("train").returncode == 2
    assert edge_asd("nonsense").returncode == 2


def test_a_closed_pipe_is_no_error(bundle_path: Path) -> None:
    sound = np.random.default_rng(3).integers(-3000, 3000, 16000 * 60, dtype=np.int16).tobytes()
    script = f"'{EDGE_ASD}' monitor '{bundle_path}' --section 00 --stdin --interval 0.032 --json | head -n 1"
    done = subprocess.run(["sh", "-c", script], input=sound, capture_output=True, env=os.environ)
    assert done.stdout.count(b"\n") == 1
    assert b"Traceback" not in done.stderr
    assert b"Error" not in done.stderr
