"""Files and folders as sources: the sound and the notes of the file read whole, in little memory."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_asd.audio.recording_file import read_recording
from edge_asd.audio.stream import Break, Pcm
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import AudioFormatError, DataError
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.sources import files
from edge_asd.monitor.sources.files import FileSource, FolderSource
from edge_asd.monitor.sources.source import Delivery
from tests.golden.committed import NAMES, made_sound

RATE = 16000
SOUND = made_sound(3, 200)


def write(path: Path, sound: np.ndarray, rate: int = RATE, form: str = "WAV", subtype: str = "PCM_16") -> Path:
    with open(path, "wb") as file:
        soundfile.write(file, sound, rate, format=form, subtype=subtype)
    return path


def heard(path: Path, **delivery: object) -> tuple[Pcm, list[str]]:
    notes: list[str] = []
    with FileSource("file", Delivery(note=notes.append, **delivery), path) as source:  # type: ignore[arg-type]
        assert (source.live, source.lost_s, source.description) == (False, 0.0, str(path))
        blocks = list(source.sound())
    assert all(0 < block.size <= RATE for block in blocks)
    return np.concatenate(blocks), notes


@pytest.fixture(params=["kept", "read again"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short files are kept in memory, long ones read again: here both are short."""
    if request.param == "read again":
        monkeypatch.setattr(files, "_KEPT_SAMPLES", 0)


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    ("form", "subtype", "rate"),
    [("WAV", "PCM_16", 16000), ("WAV", "PCM_24", 48000), ("FLAC", "PCM_16", 44100), ("AIFF", "FLOAT", 8000)],
)
def test_a_file_is_heard_as_it_is_read_whole(form: str, subtype: str, rate: int, tmp_path: Path) -> None:
    sound = np.stack([SOUND, SOUND[::-1]], axis=1)
    path = write(tmp_path / "sound", sound if subtype != "FLOAT" else sound / 32768, rate, form, subtype)
    pcm, notes = heard(path, channel=1, narrow=lambda rate: "It is narrow." if rate < RATE else None)
    np.testing.assert_array_equal(pcm, read_recording(path, channel=1).pcm)
    assert notes == [
        f"{path} has 2 channels; listening to channel 1.",
        *([f"{path} has {rate} Hz; resampled to 16000 Hz."] if rate > RATE else []),
        *([f"{path} has 8000 Hz; resampled to 16000 Hz. It is narrow."] if rate < RATE else []),
    ]


def test_the_gain_is_applied_to_what_was_looked_through(tmp_path: Path) -> None:
    path = write(tmp_path / "sound.wav", SOUND)
    pcm, notes = heard(path, gain=lambda pcm: np.full_like(pcm, 32767))
    assert (pcm == 32767).all()
    assert notes == []


@pytest.mark.usefixtures("memory")
def test_what_is_dead_or_clipped_is_told_before_the_first_block(tmp_path: Path) -> None:
    sound = np.concatenate([SOUND[:RATE], np.zeros(RATE, np.int16), np.full(99, 32767, np.int16), SOUND[:RATE]])
    path = write(tmp_path / "sound.wav", np.stack([sound, SOUND[: sound.size]], axis=1))
    notes: list[str] = []
    with FileSource("file", Delivery(note=notes.append), path) as source:
        next(source.sound())
    assert notes == [
        f"{path} has 2 channels; listening to channel 0.",
        f"{path} is dead from 1.00 s to 2.00 s (its samples stay within 1 of a constant): no decisions there. "
        "In it, channel 1 has sound. Choose it with --channel 1.",
        f"{path} is clipped: {99 / sound.size:.2%} of its samples are at full scale, over 0.1%. Turn the input's gain "
        "down and record it again. Scores of such sound mean little.",
    ]


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("form", ["WAV", "FLAC"])
def test_nothing_is_heard_of_a_file_that_turns_out_to_be_wrong(form: str, tmp_path: Path) -> None:
    silent = write(tmp_path / "silent", np.stack([SOUND * 0, SOUND], axis=1), form=form)
    source = FileSource("file", Delivery(), silent).sound()
    with pytest.raises(DataError, match="silent holds only zeros in channel 0; channel 1 has sound"):
        next(source)
    whole = write(tmp_path / "cut", np.tile(SOUND, 20), form=form).read_bytes()
    (tmp_path / "cut").write_bytes(whole[:-1000])
    with pytest.raises(AudioFormatError, match=r"cut (is|ended|makes)"):
        next(FileSource("file", Delivery(), tmp_path / "cut").sound())


def test_floats_of_another_scale_are_refused_before_the_first_block(tmp_path: Path) -> None:
    path = write(tmp_path / "int.wav", np.tile(SOUND, 20).astype(float), subtype="FLOAT")
    with pytest.raises(AudioFormatError, match="beyond full scale"):
        next(FileSource("file", Delivery(), path).sound())


@pytest.mark.usefixtures("memory")
def test_leaving_ends_the_iteration_and_leaves_nothing_open(tmp_path: Path) -> None:
    for form in ("WAV", "FLAC"):
        path = write(tmp_path / "sound", np.tile(SOUND, 20), form=form)
        heard(path)  # FLAC's child process is kept
        before = len(os.listdir("/proc/self/fd"))
        begun, left = threading.Event(), threading.Event()
        source = FileSource("file", Delivery(), path).__enter__()
        counts = []

        def read(source=source, begun=begun, left=left, counts=counts) -> None:
            for block in source.sound():
                counts.append(block.size)
                begun.set()
                left.wait()

        thread = threading.Thread(target=read)
        thread.start()
        assert begun.wait(60)
        source.__exit__()
        left.set()
        thread.join(60)
        assert counts == [RATE]
        gc.collect()
        assert len(os.listdir("/proc/self/fd")) == before


# --- folders ----------------------------------------------------------------------------------------------------------


def of_folder(path: Path) -> tuple[list[tuple[str, Pcm]], list[str], FolderSource]:
    notes: list[str] = []
    parts: list[tuple[str, list[Pcm]]] = []
    with FolderSource("folder", Delivery(note=notes.append), path) as source:
        for part in source.sound():
            if isinstance(part, Break):
                assert (part.event, part.samples, part.seconds) == ("next-file", 0, 0.0)
                parts.append((part.text, []))
            else:
                parts[-1][1].append(part)
    return [(name, np.concatenate(blocks)) for name, blocks in parts], notes, source


def test_a_folder_is_its_files_by_name_each_afresh(tmp_path: Path) -> None:
    expected = []
    for number, form in enumerate(("WAV", "FLAC", "AIFF")):
        path = write(tmp_path / f"{2 - number}.{form.lower()}", np.roll(SOUND, number), 48000, form)
        expected.insert(0, (str(path), read_recording(path).pcm))
    (tmp_path / "notes.txt").write_text("x")
    got, notes, source = of_folder(tmp_path)
    assert [name for name, _ in got] == [name for name, _ in expected]
    for (_, pcm), (_, whole) in zip(got, expected, strict=True):
        np.testing.assert_array_equal(pcm, whole)
    assert (source.heard, source.passed_over) == (3, 0)
    # What all have in common is told once.
    assert notes == [
        f"In {tmp_path}, passed over 1 other file or folder, such as 'notes.txt'.",
        f"{tmp_path / '0.aiff'} has 48000 Hz; resampled to 16000 Hz.",
    ]


def test_what_cannot_be_used_is_passed_over_and_counted(tmp_path: Path) -> None:
    (tmp_path / "0.wav").write_text("no sound")
    write(tmp_path / "1.wav", SOUND * 0)
    write(tmp_path / "2.wav", SOUND)
    (tmp_path / "3.flac").write_bytes(write(tmp_path / "3.flac", SOUND, form="FLAC").read_bytes()[:-100])
    got, notes, source = of_folder(tmp_path)
    assert [name for name, _ in got] == [str(tmp_path / "2.wav")]
    assert (source.heard, source.passed_over) == (1, 3)
    assert [note.split(" ")[0] for note in notes[:3]] == [str(tmp_path / name) for name in ("0.wav", "1.wav", "3.flac")]
    assert all(note.endswith(" It is passed over.") for note in notes[:3])
    assert notes[3:] == [f"3 of the 4 sound files in {tmp_path} were passed over."]


def test_a_folder_without_usable_sound_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/0.wav").write_text("no sound")
    for name, words in (
        ("none", "is not a folder"),
        ("bad/0.wav", "is not a folder"),
        ("empty", "holds no sound files"),
        ("bad", "None of the 1 sound files"),
    ):
        with pytest.raises(DataError, match=words):
            of_folder(tmp_path / name)


# --- two hours --------------------------------------------------------------------------------------------------------

_SCORE = """
import sys
from pathlib import Path
from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.sources.files import FileSource
from edge_asd.monitor.sources.source import Delivery
engine = Engine(Bundle.load(Path(sys.argv[1])), "00")
with FileSource("file", Delivery(), Path(sys.argv[2])) as source:
    for block in source.sound():
        for decision in engine.push(block):
            print(decision.time_s, decision.score)
for decision in engine.finish():
    print(decision.time_s, decision.score)
# Not ru_maxrss, which goes on from the process that started this one.
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0], file=sys.stderr)
"""


def assert_scored_in_little_memory(path: Path, limit_mb: int) -> None:
    done = subprocess.run([sys.executable, "-c", _SCORE, NAMES["ae"], path], capture_output=True, text=True, check=True)
    engine = Engine(Bundle.load(NAMES["ae"]), "00")
    whole = read_recording(path).pcm
    expected = [f"{decision.time_s} {decision.score}" for decision in engine.push(whole) + engine.finish()]
    assert done.stdout.splitlines() == expected != []
    peak = int(done.stderr) / 1024
    print(f"{path.name}: {peak:.0f} MB")
    assert peak < limit_mb


def long_file(path: Path, seconds: int, rate: int, channels: int, form: str) -> Path:
    """Pieces of a machine, one after another: each a little different, so that no two seconds are alike."""
    rng = np.random.default_rng(1)
    piece = np.tile(SOUND, 10)[: 10 * rate]
    with soundfile.SoundFile(path, "w", rate, channels, "PCM_16", format=form) as file:
        for _ in range(seconds // 10):
            mono = piece + rng.integers(-20, 21, piece.size)
            file.write(np.stack([mono] * channels, axis=1).astype(np.int16))
    return path


@pytest.mark.prove
@pytest.mark.parametrize(("form", "rate", "channels"), [("WAV", 16000, 1), ("FLAC", 48000, 2)])
def test_two_hours_take_little_memory_and_give_the_decisions_of_the_whole(
    form: str, rate: int, channels: int, tmp_path: Path
) -> None:
    path = long_file(tmp_path / f"long.{form}", 7200, rate, channels, form)
    assert_scored_in_little_memory(path, 150)


def test_ten_minutes_are_read_again(tmp_path: Path) -> None:
    assert 600 * RATE > files._KEPT_SAMPLES
    path = long_file(tmp_path / "long.wav", 600, RATE, 1, "WAV")
    np.testing.assert_array_equal(heard(path)[0], read_recording(path).pcm)
