"""Ground truth of 2022 and later, labels and domains, and lists of whole sets; hostile ones, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_asd.clips import ClipName
from edge_asd.errors import DataError
from edge_asd.train.data.eval_data_list import read_eval_data_list
from edge_asd.train.data.ground_truth import ground_truth_machines, read_ground_truth, truth_place

NAME = "ground_truth_fan_section_03_test.csv"
A, B = "section_03_0000.wav", "section_03_0001.wav"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder, values in (("ground_truth_data", "01"), ("ground_truth_domain", "10")):
        (tmp_path / folder).mkdir()
        lines = [f"{name},{value}\n" for name, value in zip((A, B), values, strict=True)]
        (tmp_path / folder / NAME).write_text("".join(lines))
    return tmp_path


def test_labels_and_domains(root, monkeypatch):
    monkeypatch.chdir(root / "ground_truth_data")
    for path in (root, root / "ground_truth_data", root / "ground_truth_data" / NAME, Path("."), Path(NAME)):
        truths = read_ground_truth(path, "fan")
        (truth,) = truths.values()
        assert truth.labels == {A: "normal", B: "anomaly"}
        assert truth.domains == {A: "target", B: "source"}
        assert ground_truth_machines(path) == {"fan"}
        assert truth_place(truths, "03", None) == truth_place(truths, "03", "source") == ("03", None)
        assert truth_place(truths, "04", None) is None
        clip = ClipName.parse(A)
        assert (truth.label(clip, A, A), truth.domain(clip, A.replace(".wav", ".flac"), A)) == ("normal", "target")


def test_a_name_that_tells_another_domain(root):
    name = "section_03_source_test_0000.wav"
    for folder in ("ground_truth_data", "ground_truth_domain"):
        (root / folder / NAME).write_text(f"{name},1\n")
    (truth,) = read_ground_truth(root, "fan").values()
    with pytest.raises(DataError, match=r"puts it into the target domain, its name into source"):
        truth.domain(ClipName.parse(name), name, "it")


@pytest.mark.parametrize(
    ("folder", "text", "message"),
    [
        ("ground_truth_domain", f"{A},1\n", rf"ground_truth_domain/{NAME} lacks {B}, which .*ground_truth_data"),
        ("ground_truth_data", f"{B},1\n", rf"ground_truth_data/{NAME} lacks {A}, which .*ground_truth_domain"),
        ("ground_truth_domain", f"{A},1\n{B},2\n", r"line 2: expected a clip's file name and 0 \(source\) or 1"),
        ("ground_truth_domain", f"{A},source\n", r"line 1: expected a clip's file name and 0 \(source\) or 1"),
        ("ground_truth_domain", "", "lists no clip"),
        ("ground_truth_data", f"{A},0\n{A},1\n", "is listed twice"),
        ("ground_truth_data", "section_04_0000.wav,0\n", "is not a test clip of section 03"),
        ("ground_truth_data", "section_03_source_train_normal_0000.wav,0\n", "is not a test clip of section 03"),
        ("ground_truth_data", "../../etc/passwd,0\n", "line 1: '../../etc/passwd' is not a MIMII DUE file name"),
        ("ground_truth_data", f"{A}\x1b[2J,0\n", "is not a MIMII DUE file name"),
    ],
)
def test_what_does_not_fit(root, folder, text, message):
    (root / folder / NAME).write_text(text)
    with pytest.raises(DataError, match=message) as error:
        read_ground_truth(root, "fan")
    assert "\x1b" not in str(error.value)


def test_domains_are_not_taken_for_labels(root):
    for folder, what in (("ground_truth_domain", "domains"), ("ground_truth_attributes", "attributes")):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / NAME).write_text(f"{A},1\n")
        for path in (root / folder, root / folder / NAME):
            with pytest.raises(DataError, match=rf"tells {what}, not labels\. Give the folder that holds ground_truth"):
                read_ground_truth(path, "fan")


def test_both_layouts_of_one_section_contradict_each_other(root):
    other = root / "ground_truth_data" / "ground_truth_fan_section_03_source_test.csv"
    other.write_text("section_03_source_test_0000.wav,1\n")
    with pytest.raises(DataError, match="have labels of the same clips"):
        read_ground_truth(root, "fan")


def test_without_domains_there_are_labels_all_the_same(root):
    (root / "ground_truth_domain" / NAME).unlink()
    (truth,) = read_ground_truth(root, "fan").values()
    assert (len(truth.labels), truth.domains) == (2, {})


LIST = """fan
section_03_0000.wav,section_03_target_test_anomaly_0000_vel_23.wav
section_03_0001.wav,section_03_source_test_normal_0001_vel_13.wav

valve
section_00_0000.wav,section_00_source_test_normal_0000_noAttribute.wav
"""


def test_a_list_of_a_whole_set(tmp_path):
    path = tmp_path / "eval_data_list_2022.csv"
    path.write_text(LIST)
    for place in (path, tmp_path):
        assert ground_truth_machines(place) == {"fan", "valve"}
        (truth,) = read_ground_truth(place, "fan").values()
        assert truth.labels == {A: "anomaly", B: "normal"}
        assert truth.domains == {A: "target", B: "source"}
        with pytest.raises(DataError, match=r"has no ground truth for pump\. It has: fan, valve"):
            read_ground_truth(place, "pump")
    (tmp_path / "eval_data_list_2023.csv").write_text(LIST)
    with pytest.raises(DataError, match="have labels of the same clips"):
        read_ground_truth(tmp_path, "fan")


def test_the_list_of_2020_has_labels_and_no_domains(tmp_path):
    path = tmp_path / "eval_data_list.csv"
    path.write_text("fan\nid_01_00000000.wav,normal_id_01_00000003.wav,0\nid_01_00000001.wav,id_01_00000001.wav,1\n")
    clips = read_eval_data_list(path)["fan"]["01"]
    assert [(clip.label, clip.domain) for clip in clips.values()] == [("normal", None), ("anomaly", None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no clip"),
        ("fan\n", "lists no clip"),
        (f"{A},section_03_source_test_normal_0000.wav\n", "line 1: expected a machine's name"),
        (f"fan\n{A},section_03_source_test_0000.wav\n", "the label of .* is not told"),
        (f"fan\n{A},section_03_source_test_normal_0000.wav,1\n", "the label of .* is not told, or twice and diff"),
        (f"fan\n{A},section_04_source_test_normal_0000.wav\n", "are not the same clip"),
        (f"fan\n{A},b,c,d\n", "line 2: expected"),
        (f"fan\n{A},/etc/passwd\n", "line 2: '/etc/passwd' is not"),
        ("fan\n" + f"{A},section_03_source_test_normal_0000.wav\n" * 2, "listed twice"),
        ("fan\n\xff\n", None),
    ],
)
def test_lists_that_cannot_be_used(tmp_path, text, message):
    path = tmp_path / "eval_data_list_2022.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=message or "is not UTF-8 text"):
        read_ground_truth(path, "fan")
