"""The layouts of DCASE Task 2 of other years than MIMII DUE's: what is read of them, and what is said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_asd.errors import DataError
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.data.splits import split_training
from edge_asd.train.data.verify import verify
from tests.once import Once
from tests.train.data.yearly_trees import YEARS, Expected, machines_of, make_tree, write_sound

Tree = Callable[[int], Path]


@pytest.fixture
def tree(once: Once) -> Tree:
    """A year's tree, with clips of 10 s (2026: 6 to 16 s), for all tests; never to be changed."""
    return lambda year: once(f"dcase{year}", lambda folder: make_tree(folder, year, 10.0))


@pytest.fixture
def spoilt(tree: Tree, tmp_path: Path) -> Tree:
    """A copy of its own."""

    def copied(year: int) -> Path:
        shutil.copytree(tree(year), tmp_path / "data")
        return tmp_path / "data"

    return copied


def read(root: Path, machine: str) -> list[Expected]:
    return [
        Expected(
            clip.key, clip.name.section, clip.name.domain, clip.name.split, clip.name.label, tuple(clip.attributes)
        )
        for clip in Dataset(root, machine).clips
    ]


@pytest.mark.parametrize("year", YEARS)
def test_every_clip_is_found_with_all_that_is_told_of_it(tree: Tree, year: int) -> None:
    root = tree(year)
    for machine in machines_of(year):
        dataset = Dataset(root, machine.name)
        found = read(root, machine.name)
        assert sorted(found, key=lambda clip: clip.file) == sorted(machine.clips, key=lambda clip: clip.file)
        assert dataset.year == year
        said = [f"{machine.name}: 3 supplemental clips in supplemental, neither trained on nor scored."]
        assert dataset.notes == (said if machine.supplemental else [])


@pytest.mark.parametrize("year", YEARS)
def test_a_whole_set_has_no_fault(tree: Tree, year: int) -> None:
    root = tree(year)
    report = verify(root)
    machines = machines_of(year)
    assert [fault.as_dict() for fault in report.faults] == []
    assert report.years == {machine.name: year for machine in machines}
    assert report.clips == sum(len(machine.clips) for machine in machines)
    assert report.supplemental == sum(len(machine.supplemental) for machine in machines)
    assert "counts" not in report.checks
    document = report.as_dict()
    for section in document["sections"]:
        (machine,) = [one for one in machines if one.name == section["machine"]]
        wanted: dict[str, int] = {}
        for clip in machine.clips:
            if clip.section == section["section"]:
                words = (clip.domain, clip.split, clip.label if clip.split == "test" else None)
                key = "_".join(word for word in words if word)
                wanted[key] = wanted.get(key, 0) + 1
        assert section["counts"] == wanted
    lengths = "Sander: clips of several lengths (4 of 6 s, 12 of 10 s, 4 of 16 s)."
    assert (lengths in report.notes) == (year == 2026)


def test_training_clips_of_2020_are_held_back_from_each_id(tree: Tree) -> None:
    clips = Dataset(tree(2020), "ToyConveyor").select(split="train")
    fit, held_back = split_training(clips)
    assert [clip.name.section for clip in held_back] == ["00", "00", "02", "02"]
    assert len(fit) == 8


# --- The year, where it is not plain


TRAINING = "train/section_00_source_train_normal_0000_m-n_W.wav"


@pytest.mark.parametrize(
    ("files", "year"),
    [
        ([TRAINING], 2021),
        ([TRAINING, "attributes_00.csv"], 2023),
        ([TRAINING, TRAINING.replace("section_00", "section_03"), "attributes_03.csv"], 2022),
        ([TRAINING, "source_test/section_00_source_test_normal_0000.wav"], 2021),
        # As the published baseline merges the two folders of 2021.
        ([TRAINING, "test/section_00_source_test_normal_0000.wav", "test/section_00_target_test_0000.wav"], 2021),
        # Machines of 2024 and 2025 whose attributes are told, and that came without supplemental clips.
        ([TRAINING, "test/section_00_source_test_normal_0001_m-n_W.wav", "attributes_00.csv"], 2023),
        ([TRAINING, "test/section_00_0001.wav"], 2023),
        ([TRAINING, "supplemental/section_00_machine_source_0000_noAttribute.wav"], 2025),
        (["train/section_00_source_train_normal_0001_.wav"], 2024),
        (["test/id_03_00000000.wav"], 2020),
    ],
)
def test_the_year_is_the_earliest_that_it_can_be(tmp_path: Path, files: list[str], year: int) -> None:
    for file in files:
        (tmp_path / "fan" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fan" / file).touch()  # no sound: how many channels cannot be told
    assert Dataset(tmp_path, "fan").year == year


def test_whatever_is_not_used_is_told(tmp_path: Path) -> None:
    write_sound(tmp_path / "fan" / TRAINING, 10)
    write_sound(tmp_path / "fan/test_rename/section_00_source_test_normal_0000_m-n_W.wav", 10)
    write_sound(tmp_path / "fan/supplemental/section_00_machine_0001_.wav", 10)
    for name in ("fan/notes.txt", "fan/supplemental/list.txt", "fan/.hidden", "fan/test/._section_00_0001.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "evaluator").mkdir()
    own = [
        "fan: 1 supplemental clip in supplemental, neither trained on nor scored.",
        "fan: passed over 1 hidden sound file, such as 'test/._section_00_0001.wav' and 3 other files or folders, "
        "such as 'notes.txt'.",
    ]
    assert Dataset(tmp_path, "fan").notes == own
    report = verify(tmp_path)
    assert report.notes[:3] == [*own, "Beside the machines: passed over 1 other file or folder, such as 'evaluator'."]
    assert (report.clips, report.supplemental, report.faults) == (1, 1, [])


# --- What is planted is found, by verify and by whatever reads the set

LABELLED = {year: machines_of(year)[0] for year in YEARS}


def move(root: Path, old: str, new: str) -> None:
    (root / new).parent.mkdir(exist_ok=True)
    (root / old).rename(root / new)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


Plant = Callable[[Path], object]

PLANTS: dict[str, tuple[int, Plant, tuple[str, str | None, str, str], str]] = {
    # Year, what is done in the labelled machine's folder; the fault: kind, section, path and words; what Dataset says.
    "two layouts": (
        2023,
        lambda m: move(
            m,
            "test/section_00_source_test_normal_0000_m-n_W_spd_28V.wav",
            "source_test/section_00_source_test_normal_0000_m-n_W_spd_28V.wav",
        ),
        ("layout", None, "bearing", "holds test clips in test and in source_test: the layouts of two years."),
        "holds test clips in test and in source_test: the layouts of two years. Keep one of them",
    ),
    "names of two years": (
        2020,
        lambda m: write_sound(m / "test/section_00_source_test_normal_0000_vel_6.wav", 10),
        ("layout", None, "ToyConveyor", "holds clips named as in 2020, such as normal_id_00_00000000.wav, and as in"),
        "such as section_00_source_test_normal_0000_vel_6.wav. Give each year's machine a folder of its own",
    ),
    "evaluation clip of 2020 among training clips": (
        2020,
        lambda m: write_sound(m / "train/id_00_00000007.wav", 10),
        ("folder", "00", "ToyConveyor/train/id_00_00000007.wav", "is a test clip by its name, for it tells no label"),
        "id_00_00000007.wav is a test clip by its name, for it tells no label, but lies in train. Move it to test.",
    ),
    "anomaly of 2020 among training clips": (
        2020,
        lambda m: move(m, "test/anomaly_id_00_00000001.wav", "train/anomaly_id_00_00000001.wav"),
        ("label", "00", "ToyConveyor/train/anomaly_id_00_00000001.wav", "is an anomalous clip among the training"),
        "anomaly_id_00_00000001.wav is an anomaly by its name, and training clips must all be healthy",
    ),
    "evaluation clip among training clips": (
        2024,
        lambda m: write_sound(m / "train/section_00_0007.wav", 10),
        ("folder", "00", "gearbox/train/section_00_0007.wav", "says test but lies in train. Move it to test"),
        "section_00_0007.wav says test but lies in train. Move it to test, or rename it.",
    ),
    "training clip among test clips": (
        2022,
        lambda m: move(
            m,
            "train/section_00_source_train_normal_0000_m-n_W_spd_28V.wav",
            "test/section_00_source_train_normal_0000_m-n_W_spd_28V.wav",
        ),
        (
            "folder",
            "00",
            "fan/test/section_00_source_train_normal_0000_m-n_W_spd_28V.wav",
            "says source train but lies in test. Move it to train",
        ),
        "says source train but lies in test. Move it to train, or rename it.",
    ),
    "missing training clip": (
        2022,
        lambda m: (m / "train/section_01_target_train_normal_0001_m-n_Z_spd_28V.wav").unlink(),
        (
            "attributes",
            "01",
            "fan/attributes_01.csv",
            "lists 1 train clip that is not here, such as section_01_target_train_normal_0001_m-n_Z_spd_28V.wav.",
        ),
        "",
    ),
    "clip without a line": (
        2025,
        lambda m: write_sound(m / "test/section_00_target_test_normal_0099_.wav", 10),
        (
            "attributes",
            "00",
            "slider/attributes_00.csv",
            "does not list 1 test clip that is here, such as section_00_target_test_normal_0099_.wav.",
        ),
        "",
    ),
    "a clip listed twice": (
        2024,
        lambda m: edit(m / "attributes_00.csv", "train_normal_0002", "train_normal_0001"),
        (
            "attributes",
            None,
            "gearbox/attributes_00.csv",
            "cannot be used: line 3: section_00_source_train_normal_0001_noAttribute.wav is listed twice",
        ),
        "attributes_00.csv, line 3: section_00_source_train_normal_0001_noAttribute.wav is listed twice",
    ),
    "lines of another section": (
        2022,
        lambda m: move(m, "attributes_01.csv", "attributes_00.csv"),
        (
            "attributes",
            None,
            "fan/attributes_00.csv",
            "cannot be used: line 2: section_01_source_train_normal_0000_m-n_W_spd_28V.wav is not of section 00",
        ),
        "is not of section 00, as the file's name says",
    ),
    "cells that are missing": (
        2023,
        lambda m: edit(m / "attributes_00.csv", ",m-n,W,spd,28V", ",m-n,W"),
        ("attributes", None, "bearing/attributes_00.csv", "cannot be used: line 2: 3 cells where the header has 5."),
        "attributes_00.csv, line 2: 3 cells where the header has 5. Copy the file again.",
    ),
    "another file in its place": (
        2023,
        lambda m: (m / "attributes_00.csv").write_text("<html>\n"),
        ("attributes", None, "bearing/attributes_00.csv", "cannot be used: line 1: expected a header such as"),
        "attributes_00.csv, line 1: expected a header such as file_name,d1p,d1v, not '<html>'",
    ),
    "one channel where there are two": (
        2026,
        lambda m: write_sound(m / "train/section_00_source_train_normal_0003_noAttribute.wav", 10),
        (
            "format",
            "00",
            "fan/train/section_00_source_train_normal_0003_noAttribute.wav",
            "has 1 channel where two are expected.",
        ),
        "",
    ),
    "two channels where there is one": (
        2025,
        lambda m: write_sound(m / "train/section_00_source_train_normal_0003_.wav", 10, channels=2),
        (
            "format",
            "00",
            "slider/train/section_00_source_train_normal_0003_.wav",
            "has 2 channels where one is expected.",
        ),
        "",
    ),
    "too short": (
        2026,
        lambda m: write_sound(m / "train/section_00_source_train_normal_0003_noAttribute.wav", 5.5, channels=2),
        (
            "length",
            "00",
            "fan/train/section_00_source_train_normal_0003_noAttribute.wav",
            "is 5.5 s long (88000 samples) where 6 to 18 s are expected.",
        ),
        "",
    ),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_fault_is_found_and_none_besides(spoilt: Tree, plant: str) -> None:
    year, change, (kind, section, path, words), said = PLANTS[plant]
    root, machine = spoilt(year), LABELLED[year].name
    change(root / machine)
    (fault,) = verify(root).faults
    assert (fault.kind, fault.section, fault.path) == (kind, section, path)
    assert fault.text.startswith(words)
    if kind == "attributes":
        assert any((said or words) in note for note in Dataset(root, machine).notes)
        assert [clip.attributes for clip in Dataset(root, machine).clips] == [
            clip.name.attribute_pairs for clip in Dataset(root, machine).clips
        ]
    elif said:
        with pytest.raises(DataError) as error:
            Dataset(root, machine)
        assert said in str(error.value)
