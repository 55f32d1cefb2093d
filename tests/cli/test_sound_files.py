"""Sound files that are unusual or wrong, through the commands."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.audio.wav_files import chunk, extensible, fmt, pcm16, riff
from tests.cli.command import Command, assert_error, edge_asd, json_decisions
from tests.golden.committed import NAMES, PITCHES, made_sound

SOUND = made_sound(3, PITCHES[0])
BODY = pcm16(SOUND)
WIDE = b"".join((b"\0" + BODY[i : i + 2]) for i in range(0, len(BODY) - 2, 2))
HOSTILE = b"INFOXXXX" + struct.pack("<I", 0xFFFFFFF8) + bytes(24)
READ = {
    "plain": (riff(fmt(), chunk(b"data", BODY)), ""),
    "hostile INFO": (riff(fmt(), chunk(b"LIST", HOSTILE), chunk(b"data", BODY)), ""),
    "hostile INFO behind": (riff(fmt(), chunk(b"data", BODY), chunk(b"LIST", HOSTILE)), ""),
    "cue of nothing": (riff(fmt(), chunk(b"cue ", struct.pack("<I", 1)), chunk(b"data", BODY)), ""),
    "short fact": (riff(fmt(), chunk(b"fact", b"\1"), chunk(b"smpl", bytes(35)), chunk(b"data", BODY)), ""),
    "name of zeros": (riff(fmt(), chunk(bytes(4), b"abcdef"), chunk(b"data", BODY)), ""),
    "counts itself": (
        riff(fmt(), chunk(b"data", BODY, length=len(BODY) + 44)),
        "counts 44 bytes of sound too many",
    ),
}
REFUSED = {
    "half": (riff(fmt(), chunk(b"data", BODY, length=len(BODY) // 2)), "sox --ignore-length"),
    "cut off": (riff(fmt(), chunk(b"data", BODY))[:-1000], "is truncated"),
}


def monitor(command: Command, path: Path) -> tuple[list[dict[str, object]], str]:
    done = command("monitor", NAMES["ae"], "--section", "00", "--wav", path, "--json")
    assert done.returncode in (0, 3), done
    return json_decisions(done), done.stderr


@pytest.fixture
def decisions(command: Command, tmp_path: Path) -> list[dict[str, object]]:
    (tmp_path / "plain.wav").write_bytes(READ["plain"][0])
    return monitor(command, tmp_path / "plain.wav")[0]


@pytest.mark.parametrize("kind", READ)
def test_the_monitor_hears_the_samples_whatever_surrounds_them(kind, command: Command, decisions, tmp_path) -> None:
    data, note = READ[kind]
    path = tmp_path / "clip.wav"
    path.write_bytes(data)
    heard, stderr = monitor(command, path)
    assert heard == decisions != []
    assert stderr.startswith(f"{path} has a header that {note}; nothing is missing." if note else "")
    assert bool(stderr) == bool(note)


def test_an_odd_pipe_of_24_bits_is_heard_to_its_last_sample(command: Command, decisions, tmp_path: Path) -> None:
    path = tmp_path / "pipe.wav"
    assert len(WIDE) % 2 == 1
    path.write_bytes(riff(extensible(bits=24), chunk(b"data", WIDE, length=0x7FFFEFFF), length=0x7FFFF048))
    assert monitor(command, path)[0] == decisions


@pytest.mark.parametrize("form", ["FLAC", "AIFF", "W64"])
def test_another_kind_of_file_scores_as_its_wav_does(form: str, command: Command, decisions, tmp_path: Path) -> None:
    path = tmp_path / f"clip.{form.lower()}"
    with open(path, "wb") as file:
        soundfile.write(file, SOUND, 16000, format=form, subtype="PCM_16")
    assert monitor(command, path)[0] == decisions


@pytest.mark.parametrize("kind", REFUSED)
def test_what_the_monitor_refuses_is_a_fault_of_the_data_set(kind: str, command: Command, tmp_path: Path) -> None:
    data, words = REFUSED[kind]
    path = tmp_path / "fan/train/section_00_source_train_normal_0000.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert_error(command("monitor", NAMES["ae"], "--section", "00", "--wav", path), str(path), words)
    faults = json.loads(command("data", "verify", tmp_path, "--json").stdout)["faults"]
    assert any(fault["kind"] == "unreadable" and words in fault["text"] for fault in faults)


def test_calibration_takes_flac_of_any_name_and_notes_a_wrong_header(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "healthy"
    folder.mkdir()
    for number in range(6):
        with open(folder / f"{number}.wav", "wb") as file:
            soundfile.write(file, made_sound(number + 20, PITCHES[0]), 16000, format="FLAC", subtype="PCM_16")
    (folder / "6.wav").write_bytes(READ["counts itself"][0])
    out = tmp_path / "here.easd"
    done = command("calibrate", NAMES["ae"], "--section", "00", "--wav-dir", folder, "--out", out)
    assert done.returncode == 0, done
    assert "6.wav has a header that counts 44 bytes of sound too many" in done.stderr


def test_files_on_standard_input_are_refused_at_once(tmp_path: Path) -> None:
    with open(tmp_path / "clip", "wb") as file:
        soundfile.write(file, np.tile(SOUND, 4), 16000, format="FLAC", subtype="PCM_16")
    data = (tmp_path / "clip").read_bytes()
    done = edge_asd("monitor", NAMES["ae"], "--section", "00", "--stdin", data=data)
    assert_error(done, "starts with a FLAC header", "Send samples only", "save it as a file")
