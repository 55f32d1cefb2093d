from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_asd.clips import DOMAINS, ClipName, find_sounds, parse_section, says_anomaly
from edge_asd.errors import DataError

PRINTABLE = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\")


@given(
    section=st.integers(0, 99).map("{:02d}".format),
    domain=st.sampled_from(DOMAINS),
    split=st.sampled_from(("train", "test")),
    label=st.sampled_from(("normal", "anomaly", None)),
    index=st.integers(0, 10**6).map("{:04d}".format),
    attributes=st.text(PRINTABLE, max_size=20),
)
@example("00", "source", "train", "normal", "0000", "m-n_X_strength_2_.wav")
@example("00", "source", "test", None, "0000", "anomaly_0001")
def test_what_a_name_is_made_of_is_read_back(section, domain, split, label, index, attributes):
    parts = [f"section_{section}_{domain}_{split}", label, index, attributes]
    name = ClipName.parse("_".join(part for part in parts if part) + ".wav")
    assert name == ClipName(section, domain, split, label, index, attributes)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".wav",
        "section_00_source_train_normal_0000",
        "section_00_source_train_normal_0000.mp3",
        "section_00_source_train_normal_0000.wav ",
        "section_00_source_train_normal_0000.wav\n",
        "\nsection_00_source_train_normal_0000.wav",
        "section_00_source_train_normal_000.wav",
        "section_00_source_train_normal_.wav",
        "section_00_source_train__0000.wav",
        "section_00_source_valid_normal_0000.wav",
        "section_00_Source_train_normal_0000.wav",
        "section_00_both_train_normal_0000.wav",
        "section_00_source_train_broken_0000.wav",
        "section_00_source_0000.wav",  # neither of 2021, which tells the split, nor of later years' evaluation clips
        "section_00_test_normal_0000.wav",
        "section_00_0000_vel_6.wav",
        "section_00_machine_0001_.wav",  # supplemental
        "id_0_00000000.wav",
        "normal_id_00_00000000_.wav",
        "broken_id_00_00000000.wav",
        "section_0_source_train_normal_0000.wav",
        "section_000_source_train_normal_0000.wav",
        "section_-1_source_train_normal_0000.wav",
        "section_aa_source_train_normal_0000.wav",
        "train/section_00_source_train_normal_0000.wav",
        "section_00_source_train_normal_0000_../../x.wav",
        "section_00_source_train_normal_0000_..\\x.wav",
        "section_\u0660\u0660_source_train_normal_0000.wav",  # Arabic digits: another section "00"
        "section_00_source_train_normal_\u0660\u0660\u0660\u0660.wav",
        "section_00_source_train_normal_0000_a\nb.wav",  # would break the lines of a CSV file
        "section_00_source_train_normal_0000_a\0.wav",
        "section_00_source_train_normal_0000_\udcff.wav",  # a byte that is not UTF-8, as Python lists it
    ],
)
def test_other_names_are_refused_with_an_example(name):
    with pytest.raises(DataError, match="is not a MIMII DUE file name") as error:
        ClipName.parse(name)
    assert repr(name) in str(error.value)
    assert "section_00_source_train_normal_0000_<attributes>.wav" in str(error.value)
    str(error.value).encode()  # it can be printed, whatever the name


@pytest.mark.parametrize(
    ("name", "folder", "read", "folders"),
    [
        ("normal_id_04_00000012.wav", "train", ("04", None, "train", "normal", "00000012", "", "id"), ("train",)),
        ("normal_id_04_00000012.wav", "test", ("04", None, "test", "normal", "00000012", "", "id"), ("test",)),
        ("normal_id_04_00000012.wav", None, ("04", None, "test", "normal", "00000012", "", "id"), ("test",)),
        ("anomaly_id_04_00000012.FLAC", "test", ("04", None, "test", "anomaly", "00000012", "", "id"), ("test",)),
        ("id_05_00000514.wav", "train", ("05", None, "test", None, "00000514", "", "id"), ("test",)),
        ("section_03_0000.wav", "test", ("03", None, "test", None, "0000", "", "section"), ("test",)),
        ("section_00_test_0199.wav", None, ("00", None, "test", None, "0199", "", "section"), ("test",)),
        ("section_00_0001_.wav", None, ("00", None, "test", None, "0001", "", "section"), ("test",)),
        (
            "section_00_target_test_anomaly_0001_.wav",
            "test",
            ("00", "target", "test", "anomaly", "0001", "", "section"),
            ("target_test", "test"),
        ),
    ],
)
def test_names_of_other_years(
    name: str, folder: str | None, read: tuple[object, ...], folders: tuple[str, ...]
) -> None:
    clip = ClipName.parse(name, folder)
    assert clip == ClipName(*read)  # type: ignore[arg-type]
    assert clip.folders == folders
    assert ClipName.parse(clip.file_name(), folder) == clip


@pytest.mark.parametrize(
    ("attributes", "pairs"),
    [
        ("", ()),
        ("noAttribute", ()),
        ("m-n_W", (("m-n", "W"),)),
        ("car_A2_spd_28V_mic_1_noise_1", (("car", "A2"), ("spd", "28V"), ("mic", "1"), ("noise", "1"))),
        ("pro_A_wt_200_damage1", ()),  # which word has no value cannot be told
    ],
)
def test_attributes_come_in_pairs(attributes: str, pairs: tuple[tuple[str, str], ...]) -> None:
    name = ClipName.parse(f"section_00_source_test_anomaly_0001_{attributes}.wav")
    assert (name.attributes, name.attribute_pairs) == (attributes, pairs)


@given(st.text())
def test_no_text_does_anything_but_parse_or_fail_clearly(text):
    try:
        name = ClipName.parse(text)
    except DataError:
        return
    assert re.fullmatch("[0-9]{2}", name.section)


@given(st.integers(0, 99))
def test_a_section_is_two_digits_however_it_is_written(number):
    assert parse_section(str(number)) == parse_section(f"{number:02d}") == f"{number:02d}"


@pytest.mark.parametrize("text", ["", "-1", "100", "000", "1.0", "a", " 1", "1\n", "\u0663", "²"])
def test_other_sections_are_refused(text):
    with pytest.raises(DataError, match="is not a section"):
        parse_section(text)


parts = st.builds(
    ClipName,
    section=st.integers(0, 99).map("{:02d}".format),
    domain=st.sampled_from(("source", "target")),
    split=st.sampled_from(("train", "test")),
    label=st.sampled_from(("normal", "anomaly", None)),
    index=st.integers(0, 10**6).map("{:04d}".format),
    attributes=st.sampled_from(("", "strength_1_ambient", "vel_6.5", "_", "a b", "Größe", "x.wav")),
)


@given(parts)
def test_what_is_written_is_read_back(clip: ClipName) -> None:
    assert ClipName.parse(clip.file_name()) == clip


@pytest.mark.parametrize("suffix", [".WAV", ".Wav", ".flac", ".FLAC", ".ogg", ".aif", ".AIFF", ".w64"])
def test_suffixes_of_sound_in_any_case(suffix: str) -> None:
    name = "section_00_source_test_anomaly_0001"
    assert ClipName.parse(name + suffix) == ClipName.parse(name + ".wav")


@pytest.mark.parametrize(
    "name",
    [
        "anomaly_id_00_00000000.wav", "ANOMALY.WAV", "Abnormal-3.wav", "fan_ANOMALOUS.flac", "fanAbnormal3.wav",
        "3 anomalies.wav", "abnormal", "section_00_source_test_anomaly_0000.wav", "x-abnormality_.wav",
    ],
)  # fmt: skip
def test_names_that_say_anomaly(name: str) -> None:
    assert says_anomaly(name)


@pytest.mark.parametrize("name", ["normal_id_00_00000000.wav", "paranormal.wav", "fan.wav", "anomalo.wav", "norm.wav"])
def test_names_that_do_not(name: str) -> None:
    assert not says_anomaly(name)


def test_the_finder_lists_sound_and_says_what_it_left_out(tmp_path: Path) -> None:
    for name in ("b.WAV", "a.wav", "c.flac", "._a.wav", "._b.WAV", ".DS_Store", "notes.txt"):
        (tmp_path / name).touch()
    found = find_sounds(tmp_path, tmp_path / "absent")
    assert [path.name for path in found.paths] == ["a.wav", "b.WAV", "c.flac"]
    assert found.left_out() == (
        "passed over 2 hidden sound files, such as '._a.wav' and 1 other file or folder, such as 'notes.txt'"
    )
    assert find_sounds(tmp_path / "absent").left_out() is None
