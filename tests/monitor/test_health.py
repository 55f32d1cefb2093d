"""Sound that is none, through the commands of the device: monitor and calibrate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.cli.command import Command, assert_error, edge_asd, json_decisions
from tests.data import RATE, machine_sound, write_wav
from tests.golden.committed import NAMES, made_sound

N = 20 * RATE


def _clicks() -> np.ndarray:
    line = np.random.default_rng(1).integers(-1, 2, N).astype(np.int16)
    line[:: 3 * RATE] = 12_000
    return line


DEAD = {
    "zeros": (np.zeros(N, np.int16), "holds only zeros"),
    "offset": (np.full(N, -1, np.int16), "is silent: all its samples are -1"),
    "dither": (
        np.random.default_rng(1).integers(6, 9, N).astype(np.int16),
        "is silent: all its samples lie between 6 and 8",
    ),
    "clicks": (_clicks(), "is dead from 0.00 s to 20.00 s"),
}


@pytest.mark.parametrize("kind", DEAD)
def test_a_dead_file_is_refused_by_all(tmp_path: Path, command: Command, kind: str) -> None:
    samples, words = DEAD[kind]
    write_wav(tmp_path / "wav/dead.wav", samples)
    path = tmp_path / "wav/dead.wav"
    done = command("monitor", NAMES["ae"], "--section", "00", "--wav", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"dead.wav {words}" in done.stderr
    assert "muted or unplugged" in done.stderr
    out = tmp_path / "new.easd"
    calibrate = command("calibrate", NAMES["ae"], "--section", "00", "--wav-dir", tmp_path / "wav", "--out", out)
    assert_error(calibrate, f"dead.wav {words}", "muted or unplugged")
    assert not out.exists()


def test_a_dead_pipe_is_an_error() -> None:
    done = edge_asd("monitor", NAMES["ae"], "--section", "00", "--stdin", data=DEAD["offset"][0].tobytes())
    assert (done.returncode, done.stdout) == (1, "")
    assert "no decision" in done.stderr
    assert "muted or unplugged" in done.stderr


def test_where_a_file_is_dead_is_told_before_the_first_decision(tmp_path: Path, command: Command) -> None:
    sound = made_sound(1, 200)
    write_wav(tmp_path / "part.wav", np.concatenate([sound, np.zeros(3 * RATE, np.int16), sound]))
    done = command("monitor", NAMES["ae"], "--section", "00", "--wav", tmp_path / "part.wav", "--json")
    assert done.returncode == 3
    assert "part.wav is dead from 6.00 s to 9.00 s (its samples stay within 1 of a constant): no decisions there." in (
        done.stderr
    )
    times = [decision["time_s"] for decision in json_decisions(done)]
    assert any(time > 10.47 for time in times)
    assert not any(6.01 < time < 10.47 for time in times)


@pytest.mark.parametrize("channel", [0, 1])
def test_sound_in_another_channel_is_pointed_to(tmp_path: Path, command: Command, channel: int) -> None:
    sound = machine_sound(np.random.default_rng(8), seconds=4)
    silent, good = np.zeros_like(sound), 1 - channel
    stereo = np.stack([silent, sound] if channel == 0 else [sound, silent], 1)
    (tmp_path / "wav").mkdir()
    soundfile.write(tmp_path / "wav/two.wav", stereo, RATE, subtype="PCM_16")
    for arguments in (
        ("monitor", NAMES["ae"], "--wav", tmp_path / "wav/two.wav"),
        ("calibrate", NAMES["ae"], "--wav-dir", tmp_path / "wav", "--out", tmp_path / "new.easd"),
    ):
        done = command(*arguments, "--section", "00", "--channel", channel)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"only zeros in channel {channel}; channel {good} has sound" in done.stderr
        assert f"--channel {good}" in done.stderr
        assert "record it again" not in done.stderr
        assert command(*arguments, "--section", "00", "--channel", good).returncode in (0, 3)


def test_a_clipped_file_is_told_before_the_first_decision(tmp_path: Path, command: Command) -> None:
    loud = np.clip(made_sound(1, 200).astype(np.int32) * 40, -32768, 32767).astype(np.int16)
    write_wav(tmp_path / "loud.wav", loud)
    done = command("monitor", NAMES["ae"], "--section", "00", "--wav", tmp_path / "loud.wav")
    assert done.returncode in (0, 3)
    assert done.stderr.count("full scale") == 1
    assert f"loud.wav is clipped: {(np.abs(loud.astype(int)) >= 32767).mean():.2%} of its samples" in done.stderr


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floats_at_int16_scale_are_refused(tmp_path: Path, command: Command, subtype: str) -> None:
    folder = tmp_path / "wav"
    folder.mkdir()
    values = np.rint(np.random.default_rng(10).normal(size=4 * RATE) * 600)
    soundfile.write(folder / "int.wav", values, RATE, subtype=subtype)
    words = ("int.wav has 99.9% of its samples beyond full scale", f"largest {np.abs(values).max():.0f}", "-1 and 1")
    assert_error(command("monitor", NAMES["ae"], "--section", "00", "--wav", folder / "int.wav"), *words)
    out = tmp_path / "new.easd"
    assert_error(command("calibrate", NAMES["ae"], "--section", "00", "--wav-dir", folder, "--out", out), *words)
