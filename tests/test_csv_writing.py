from __future__ import annotations

import csv
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd.csv_writing import check_csv_replaceable, csv_bytes
from edge_asd.errors import OutputError

TEXTS = st.text(st.sampled_from([*"=+-@ab;,\"'\n\r\t .1", "\uff1d", "\u00e9"]), max_size=6)


@given(st.lists(st.lists(TEXTS | st.integers() | st.floats(allow_nan=False) | st.none(), min_size=2), max_size=4))
def test_no_text_begins_a_formula_and_nothing_is_lost(lines):
    text = csv_bytes(lines).decode()
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len(read) == len(lines)
    for cells, line in zip(read, lines, strict=True):
        for cell, value in zip(cells, line, strict=True):
            if isinstance(value, str):
                assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))
                assert value in (cell, cell.removeprefix("'"))
            else:
                assert cell == ("" if value is None else str(value))


def test_numbers_stay_numbers_and_names_of_clips_as_they_are():
    clip = "section_00_source_test_normal_0000_=1+1.wav"
    lines = [["=1+1"], ["-1"], [-1.5, -2, 1e-300], [clip, 0.1], ["a;=b", 1], [], ["fan"]]
    assert csv_bytes(lines).decode() == f"'=1+1\n'-1\n-1.5,-2,1e-300\n{clip},0.1\n\"a;=b\",1\n\nfan\n"


@pytest.mark.parametrize(
    "content", [b"section,domai", b"fan\na,b\nx", b"a,b\n", b"\xff\x00", b"fan\n" + b"x" * 200_000]
)
def test_only_a_file_of_the_layout_is_replaced(tmp_path, content):
    path = tmp_path / "out.csv"

    def check():
        check_csv_replaceable(path, [["section", "domain"]], 1, what="a table", option="--out")

    check()
    for fine in (b"", b"fan\nsection,domain\n00,source\n", b"\xef\xbb\xbffan\r\nsection,domain\r\n"):
        path.write_bytes(fine)
        check()
    path.write_bytes(content)
    with pytest.raises(OutputError, match=r"out\.csv is not a table, and is not replaced\. Give --out another name"):
        check()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OutputError, match="it exists and is not a file"):
        check()
