"""Recordings cut into clips of one's own set: exact, each sample accounted for, nothing twice."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from edge_asd.audio.importing import Cuts, Importer
from edge_asd.audio.importing import importer as importing
from edge_asd.audio.importing.report import LEFT
from edge_asd.audio.recording_file import read_recording
from edge_asd.audio.stream import Resampler
from edge_asd.clips import ClipName
from edge_asd.errors import DataError, OutputError
from edge_asd.own_set import LEDGER, ClipWriter, OwnSet, imported_places
from tests.audio.wav_files import chunk, fmt, pcm16, riff
from tests.data import write_wav

RATE = 16000


def noise(seconds: float, rate: int = RATE, seed: int = 0, channels: int = 1) -> np.ndarray:
    shape = (round(seconds * rate), channels) if channels > 1 else round(seconds * rate)
    return np.random.default_rng(seed).integers(-9000, 9000, shape, dtype=np.int16)


def own(root: Path, **changes: Any) -> OwnSet:
    return OwnSet(**{"root": root, "machine": "mixer", "section": "00", "domain": "source", **changes})


def imported(root: Path, *paths: Path, own_set: OwnSet | None = None, **options: Any) -> dict[str, Any]:
    """Import with short clips unless told otherwise; return the report, whose sums are checked."""
    cuts = Cuts(**{"clip_seconds": 2.0, **options.pop("cuts", {})})
    importer = Importer(own_set or own(root), cuts, **options)
    importer.run(paths)
    document = importer.report.as_dict()
    json.dumps(document).encode("ascii")
    for one in (document, *document["files"]):
        assert one["samples_in"] == one["samples_out"] + one["samples_left"]
        assert one["samples_left"] == sum(one["left"].values())
        assert set(one["left"]) == set(LEFT)
    return document


def clips(root: Path) -> dict[str, np.ndarray]:
    """Every clip by its path below the machine's folder."""
    folder = root / "mixer"
    return {
        str(path.relative_to(folder)): np.frombuffer(path.read_bytes()[44:], "<i2")
        for path in sorted(folder.rglob("*.wav"))
    }


def whys(document: dict[str, Any]) -> list[str]:
    return [one["why"] for one in document["skipped"]]


@pytest.mark.parametrize(
    ("form", "rate", "channels"),
    [
        ("WAV", 8000, 1),
        ("WAV", 11025, 3),
        ("WAV", 16000, 1),
        ("WAV", 22050, 2),
        ("WAV", 44100, 2),
        ("WAV", 48000, 5),
        ("WAV", 96000, 2),
        ("FLAC", 44100, 2),
        ("OGG", 44100, 2),
        ("RF64", 96000, 2),
        ("W64", 11025, 1),
        ("AIFF", 8000, 3),
    ],
)
def test_clips_are_the_resampled_recording_sample_for_sample(
    tmp_path: Path, form: str, rate: int, channels: int
) -> None:
    path = tmp_path / "take 1"
    sound = noise(13.37, rate, channels=channels)
    soundfile.write(path, sound, rate, None if form == "OGG" else "PCM_16", format=form)
    channel = channels - 1
    document = imported(tmp_path / "out", path, cuts={"channel": channel})
    whole = read_recording(path, channel=channel).pcm
    if form == "WAV" and rate != RATE:
        resampler = Resampler(rate, RATE)
        taken = np.ascontiguousarray(sound.reshape(len(sound), -1)[:, channel])
        assert np.array_equal(whole, np.concatenate([resampler.process(taken), resampler.flush()]))
    assert document["samples_in"] == whole.size
    assert document["samples_out"] == 6 * 32000
    assert document["left"]["remainder"] == document["samples_left"] == whole.size - 6 * 32000
    found = clips(tmp_path / "out")
    placed = document["files"][0]["clips"]
    assert sorted(found) == sorted(one["clip"] for one in placed)
    assert [(one["start_seconds"], one["stop_seconds"]) for one in placed] == [(2 * i, 2 * i + 2) for i in range(6)]
    for i, one in enumerate(placed):
        assert np.array_equal(found[one["clip"]], whole[32000 * i : 32000 * (i + 1)])
        assert ClipName.parse(Path(one["clip"]).name).split == ("test" if i == 4 else "train")
    assert (document["clips_train"], document["clips_test"]) == (5, 1)
    assert document["files"][0]["sample_rate"] == rate
    assert document["files"][0]["channels"] == channels


def test_ten_seconds_is_a_clip_by_default(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(29.9))
    document = imported(tmp_path / "out", tmp_path / "a.wav", cuts={"clip_seconds": Cuts().clip_seconds})
    assert [sound.size for sound in clips(tmp_path / "out").values()] == [160000] * 2
    assert document["clip_samples"] == 160000


def test_overlapping_clips_never_meet_one_for_testing(tmp_path: Path) -> None:
    sound = np.arange(30 * RATE, dtype=np.int64).astype(np.int16)  # no two clips are alike
    write_wav(tmp_path / "a.wav", sound)
    document = imported(tmp_path / "out", tmp_path / "a.wav", cuts={"overlap": 1.5})
    placed = [(one["start_seconds"], one["clip"].split("/")[0]) for one in document["files"][0]["clips"]]
    assert placed[:7] == [
        (0, "train"),
        (0.5, "train"),
        (1, "train"),
        (1.5, "train"),
        (3.5, "source_test"),
        (5.5, "train"),
        (6, "train"),
    ]
    assert any("share no sound with others" in text for text in document["notes"])
    places = imported_places(tmp_path / "out" / "mixer")
    assert {path: (place.start, place.stop) for path, place in places.items()} == {
        one["clip"]: (one["start_seconds"] * RATE, one["stop_seconds"] * RATE) for one in document["files"][0]["clips"]
    }
    assert len({place.recording for place in places.values()}) == 1
    inside = np.zeros(sound.size, np.int64)
    tested = np.zeros(sound.size, bool)
    for start, folder in placed:
        place = slice(round(start * RATE), round((start + 2) * RATE))
        inside[place] += 1
        tested[place] |= folder == "source_test"
    assert (inside[tested] == 1).all()
    assert document["samples_out"] == np.count_nonzero(inside)
    faulty = imported(
        tmp_path / "bad", tmp_path / "a.wav", own_set=own(tmp_path / "bad", label="anomaly"), cuts={"overlap": 1}
    )
    assert faulty["clips_train"] == 0
    assert faulty["clips_test"] == 15
    assert any("overlap nowhere" in text for text in faulty["notes"])


def test_seconds_at_both_ends_are_left_out(tmp_path: Path) -> None:
    sound = noise(10)
    write_wav(tmp_path / "a.wav", sound)
    document = imported(tmp_path / "out", tmp_path / "a.wav", cuts={"skip": 1.25, "skip_end": 2.5})
    assert np.array_equal(np.concatenate(list(clips(tmp_path / "out").values())), sound[20000 : 20000 + 3 * 32000])
    assert document["left"] == {**dict.fromkeys(LEFT, 0), "skipped": 60000, "remainder": 4000}
    document = imported(tmp_path / "none", tmp_path / "a.wav", cuts={"skip": 9, "skip_end": 9})
    assert whys(document) == ["leaves 0.00 s: 2.00 s are missing for a clip of 2 s."]
    assert not (tmp_path / "none").exists()


def test_dead_and_clipped_stretches_are_left_out_with_their_places(tmp_path: Path) -> None:
    sound = noise(20)
    sound[5 * RATE : 6 * RATE] = 7
    sound[round(12.5 * RATE) : round(12.6 * RATE)] = 32767
    write_wav(tmp_path / "a.wav", sound)
    document = imported(tmp_path / "out", tmp_path / "a.wav")
    # Dead from 5 to 6 s: one second before it is too short; then clips from 6 s on, and that from 12 s is clipped.
    starts = [one["start_seconds"] for one in document["files"][0]["clips"]]
    assert starts == [0, 2, 6, 8, 10, 14, 16, 18]
    dead, clipped = document["skipped"]
    assert (dead["file"], dead["start_seconds"], dead["stop_seconds"]) == (str(tmp_path / "a.wav"), 5, 6)
    assert dead["why"] == "is dead from 5.00 s to 6.00 s (its samples stay within 1 of a constant)"
    assert (clipped["start_seconds"], clipped["stop_seconds"]) == (12, 14)
    assert clipped["why"].startswith("is clipped: 5.00% of its samples are at full scale")
    assert document["left"] == {**dict.fromkeys(LEFT, 0), "dead": RATE, "clipped": 2 * RATE, "remainder": RATE}


def test_a_silent_channel_is_told_with_those_that_sound(tmp_path: Path) -> None:
    sound = noise(5, channels=2)
    sound[:, 0] = 0
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    document = imported(tmp_path / "out", tmp_path / "a.wav")
    assert whys(document) == ["holds only zeros in channel 0; channel 1 has sound. Choose it with --channel 1."]
    assert document["left"]["dead"] == document["samples_in"] == 5 * RATE
    assert imported(tmp_path / "out", tmp_path / "a.wav", cuts={"channel": 1})["clips_train"] == 2
    sound = noise(6)
    for start in range(0, sound.size, 24000):
        sound[start : start + 8000] = 0
    write_wav(tmp_path / "b.wav", sound)
    assert whys(imported(tmp_path / "out", tmp_path / "b.wav")) == [
        "has no room for a clip of 2 s: it is dead from 0.00 s to 0.50 s (its samples stay within 1 of a constant), "
        "and in 3 other places."
    ]


def test_short_recordings_are_told_with_what_is_missing_and_what_would_take_them(tmp_path: Path) -> None:
    for i in range(3):
        write_wav(tmp_path / "in" / f"{i}.wav", noise(6.02, seed=i))
    write_wav(tmp_path / "in" / "3.wav", noise(6.01, seed=3))
    document = imported(tmp_path / "out", tmp_path / "in", cuts={"clip_seconds": 10})
    assert whys(document)[0] == "lasts 6.02 s: 3.98 s are missing for a clip of 10 s."
    assert document["notes"] == ["All 4 recordings last 6.01 s: --clip-seconds 6.01 takes them."]
    assert imported(tmp_path / "out", tmp_path / "in", cuts={"clip_seconds": 6.01})["clips_train"] == 4
    write_wav(tmp_path / "in" / "4.wav", noise(7, seed=4))
    assert imported(tmp_path / "out2", tmp_path / "in", cuts={"clip_seconds": 10})["notes"] == []


def test_a_folder_is_searched_and_what_is_no_recording_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_wav(folder / "REC 001", noise(2, seed=1))  # no ending: its contents tell
    write_wav(folder / "b" / "deep" / "x.WAV", noise(2, seed=2))
    write_wav(folder / os.fsdecode(b"n\xff\nname.wav"), noise(2, seed=3))
    write_wav(folder / ".hidden.wav", noise(2))
    (folder / "empty.wav").touch()
    (folder / "notes.txt").write_text("speed 2")
    (folder / "song.mp3").write_bytes(b"ID3\x03" + bytes(100))
    (folder / "b" / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "gone.wav").symlink_to(folder / "nowhere")
    (folder / "circle.wav").symlink_to("circle.wav")
    (folder / "same.wav").symlink_to(folder / "REC 001")
    (folder / "unreadable.wav").symlink_to("/proc/self/mem")
    os.mkfifo(folder / "pipe.wav")
    ClipWriter(own(folder, machine="press"), made_by="edge-asd data record").write(noise(2, seed=4))
    document = imported(tmp_path / "out", folder)
    assert [Path(one["file"]).name for one in document["files"]] == ["REC 001", "n\\udcff\nname.wav", "x.WAV"]
    assert {Path(one["file"]).name: one["why"] for one in document["skipped"]} == {
        "empty.wav": "is empty (0 bytes). Record or copy it again.",
        "song.mp3": "is an MP3 file, which is not read. Convert it to WAV or FLAC, "
        "for example: ffmpeg -i FILE FILE.wav",
        "unreadable.wav": "cannot be read: [Errno 22] Invalid argument.",
    }
    assert sorted(document["notes"]) == [
        f"Passed over 1 file that is not sound, such as '{folder}/notes.txt'.",
        f"Passed over 1 hidden file or folder, such as '{folder}/.hidden.wav'.",
        f"Passed over 1 link to a folder, such as '{folder}/b/loop'.",
        f"Passed over 1 machine's folder of a set of your own, such as '{folder}/press'.",
        f"Passed over 3 pipes, devices and broken links, such as '{folder}/circle.wav'.",
    ]
    assert document["clips_train"] == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's rights are taken on")
def test_what_may_not_be_read_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        write_wav(folder / "in/a.wav", noise(3))
        write_wav(folder / "in/b.wav", noise(3, seed=1))
        write_wav(folder / "in/c/d.wav", noise(3))
        for path in (folder / "in/a.wav", folder / "in/c"):
            path.chmod(0)
        os.seteuid(65534)
        try:
            document = imported(folder / "out", folder / "in")
        finally:
            os.seteuid(0)
    assert {one["file"]: one["why"] for one in document["skipped"]} == {
        f"{folder}/in/c": "cannot be listed: Permission denied",
        f"{folder}/in/a.wav": f"cannot be read: [Errno 13] Permission denied: '{folder}/in/a.wav'.",
    }
    assert document["clips_train"] == 1


def test_the_power_may_go_with_several_clips_not_on_the_disk_yet(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(25))
    imported(tmp_path / "out", tmp_path / "a.wav")
    whole = clips(tmp_path / "out")
    ledger = tmp_path / "out/mixer" / LEDGER
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:7]))
    for name in whole:
        if int(ClipName.parse(Path(name).name).index) >= 5:
            (tmp_path / "out/mixer" / name).unlink()
    document = imported(tmp_path / "out", tmp_path / "a.wav")
    assert document["clips_before"] == 5
    assert clips(tmp_path / "out").keys() == whole.keys()


def test_paths_that_hold_no_recording_are_errors(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").touch()
    with pytest.raises(DataError, match=r"no sound file. Passed over 1 file that is not sound"):
        imported(tmp_path / "out", tmp_path / "in")
    with pytest.raises(DataError, match="absent cannot be read: No such file or directory"):
        imported(tmp_path / "out", tmp_path / "absent")
    os.mkfifo(tmp_path / "pipe")
    assert whys(imported(tmp_path / "out", tmp_path / "pipe")) == ["is not a regular file. Give one sound file."]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["anomaly/1.wav", "day 1/abnormal 2.wav"])
def test_names_of_the_other_label_are_refused(tmp_path: Path, place: str) -> None:
    write_wav(tmp_path / "in" / "day 1" / "good.wav", noise(3))
    write_wav(tmp_path / "in" / place, noise(3, seed=1))
    bad = tmp_path / "in" / place
    for paths in ([tmp_path / "in"], [bad], [bad.parent]):
        with pytest.raises(DataError, match="is an anomaly by its name") as error:
            imported(tmp_path / "out", *paths)
        assert str(bad) in str(error.value)
    assert not (tmp_path / "out").exists()
    for healthy in ("normal/x.wav", "day 1/normal_2.wav", "anomaly/healthy.wav"):
        write_wav(tmp_path / "good" / healthy, noise(3, seed=2))
        with pytest.raises(DataError, match="is healthy by its name"):
            imported(tmp_path / "out", tmp_path / "good" / healthy, own_set=own(tmp_path / "out", label="anomaly"))
    assert not (tmp_path / "out").exists()
    document = imported(tmp_path / "out", bad, own_set=own(tmp_path / "out", label="anomaly"))
    assert list(clips(tmp_path / "out")) == ["source_test/section_00_source_test_anomaly_0000.wav"]
    assert document["clips_test"] == 1


def test_a_broken_file_gives_nothing_and_the_others_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_wav(folder / "a.wav", noise(3, seed=1))
    soundfile.write(folder / "b.flac", noise(30, seed=2), RATE)
    data = (folder / "b.flac").read_bytes()
    (folder / "b.flac").write_bytes(data[: len(data) * 3 // 4])  # three quarters could be decoded
    floats = noise(9, seed=3).astype("<f4")  # of another scale: told by all of them together
    (folder / "c.wav").write_bytes(riff(fmt(tag=3, bits=32), chunk(b"data", floats.tobytes())))
    write_wav(folder / "d.wav", noise(3, seed=4))
    document = imported(tmp_path / "out", folder)
    assert [Path(one["file"]).name for one in document["skipped"]] == ["b.flac", "c.wav"]
    assert "is damaged" in whys(document)[0]
    assert "Divide them by 32768" in whys(document)[1]
    assert document["clips_train"] == 2


def test_a_recording_is_imported_once_whatever_its_name_and_form(tmp_path: Path) -> None:
    sound = noise(5)
    write_wav(tmp_path / "a.wav", sound)
    soundfile.write(tmp_path / "copy.flac", sound, RATE)
    first = imported(tmp_path / "out", tmp_path / "a.wav", tmp_path / "copy.flac")
    assert whys(first) == [f"has the same sound as {tmp_path}/a.wav."]
    assert first["left"]["imported_before"] == 5 * RATE
    before = clips(tmp_path / "out")
    second = imported(tmp_path / "out", tmp_path / "copy.flac", own_set=own(tmp_path / "out", section="01"))
    assert whys(second) == [
        "was imported before as a.wav (2 clips of section 00, source, normal). Give --again to import it again."
    ]
    assert second["clips_before"] == 2
    assert clips(tmp_path / "out").keys() == before.keys()
    again = imported(tmp_path / "out", tmp_path / "copy.flac", again=True)
    assert again["clips_train"] == 2
    assert "has this sound twice now" in again["notes"][-1]
    assert len(clips(tmp_path / "out")) == 4
    assert imported(tmp_path / "out", tmp_path / "a.wav")["clips_train"] == 0
    # Who has removed the clips may have them again.
    for path in (tmp_path / "out").rglob("*.wav"):
        path.unlink()
    assert imported(tmp_path / "out", tmp_path / "a.wav")["clips_train"] == 2


@pytest.mark.parametrize("rate", [RATE, 44100])
def test_a_recording_that_has_grown_is_not_imported_from_its_start(tmp_path: Path, rate: int) -> None:
    sound = noise(20, rate)
    write_wav(tmp_path / "a.wav", sound[: 7 * rate], rate)
    write_wav(tmp_path / "b.wav", sound, rate)
    assert imported(tmp_path / "out", tmp_path / "a.wav")["clips_train"] == 3
    for dry_run in (True, False):
        document = imported(tmp_path / "out", tmp_path / "b.wav", dry_run=dry_run)
        assert whys(document)[0].startswith("begins with the same sound as a.wav, which was imported before")
    assert document["left"]["imported_before"] == document["samples_in"]
    both = imported(tmp_path / "dry", tmp_path / "b.wav", tmp_path / "a.wav", dry_run=True)
    assert whys(both)[0].startswith(f"begins with the same sound as {tmp_path}/b.wav")
    assert len(both["files"][0]["clips"]) == 10
    assert len(imported(tmp_path / "out", tmp_path / "b.wav", again=True)["files"][0]["clips"]) == 10
    # Recordings that start with silence are not alike for that.
    for i in range(2):
        quiet = noise(20, rate, seed=5 + i)
        quiet[: 8 * rate] = 0
        write_wav(tmp_path / f"quiet {i}.wav", quiet, rate)
    assert len(imported(tmp_path / "out", tmp_path / "quiet 0.wav")["files"][0]["clips"]) == 6
    assert len(imported(tmp_path / "out", tmp_path / "quiet 1.wav")["files"][0]["clips"]) == 6


def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path) -> None:
    sound = noise(13)
    sound[50000:60000] = 0
    write_wav(tmp_path / "a.wav", sound)
    write_wav(tmp_path / "b.wav", sound)
    write_wav(tmp_path / "c.wav", noise(3, seed=1))
    paths = [tmp_path / f"{name}.wav" for name in "abc"]
    dry = imported(tmp_path / "out", *paths, dry_run=True)
    assert dry["dry_run"]
    assert not (tmp_path / "out").exists()
    assert {**dry, "dry_run": False} == imported(tmp_path / "out", *paths)
    listed = sorted(tmp_path.rglob("*"))
    dry = imported(tmp_path / "out", *paths, dry_run=True)
    assert (dry["clips_train"], dry["clips_before"]) == (0, 6)
    assert sorted(tmp_path.rglob("*")) == listed


class Stopped(Exception):
    """Stands for whatever ends a process."""


@pytest.mark.parametrize("overlap", [0.0, 1.0])
@pytest.mark.parametrize("after", [0, 1, 4, 5, 9])
def test_who_was_stopped_goes_on_without_a_double(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, overlap: float
) -> None:
    write_wav(tmp_path / "a.wav", noise(25))
    cuts = {"overlap": overlap}
    expected = imported(tmp_path / "whole", tmp_path / "a.wav", cuts=cuts)
    write = ClipWriter.write
    count = 0

    def stopping(self: ClipWriter, *arguments: Any, announce: Any, **named: Any) -> Path:
        nonlocal count
        count += 1

        def announced(path: Path) -> None:
            announce(path)
            if count == after + 1:  # as late as can be: told, and not written
                raise Stopped

        return write(self, *arguments, announce=announced, **named)

    with monkeypatch.context() as patch:
        patch.setattr(ClipWriter, "write", stopping)
        with pytest.raises(Stopped):
            imported(tmp_path / "out", tmp_path / "a.wav", cuts=cuts)
    assert len(clips(tmp_path / "out")) == after
    rest = imported(tmp_path / "out", tmp_path / "a.wav", cuts=cuts)
    assert rest["clips_before"] == after
    assert rest["samples_out"] + rest["left"]["imported_before"] == expected["samples_out"]
    one, other = clips(tmp_path / "whole"), clips(tmp_path / "out")
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    again = imported(tmp_path / "out", tmp_path / "a.wav")
    assert "was imported before" in whys(again)[0]
    assert again["clips_before"] == len(one)  # and not what was told twice


def test_another_import_may_take_the_place_of_a_clip_that_never_came(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(25))
    write_wav(tmp_path / "b.wav", noise(6, seed=1))
    imported(tmp_path / "out", tmp_path / "a.wav")
    ledger = tmp_path / "out/mixer" / LEDGER
    *lines, _done = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines))
    (tmp_path / "out/mixer" / json.loads(lines[-1])["clip"]).unlink()
    assert (
        imported(tmp_path / "out", tmp_path / "b.wav")["files"][0]["clips"][0]["clip"] == json.loads(lines[-1])["clip"]
    )
    rest = imported(tmp_path / "out", tmp_path / "a.wav")
    assert rest["notes"] == ["Went on with a.wav at 22.00 s, where an import was stopped."]
    assert (rest["clips_before"], len(rest["files"][0]["clips"])) == (11, 1)
    assert len(clips(tmp_path / "out")) == len(imported_places(tmp_path / "out/mixer")) == 12 + 3


@pytest.mark.parametrize("how", ["other sound", "shorter"])
def test_a_recording_that_changes_while_it_is_cut_loses_its_clips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, noise(40))
    write_wav(tmp_path / "b.wav", noise(3, seed=1))
    write = ClipWriter.write
    changed = []

    def changing(self: ClipWriter, *arguments: Any, **named: Any) -> Path:
        if not changed:
            changed.append(path)
            with path.open("r+b") as file:
                if how == "shorter":
                    file.truncate(44 + 32000 * 30)
                else:
                    file.seek(44 + 32000 * 35)
                    file.write(pcm16(noise(1, seed=9)))
        return write(self, *arguments, **named)

    monkeypatch.setattr(ClipWriter, "write", changing)
    document = imported(tmp_path / "out", path, tmp_path / "b.wav")
    assert whys(document)[0].endswith("The clips that it gave were taken back.")
    assert ("ended at sample" if how == "shorter" else "was changed while it was read") in whys(document)[0]
    assert len(clips(tmp_path / "out")) == 1
    assert document["files"][0]["left"]["changed"] == 40 * RATE
    monkeypatch.undo()
    write_wav(path, noise(40))
    assert imported(tmp_path / "out", path)["clips_train"] == 16


def test_sums_hold_when_an_import_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav(tmp_path / "a.wav", noise(25))
    importer = Importer(own(tmp_path / "out"), Cuts(2.0))

    def progress(what: str, done: int, total: int, file: str) -> None:
        if importer.report.clips == 3:
            raise KeyboardInterrupt

    importer._progress = progress
    monkeypatch.setattr(importing.RecordingStream, "blocks", small_blocks(importing.RecordingStream.blocks))
    with pytest.raises(KeyboardInterrupt):
        importer.run([tmp_path / "a.wav"])
    document = importer.report.as_dict()
    assert (document["clips_train"], document["samples_out"], document["samples_left"]) == (3, 96000, 304000)


def small_blocks(blocks: Any) -> Any:
    def cut_small(self: Any) -> Any:
        for block in blocks(self):
            yield from (block[i : i + 16000] for i in range(0, block.size, 16000))

    return cut_small


def test_the_set_itself_is_not_imported_into_itself(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(5))
    imported(tmp_path / "out", tmp_path / "a.wav")
    for path in (tmp_path / "out/mixer", tmp_path / "out/mixer/train"):
        with pytest.raises(DataError, match="lies in the set itself"):
            imported(tmp_path / "out", path)


def test_a_foreign_data_set_is_left_alone(tmp_path: Path) -> None:
    write_wav(tmp_path / "out/mixer/train/section_00_source_train_normal_0000.wav", noise(1))
    write_wav(tmp_path / "a.wav", noise(5))
    with pytest.raises(DataError, match="not marked as a set of your own"):
        imported(tmp_path / "out", tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "damaged in line 3"),
        ("[]", "damaged in line 3"),
        ("x" * 70_000, "damaged in line 3"),
        ('{"sound": "a", "done": 1}', "should be bool"),
        ('{"sound": "a", "done": true, "more": 1}', "unknown key"),
        (
            '{"sound": "a", "begin": "", "file": "b", "clip": "../../x.wav", "start": 0, "stop": 1}',
            "is not a clip of this machine",
        ),
        (
            '{"sound": "a", "begin": "", "file": "b", "clip": "train/x.wav", "start": 0, "stop": 1}',
            "is not a clip of this machine",
        ),
        ('{"sound": "a", "begin": "", "file": "b", "clip": "train/x.wav", "start": 9, "stop": 9}', "outside 10 to"),
    ],
)
def test_a_damaged_ledger_is_an_error_that_says_what_to_do(tmp_path: Path, line: str, words: str) -> None:
    write_wav(tmp_path / "a.wav", noise(3))
    imported(tmp_path / "out", tmp_path / "a.wav")
    ledger = tmp_path / "out/mixer" / LEDGER
    assert len(ledger.read_text().splitlines()) == 2
    with ledger.open("a") as file:
        file.write(f"{line}\n")
    for dry_run in (True, False):
        with pytest.raises(DataError, match=words):
            imported(tmp_path / "out", tmp_path / "a.wav", dry_run=dry_run)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_ledger_that_is_no_file_is_an_error(tmp_path: Path, make: Callable[[Path], None]) -> None:
    write_wav(tmp_path / "a.wav", noise(3))
    ClipWriter(own(tmp_path / "out"), made_by="edge-asd data import").prepare()
    make(tmp_path / "out/mixer" / LEDGER)
    with pytest.raises(DataError, match=rf"{LEDGER} (is not a file|cannot be read: Is a directory)"):
        imported(tmp_path / "out", tmp_path / "a.wav")
    assert not clips(tmp_path / "out")


def test_a_ledgers_unfinished_line_is_mended(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(5))
    imported(tmp_path / "out", tmp_path / "a.wav")
    ledger = tmp_path / "out/mixer" / LEDGER
    whole = ledger.read_bytes()
    ledger.write_bytes(whole + whole[:50])
    assert imported(tmp_path / "out", tmp_path / "a.wav", dry_run=True)["clips_before"] == 2
    assert imported(tmp_path / "out", tmp_path / "a.wav")["clips_before"] == 2
    assert ledger.read_bytes() == whole


def test_recordings_beyond_a_hundred_hours_are_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    length = 2 * 1000 * 3600 * 101
    path.write_bytes(riff(fmt(rate=1000), b"data" + struct.pack("<I", length), length=length + 36))
    os.truncate(path, 44 + length)  # sparse: no disk is used
    assert "at most 100 hours are read" in whys(imported(tmp_path / "out", path))[0]


@pytest.mark.parametrize(
    ("cuts", "words"),
    [
        ({"clip_seconds": 0.9}, "give 1 to 60 s"),
        ({"clip_seconds": 61}, "give 1 to 60 s"),
        ({"clip_seconds": float("nan")}, "give 1 to 60 s"),
        ({"overlap": 9.6}, "give 0 to 9.5 s"),
        ({"overlap": -1}, "give 0 to 9.5 s"),
        ({"skip": -1}, "cannot be negative"),
        ({"skip_end": float("nan")}, "cannot be negative"),
        ({"skip_end": 1e9}, "nor more than"),
    ],
)
def test_cuts_that_cannot_be_made_are_refused(cuts: dict[str, float], words: str) -> None:
    with pytest.raises(DataError, match=words):
        Cuts(**cuts)


IMPORT = """
import sys; from pathlib import Path
from edge_asd.audio.importing import Cuts, Importer
from edge_asd.own_set import OwnSet
from edge_asd.errors import OutputError
importer = Importer(OwnSet(Path(sys.argv[1]), "mixer", "00", "source"), Cuts(2.0))
try:
    importer.run([Path(sys.argv[2])])
except OutputError as error:
    print(error)
print(importer.report.clips)
"""


def test_a_full_disk_keeps_what_is_whole_and_the_rest_comes_later(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(10.5))

    def limit() -> None:  # as good as a full disk, for the ledger grows with each clip
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (64_100, 64_100))

    def run(**named: Any) -> list[str]:
        command = [sys.executable, "-c", IMPORT, str(tmp_path / "out"), str(tmp_path / "a.wav")]
        return subprocess.run(command, capture_output=True, text=True, check=True, **named).stdout.splitlines()

    imported(tmp_path / "out", tmp_path / "a.wav")
    for path in (tmp_path / "out").rglob("*.wav"):
        path.unlink()
    ledger = tmp_path / "out/mixer" / LEDGER
    line = ledger.read_bytes().splitlines(keepends=True)[0]
    ledger.write_bytes(b'{"sound": "b", "done": true}\n' * ((64_100 - 2 * len(line) - 10) // 29))
    error, count = run(preexec_fn=limit)
    assert error.startswith(f"Cannot write {ledger}: ")
    assert count == "1" or count == "2"
    assert len(clips(tmp_path / "out")) == int(count)
    assert run() == [str(5 - int(count))]
    assert len(clips(tmp_path / "out")) == 5


def test_two_imports_at_once_take_turns(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(40))
    command = [sys.executable, "-c", IMPORT, str(tmp_path / "out"), str(tmp_path / "a.wav")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sorted(process.communicate()[0] for process in running) == ["0\n", "0\n", "20\n"]
    assert len(clips(tmp_path / "out")) == 20


def test_an_output_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(5))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Choose another --out"):
        imported(tmp_path / "file", tmp_path / "a.wav")
