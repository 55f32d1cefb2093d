from __future__ import annotations

import hashlib
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd.clips import ClipName
from edge_asd.errors import AudioFormatError, DataError
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.own_set.mark import mark_own
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.data.hashes import content_hash
from edge_asd.train.data.splits import split_training
from tests.data import MACHINE, TEST, TRAIN, UNLABELLED, write_wav

SPEC = FeatureSpec()
NAME = "section_00_source_train_normal_0000.wav"


def sound(n: int = 8000) -> np.ndarray:
    return np.random.default_rng(0).integers(-1000, 1000, n, dtype=np.int16)


@pytest.fixture
def root(tmp_path):
    """One machine with one training clip, to be spoilt."""
    write_wav(tmp_path / "data" / "fan" / "train" / NAME, sound())
    return tmp_path / "data"


def test_all_clips_are_found_with_their_sections_and_domains(tiny_data):
    dataset = Dataset(tiny_data, MACHINE)
    assert dataset.sections == ["00", "01"]
    assert len(dataset.clips) == sum(TRAIN.values()) + sum(map(sum, TEST.values())) + 1
    for (section, domain), count in TRAIN.items():
        clips = dataset.select(split="train", section=section, domain=domain)
        assert [clip.name.index for clip in clips] == [f"{i:04d}" for i in range(count)]
    for (section, domain), (normal, anomaly) in TEST.items():
        labels = [clip.name.label for clip in dataset.select(split="test", section=section, domain=domain)]
        assert (labels.count("normal"), labels.count("anomaly")) == (normal, anomaly)
    assert dataset.select(split="test", section="01", domain="target") == []
    assert [clip.key for clip in dataset.clips if clip.name.label is None and clip.name.split == "test"] == [UNLABELLED]


def test_of_ones_own_set_only_domains_that_it_has_are_missed(root):
    assert Dataset(root, "fan").expected_domains == ("source", "target")
    mark_own(root / "fan", "edge-asd data record")
    assert Dataset(root, "fan").expected_domains == ("source",)
    write_wav(root / "fan" / "target_test" / "section_01_target_test_normal_0000.wav", sound())
    assert Dataset(root, "fan").expected_domains == ("source", "target")


def test_the_order_of_clips_is_that_of_their_names(tiny_data):
    keys = [clip.key for clip in Dataset(tiny_data, MACHINE).clips]
    folders = ["train", "source_test", "target_test"]
    assert keys == sorted(keys, key=lambda key: (folders.index(key.split("/")[0]), key))


@pytest.mark.parametrize("wanted", [["01"], ["1"], ["01", "1"]])
def test_sections_can_be_chosen(tiny_data, wanted):
    dataset = Dataset(tiny_data, MACHINE, wanted)
    assert dataset.sections == ["01"]
    assert len(dataset.clips) == 4 + 5 + 1


# --- Every error


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (["02"], "has no section 02. It has: 00, 01"),
        (["00", "5", "7"], "has no section 05, 07. It has: 00, 01"),
        (["zero"], "'zero' is not a section"),
        ([""], "'' is not a section"),
        ([], "No section was asked for. There are: 00, 01"),
    ],
)
def test_a_section_that_is_not_there(tiny_data, sections, message):
    with pytest.raises(DataError, match=message):
        Dataset(tiny_data, MACHINE, sections)


@pytest.mark.parametrize(("name", "reason"), [("nothing", "There is no folder {}"), ("file", "{} is no folder")])
def test_a_folder_that_is_not_there(tmp_path, name, reason):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=reason.format(tmp_path / name)):
        Dataset(tmp_path / name, "fan")


def test_a_folder_without_machines(tmp_path):
    (tmp_path / "fan").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(
        DataError, match="has no machine: no folder in it contains train, source_test, target_test or test"
    ):
        Dataset(tmp_path, "fan")


@pytest.mark.parametrize("machine", ["pump", "Fan", "", ".", "..", "fan/", "../data/fan"])
def test_a_machine_that_is_not_there(root, machine):
    with pytest.raises(DataError, match=r"has no machine .*\. It has: fan\."):
        Dataset(root, machine)


def test_a_machines_own_folder_in_place_of_the_one_above(root):
    with pytest.raises(DataError, match=r"is itself a machine's folder\. Give the folder above it"):
        Dataset(root / "fan", "fan")


def test_a_machine_without_clips(root):
    (root / "fan" / "train" / NAME).rename(root / "fan" / "train" / "notes.txt")
    with pytest.raises(DataError, match=r"holds no clips\. Expected sound files in train, source_test, target_test"):
        Dataset(root, "fan")


@pytest.mark.parametrize("name", ["a.wav", "x" + NAME, "A.WAV", "b.flac", NAME.replace("normal", "good")])
def test_a_name_that_says_nothing_is_named_with_its_folder(root, name):
    (root / "fan" / "train" / name).touch()
    with pytest.raises(DataError) as error:
        Dataset(root, "fan")
    assert str(error.value).startswith(f"{root / 'fan' / 'train'}: {name!r} is not a MIMII DUE file name")


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("train", "section_00_source_test_normal_0000.wav"),
        ("source_test", "section_00_source_train_normal_0000.wav"),
        ("source_test", "section_00_target_test_normal_0000.wav"),
        ("target_test", "section_00_source_test_normal_0000.wav"),
    ],
)
def test_a_name_in_another_folder_than_it_says(root, folder, name):
    path = root / "fan" / folder / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    with pytest.raises(DataError, match=f"says .* but lies in {folder}. Move it to .*, or rename it"):
        Dataset(root, "fan")


def read(root: Path) -> np.ndarray:
    (clip,) = Dataset(root, "fan").clips
    return clip.read(SPEC, 5).pcm


def test_a_clip_is_read_as_it_is(root):
    assert np.array_equal(read(root), sound())


def test_a_silent_clip(root):
    write_wav(root / "fan" / "train" / NAME, np.zeros(8000, dtype=np.int16))
    with pytest.raises(DataError, match=f"{NAME} holds only zeros. Remove it, or record it again"):
        read(root)


def test_a_clip_one_sample_shorter_than_a_window(root):
    shortest = SPEC.sample_count(5)
    write_wav(root / "fan" / "train" / NAME, sound(shortest))
    assert read(root).size == shortest
    write_wav(root / "fan" / "train" / NAME, sound(shortest - 1))
    with pytest.raises(DataError, match=r"is 0\.19 s long, shorter than one window \(0\.19 s\)"):
        read(root)


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda path: path.write_bytes(b"RIFF"), lambda path: path.write_bytes(b"")]
)
def test_a_clip_that_is_no_sound(root, spoil):
    (clip,) = Dataset(root, "fan").clips
    spoil(clip.path)
    with pytest.raises(AudioFormatError, match=NAME):
        clip.read(SPEC, 5)


# --- Holding back


def clips_of(cells: dict[tuple[str, str], int]) -> list[Clip]:
    names = [
        f"section_{section}_{domain}_train_normal_{i:04d}.wav"
        for (section, domain), count in cells.items()
        for i in range(count)
    ]
    return [Clip(Path(name), ClipName.parse(name), f"train/{name}") for name in sorted(names)]


CELLS = st.dictionaries(
    st.tuples(st.sampled_from(("00", "01", "02")), st.sampled_from(("source", "target"))),
    st.integers(0, 120),
    max_size=6,
)


@given(CELLS)
def test_every_clip_is_fitted_or_held_back_and_each_cell_gives_its_share(cells):
    clips = clips_of(cells)
    fit, held_back = split_training(clips)
    assert sorted(clip.key for clip in fit + held_back) == [clip.key for clip in clips]  # disjoint, and all
    assert split_training(clips) == (fit, held_back)
    for (section, domain), n in cells.items():
        count = sum((clip.name.section, clip.name.domain) == (section, domain) for clip in held_back)
        if n < 2:
            assert count == 0
        else:
            assert count == max(1, math.floor(n / 10 + 0.5) if n % 20 != 5 else n // 10, min(10, n // 3))
            assert count <= n / 2


@pytest.mark.parametrize(
    ("n", "held_back"), [(1, 0), (2, 1), (3, 1), (6, 2), (30, 10), (40, 10), (300, 30), (1000, 100)]
)
def test_how_many_are_held_back(n, held_back):
    assert len(split_training(clips_of({("00", "source"): n}))[1]) == held_back


@given(n=st.integers(2, 300))
def test_what_is_held_back_is_spread_evenly(n):
    clips = clips_of({("00", "source"): n})
    places = [clips.index(clip) for clip in split_training(clips)[1]]
    gaps = np.diff([-1 - places[0], *places, 2 * n - 1 - places[-1]])  # the ends mirrored
    assert gaps.max() - gaps.min() <= 2


# --- Hash


def test_the_hash_is_of_names_and_contents_whatever_the_order_or_place(tiny_data, tmp_path):
    clips = Dataset(tiny_data, MACHINE).select(split="train")
    found = content_hash(clips)
    lines = sorted(f"train/{c.path.name} {hashlib.sha256(c.path.read_bytes()).hexdigest()}" for c in clips)
    assert found == hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert content_hash(reversed(clips)) == found
    copy = tmp_path / "elsewhere"
    shutil.copytree(tiny_data, copy)
    assert content_hash(Dataset(copy, MACHINE).select(split="train")) == found
    assert content_hash(clips[1:]) != found

    copied = Dataset(copy, MACHINE).select(split="train")
    content = bytearray(copied[3].path.read_bytes())
    content[-1] ^= 1
    copied[3].path.write_bytes(content)
    assert content_hash(copied) != found


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ("fan,", "empty name"),
        (",", "empty name"),
        ("", "empty name"),
        ("fan,fan", "named twice"),
        ("fan,mixer", "has no machine"),
    ],
)
def test_every_machine_is_looked_for_before_work_begins(root, wanted, reason):
    from edge_asd.train.data.dataset import machine_names

    with pytest.raises(DataError, match=reason):
        machine_names(root, wanted)
