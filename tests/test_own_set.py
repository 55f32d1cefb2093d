"""Clips of a user's own set: their names and places, and that none is ever lost, doubled or half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from edge_asd import files
from edge_asd.clips import ClipName
from edge_asd.errors import DataError, OutputError
from edge_asd.own_set import LEDGER, MARK, OWN_FILES, ClipWriter, OwnSet, is_own
from tests.data import write_wav

RECORD = "edge-asd data record"


def own(root: Path, **changes) -> OwnSet:
    return OwnSet(**{"root": root, "machine": "mixer", "section": "00", "domain": "source", **changes})


def writer(root: Path, **changes) -> ClipWriter:
    return ClipWriter(own(root, **changes), made_by=RECORD)


def sound(value: int = 1) -> np.ndarray:
    return np.arange(160, dtype=np.int16) * value


def listing(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def numbers(root: Path) -> list[int]:
    return sorted(int(ClipName.parse(path.name).index) for path in root.rglob("*.wav"))


def test_every_fifth_healthy_clip_is_for_testing_and_a_number_is_used_once(tmp_path):
    clips = writer(tmp_path, attributes="speed_2")
    paths = [clips.write(sound(i + 1)) for i in range(11)]
    assert [ClipName.parse(path.name).split for path in paths] == ["train"] * 4 + ["test"] + ["train"] * 4 + [
        "test"
    ] + ["train"]
    assert paths[3] == tmp_path / "mixer/train/section_00_source_train_normal_0003_speed_2.wav"
    assert paths[4] == tmp_path / "mixer/source_test/section_00_source_test_normal_0004_speed_2.wav"
    for i, path in enumerate(paths):
        with wave.open(str(path), "rb") as file:
            assert file.getparams()[:4] == (1, 2, 16000, 160)
            assert np.array_equal(np.frombuffer(file.readframes(160), "<i2"), sound(i + 1))
    # Another one goes on, with another label and other attributes; an anomaly counts as no healthy clip.
    faulty = writer(tmp_path, label="anomaly").write(sound())
    assert faulty == tmp_path / "mixer/source_test/section_00_source_test_anomaly_0011.wav"
    assert [writer(tmp_path).write(sound()).parent.name for _ in range(4)] == ["train"] * 3 + ["source_test"]
    assert numbers(tmp_path) == list(range(16))


def test_sections_and_domains_are_numbered_and_counted_apart(tmp_path):
    for _ in range(4):
        writer(tmp_path).write(sound())
    assert writer(tmp_path, domain="target").write(sound()).name == "section_00_target_train_normal_0000.wav"
    assert writer(tmp_path, section="1").write(sound()).name == "section_01_source_train_normal_0000.wav"
    assert writer(tmp_path).next_split() == "test"
    assert writer(tmp_path, domain="target").next_split() == "train"


def test_numbers_go_on_from_what_is_there_and_beyond_four_digits(tmp_path):
    writer(tmp_path).prepare()
    for name in ("section_00_source_test_normal_9998.flac", "notes.txt", "section_00_source_train_normal_99999.txt"):
        (tmp_path / "mixer/source_test" / name).touch()
    assert [writer(tmp_path).write(sound()).name[-9:-4] for _ in range(3)] == ["_9999", "10000", "10001"]


def test_who_asked_before_decides_where_a_clip_goes(tmp_path):
    clips = writer(tmp_path)
    assert [clips.write(sound(), split="train").parent.name for _ in range(5)] == ["train"] * 5
    assert clips.next_split() == "test"  # overdue
    assert [clips.write(sound()).parent.name for _ in range(2)] == ["source_test", "train"]
    assert writer(tmp_path, label="anomaly").next_split() == "test"
    with pytest.raises(ValueError, match="never"):
        writer(tmp_path, label="anomaly").write(sound(), split="train")


def test_the_folder_is_marked_and_the_mark_read_strictly(tmp_path):
    assert not is_own(tmp_path / "mixer")
    writer(tmp_path).prepare()
    assert listing(tmp_path) == ["mixer/own.json"]
    assert sorted(entry.name for entry in (tmp_path / "mixer").iterdir() if entry.is_dir()) == [
        "source_test",
        "target_test",
        "train",
    ]
    assert is_own(tmp_path / "mixer")
    assert OWN_FILES == (MARK, LEDGER) == ("own.json", "imported.jsonl")
    mark = tmp_path / "mixer" / MARK
    good = json.loads(mark.read_text())
    assert good["made_by"] == RECORD
    before = mark.read_bytes()
    ClipWriter(own(tmp_path), made_by="edge-asd data import").write(sound())
    assert mark.read_bytes() == before  # who came first
    for wrong, words in (
        (json.dumps(good)[:-3], "damaged"),
        (json.dumps({**good, "more": 1}), "unknown key"),
        (json.dumps({**good, "schema": 2}), "newer edge-asd"),
        (json.dumps({**good, "schema": "1"}), "should be int"),
        (json.dumps({**good, "note": "x" * 70_000}), "over 65536 bytes"),
        ("[]", "not a JSON object"),
    ):
        mark.write_text(wrong)
        with pytest.raises(DataError, match=words):
            is_own(tmp_path / "mixer")
        with pytest.raises(DataError, match=words):
            writer(tmp_path)
    mark.unlink()
    os.mkfifo(mark)
    with pytest.raises(DataError, match="is not a file"):
        is_own(tmp_path / "mixer")


@pytest.mark.parametrize("place", ["train/section_00_source_train_normal_0000.wav", "test/odd.FLAC", "long take.wav"])
def test_a_folder_with_sound_that_is_not_marked_is_left_alone(tmp_path, place):
    write_wav(tmp_path / "mixer" / place, sound())
    before = listing(tmp_path)
    with pytest.raises(DataError, match="not marked as a set of your own") as error:
        writer(tmp_path)
    assert place in str(error.value)
    assert listing(tmp_path) == before
    assert ClipWriter(own(tmp_path, machine="other"), made_by=RECORD).write(sound()).is_file()


def test_sound_that_others_put_there_after_the_check_is_left_alone(tmp_path):
    clips = writer(tmp_path)
    write_wav(tmp_path / "mixer/train/section_00_source_train_normal_0000.wav", sound())
    with pytest.raises(DataError, match="not marked"):
        clips.write(sound())
    assert not is_own(tmp_path / "mixer")


def test_a_machines_folder_is_no_root(tmp_path):
    writer(tmp_path).prepare()
    with pytest.raises(DataError, match=f"Give the folder above it, {tmp_path}"):
        writer(tmp_path / "mixer")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"machine": ""}, "is empty"),
        ({"machine": ".."}, "empty"),
        ({"machine": "a/b"}, "characters"),
        ({"machine": "a\\b"}, "characters"),
        ({"machine": "a\nb"}, "characters"),
        ({"machine": "a\udc80"}, "characters"),
        ({"machine": " fan"}, "space"),
        ({"machine": "fan,pump"}, "other commands"),
        ({"machine": "all"}, "other commands"),
        ({"machine": "train"}, "other commands"),
        ({"machine": ".fan"}, "other commands"),
        ({"machine": "-fan"}, "other commands"),
        ({"machine": "ü" * 76}, "over 150 bytes"),
        ({"section": "100"}, "not a section"),
        ({"section": "a"}, "not a section"),
        ({"domain": "elsewhere"}, "not a domain"),
        ({"label": "odd"}, "not a label"),
        ({"attributes": "a/b"}, "characters"),
        ({"attributes": "a\x7f"}, "characters"),
        ({"attributes": "what?"}, "characters"),
        ({"attributes": "x" * 151}, "over 150 bytes"),
        ({"attributes": "speed_2_abnormal"}, "say that the clips are anomalous"),
    ],
)
def test_what_cannot_be_named_is_refused(tmp_path, changes, words):
    with pytest.raises(DataError, match=words):
        own(tmp_path, **changes)


@pytest.mark.parametrize("attributes", ["", "speed_2", "Drehzahl hoch, 2 Ü", "1.5", "0001", "x" * 150])
def test_names_are_read_back(tmp_path, attributes):
    path = writer(tmp_path, machine="Lüfter 2", attributes=attributes).write(sound())
    assert ClipName.parse(path.name).attributes == attributes
    assert writer(tmp_path, machine="Lüfter 2", attributes=attributes, label="anomaly").write(sound()).is_file()
    assert own(tmp_path, section="7").section == "07"


def test_a_dry_run_numbers_and_writes_nothing(tmp_path):
    writer(tmp_path).write(sound())
    before = listing(tmp_path)
    dry = ClipWriter(own(tmp_path), made_by=RECORD, dry_run=True)
    names = [dry.write(sound()).name for _ in range(5)]
    assert names[3:] == ["section_00_source_test_normal_0004.wav", "section_00_source_train_normal_0005.wav"]
    assert listing(tmp_path) == before
    assert ClipWriter(own(tmp_path, machine="new"), made_by=RECORD, dry_run=True).write(sound()).parent.name == "train"
    assert not (tmp_path / "new").exists()


def test_a_clip_is_announced_before_it_is_there_and_what_is_raised_keeps_it_away(tmp_path):
    there = []
    path = writer(tmp_path).write(sound(), announce=lambda path: there.append((path, path.exists())))
    assert there == [(path, False)]

    def refuse(path: Path) -> None:
        raise OutputError("no")

    with pytest.raises(OutputError, match="no"):
        writer(tmp_path).write(sound(), announce=refuse)
    assert numbers(tmp_path) == [0]
    assert not [name for name in listing(tmp_path) if files.UNFINISHED in name]


WRITE = """
import sys; import numpy as np; from pathlib import Path
from edge_asd.errors import OutputError
from edge_asd.own_set import ClipWriter, OwnSet
clips = ClipWriter(OwnSet(Path(sys.argv[1]), "mixer", "00", "source", sys.argv[2]), made_by="edge-asd data record")
try:
    for _ in range(int(sys.argv[3])):
        clips.write(np.arange(16000, dtype=np.int16))
except OutputError as error:
    print(error)
"""


def test_two_processes_share_one_machine(tmp_path):
    labels = ("normal", "normal", "anomaly")
    running = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), label, "60"], stdout=subprocess.PIPE)
        for label in labels
    ]
    assert [process.communicate()[0] for process in running] == [b""] * 3
    assert numbers(tmp_path) == list(range(180))
    names = [ClipName.parse(path.name) for path in tmp_path.rglob("*.wav")]
    assert sum(name.split == "test" and name.label == "normal" for name in names) == 24
    assert sum(name.split == "train" for name in names) == 96
    assert len(listing(tmp_path)) == 181


def test_a_full_disk_leaves_whole_clips_alone(tmp_path):
    def limit() -> None:  # as good as a full disk: the write stops in the middle
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(tmp_path), "normal", "3"], preexec_fn=limit, capture_output=True, text=True
    )
    assert "Cannot write" in done.stdout
    assert "File too large" in done.stdout
    assert done.stderr == ""
    assert listing(tmp_path) == ["mixer/own.json"]


def test_what_a_killed_process_left_is_swept_away(tmp_path):
    writer(tmp_path).prepare()
    left = tmp_path / "mixer/train" / f"{files.UNFINISHED}abc"
    left.write_bytes(b"half")
    writer(tmp_path).write(sound())
    assert not left.exists()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Choose another --out"):
        writer(tmp_path / "file").write(sound())
    with pytest.raises(OutputError, match="Cannot write into /proc/edge_asd"):
        writer(Path("/proc/edge_asd")).write(sound())
