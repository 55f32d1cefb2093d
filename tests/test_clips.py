from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_asd.clips import DOMAINS, ClipName, parse_section
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
        "section_00_source_train_normal_0000.WAV",
        "section_00_source_train_normal_0000.wav ",
        "section_00_source_train_normal_0000.wav\n",
        "\nsection_00_source_train_normal_0000.wav",
        "section_00_source_train_normal_000.wav",
        "section_00_source_train_normal_0000_.wav",
        "section_00_source_train_normal_.wav",
        "section_00_source_train__0000.wav",
        "section_00_source_valid_normal_0000.wav",
        "section_00_Source_train_normal_0000.wav",
        "section_00_both_train_normal_0000.wav",
        "section_00_source_train_broken_0000.wav",
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
