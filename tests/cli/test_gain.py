"""``--gain`` of the monitor: the same for files and pipes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_asd.audio.gain import Gain
from tests.cli.command import Command, edge_asd, json_decisions
from tests.data import write_wav
from tests.golden.committed import NAMES, made_sound

MONITOR = ("monitor", NAMES["ae"], "--section", "00", "--json")


def test_files_and_pipes_are_amplified_alike(tmp_path: Path, command: Command) -> None:
    pcm = made_sound(1, 200)
    write_wav(tmp_path / "soft.wav", pcm)
    write_wav(tmp_path / "loud.wav", Gain(7.5).apply(pcm))
    soft = json_decisions(command(*MONITOR, "--wav", tmp_path / "soft.wav"))
    loud = json_decisions(command(*MONITOR, "--wav", tmp_path / "loud.wav"))
    assert soft != loud
    assert json_decisions(command(*MONITOR, "--wav", tmp_path / "soft.wav", "--gain", "7.5")) == loud
    assert json_decisions(command(*MONITOR, "--wav", tmp_path / "soft.wav", "--gain", "0")) == soft
    assert json_decisions(edge_asd(*MONITOR, "--stdin", "--gain", "7.5", data=pcm.tobytes())) == loud


def test_a_gain_that_clips_is_told_of_a_file_too(tmp_path: Path, command: Command) -> None:
    write_wav(tmp_path / "soft.wav", (10000 * np.sin(np.arange(96000) / 5)).astype(np.int16))
    assert "clips" not in command(*MONITOR, "--wav", tmp_path / "soft.wav", "--gain", "9").stderr
    assert "The input clips: over" in command(*MONITOR, "--wav", tmp_path / "soft.wav", "--gain", "20").stderr


@pytest.mark.parametrize("gain", ["60.5", "-61", "nan", "inf", "loud"])
def test_a_gain_out_of_range_is_wrong_usage(gain: str, command: Command) -> None:
    done = command(*MONITOR, "--wav", "x.wav", "--gain", gain)
    assert done.returncode == 2
    assert "--gain" in done.stderr or "finite" in done.stderr
