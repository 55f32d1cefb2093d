from __future__ import annotations

from pathlib import Path

import pytest

from edge_asd.errors import DataError
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.data.ground_truth import read_ground_truth
from tests.train.data.table1_tree import write_clip

FILE = "ground_truth_fan_section_03_source_test.csv"
CLIPS = [f"section_03_source_test_{i:04d}.wav" for i in range(4)]
TRUTH = "".join(f"{clip},{i % 2}\n" for i, clip in enumerate(CLIPS))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Section 03 without labels, section 00 with."""
    data = tmp_path / "data"
    for number, name in enumerate(
        [
            *(f"source_test/{clip}" for clip in CLIPS),
            "train/section_03_source_train_normal_0000_m-n_A.wav",
            "source_test/section_00_source_test_anomaly_0000.wav",
        ]
    ):
        path = data / "fan" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_clip(path, number + 1)
    return data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "truth"
    folder.mkdir()
    (folder / FILE).write_text(TRUTH)
    (folder / FILE.replace("fan", "valve")).write_text("another machine's, not read")
    (folder / "README.md").write_text("not read")
    return folder


def labels(dataset: Dataset) -> dict[str, str | None]:
    return {clip.path.name: clip.name.label for clip in dataset.select(split="test")}


@pytest.mark.parametrize("place", ["", FILE])
def test_evaluation_clips_get_their_labels(root, folder, place):
    dataset = Dataset(root, "fan", ground_truth=folder / place)
    assert labels(dataset) == {
        "section_00_source_test_anomaly_0000.wav": "anomaly",
        **dict(zip(CLIPS, ["normal", "anomaly", "normal", "anomaly"], strict=True)),
    }
    assert [clip.key for clip in dataset.clips] == [clip.key for clip in Dataset(root, "fan").clips]
    assert dataset.notes == []


def test_a_label_is_the_clips_whatever_its_file_is_saved_as(root, folder):
    for clip, ending in zip(CLIPS, (".WAV", ".flac", ".Aiff", ".wav"), strict=True):
        (root / "fan/source_test" / clip).rename(root / "fan/source_test" / clip.replace(".wav", ending))
    (folder / FILE).write_text(TRUTH.replace("_0002.wav", "_0002.W64"))
    dataset = Dataset(root, "fan", ground_truth=folder)
    found = {name.rpartition(".")[0] + ".wav": label for name, label in labels(dataset).items()}
    assert [found[clip] for clip in CLIPS] == ["normal", "anomaly", "normal", "anomaly"]
    assert dataset.notes == []


def test_without_ground_truth_there_are_none(root):
    assert {labels(Dataset(root, "fan"))[clip] for clip in CLIPS} == {None}


def test_windows_line_ends_blank_lines_and_a_byte_order_mark(root, folder):
    (folder / FILE).write_bytes(b"\xef\xbb\xbf" + TRUTH.replace("\n", "\r\n").encode() + b"\r\n")
    assert labels(Dataset(root, "fan", ground_truth=folder))[CLIPS[1]] == "anomaly"


def test_sections_that_were_not_asked_for_need_no_labels(root, folder):
    (folder / FILE).write_text(TRUTH.splitlines()[0])
    assert labels(Dataset(root, "fan", ["00"], ground_truth=folder)) == {
        "section_00_source_test_anomaly_0000.wav": "anomaly"
    }


def test_labels_of_clips_that_are_not_here_become_a_note(root, folder):
    for clip in CLIPS[1:3]:
        (root / "fan/source_test" / clip).unlink()
    (note,) = Dataset(root, "fan", ground_truth=folder).notes
    assert note == f"{folder / FILE} labels 2 clips that are not here, such as {CLIPS[1]}."


def test_a_clip_without_a_label(root, folder):
    (folder / FILE).write_text("\n".join(TRUTH.splitlines()[:3]))
    with pytest.raises(DataError, match=f"{FILE} has no label for .*{CLIPS[3]}"):
        Dataset(root, "fan", ground_truth=folder)


def test_a_name_that_says_otherwise(root, folder):
    name = "section_00_source_test_anomaly_0000.wav"
    (folder / FILE.replace("03", "00")).write_text(f"{name},0")
    with pytest.raises(DataError, match=f"calls .*{name} normal, and its name anomaly"):
        Dataset(root, "fan", ground_truth=folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no clip"),
        ("section_03_source_test_0000.wav", "line 1: expected a clip's file name and 0"),
        ("section_03_source_test_0000.wav,2", "line 1: expected .* not 'section_03_source_test_0000.wav,2'"),
        ("section_03_source_test_0000.wav,0,1", "line 1: expected"),
        ("file,label", "line 1: expected"),
        (TRUTH + "a.wav,1", "line 5: 'a.wav' is not a MIMII DUE file name"),
        (TRUTH + "section_03_target_test_0000.wav,1", "line 5: .* is not a source test clip of section 03"),
        (TRUTH + "section_04_source_test_0000.wav,1", "line 5: .* is not a source test clip of section 03"),
        (TRUTH + TRUTH, f"line 5: {CLIPS[0]} is listed twice"),
        ('"unclosed,1', "cannot be read as ground truth"),
    ],
)
def test_a_damaged_file(folder, text, message):
    (folder / FILE).write_text(text)
    with pytest.raises(DataError, match=message):
        read_ground_truth(folder, "fan")


def test_bytes_that_are_no_text(folder):
    (folder / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=f"{FILE}, line 1, cannot be read as ground truth: it is not UTF-8 text"):
        read_ground_truth(folder, "fan")


def test_nothing_for_the_machine(folder, tmp_path):
    with pytest.raises(DataError, match=r"has no ground truth for pump\. Expected files such as ground_truth_pump"):
        read_ground_truth(folder, "pump")
    with pytest.raises(DataError, match="is the ground truth of fan, not of pump"):
        read_ground_truth(folder / FILE, "pump")
    with pytest.raises(DataError, match=r"There is no file or folder .*none"):
        read_ground_truth(tmp_path / "none", "fan")
    with pytest.raises(DataError, match="is not named as a ground truth file"):
        read_ground_truth(folder / "README.md", "fan")
