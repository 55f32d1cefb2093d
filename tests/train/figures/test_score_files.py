from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.errors import DataError
from edge_asd.train.figures.score_files import (
    decisions_name,
    read_score_files,
    remove_contradicted,
    scores_name,
    write_pairs,
)

NAMES = [f"section_00_source_test_{label}_{i:04d}.wav" for label in ("normal", "anomaly") for i in range(3)]
SCORES = scores_name("fan", "00", "source")
DECISIONS = decisions_name("fan", "00", "source")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pairs(tmp_path / SCORES, zip(NAMES, [1, 2, 3, 2.5, 4, 5], strict=True))
    write_pairs(tmp_path / DECISIONS, zip(NAMES, [0, 0, 1, 0, 1, 1], strict=True))
    return tmp_path


def test_pairs_are_lines_without_a_header(tmp_path):
    path = tmp_path / "folder" / SCORES
    write_pairs(path, [("a.wav", 46063592), ("b.wav", 9.6587), ("c,d.wav", 0)])
    assert path.name == "anomaly_score_fan_section_00_source_test.csv"
    assert path.read_bytes() == b'a.wav,46063592\nb.wav,9.6587\n"c,d.wav",0\n'


def test_what_was_written_under_the_names_of_another_year_goes(tmp_path):
    old = [scores_name("fan", "00", domain, year) for domain, year in (("source", 2021), (None, 2022), (None, 2020))]
    old += [decisions_name("fan", "00", "target"), scores_name("fan", "01", "source"), scores_name("pump", "00", None)]
    others = ["anomaly_score_fan.csv", "result.csv"]
    for year, written, kept in (
        (2022, ("fan", "00", None), {old[1], *old[4:]}),
        (2020, ("fan", "00", None), {old[2], *old[4:]}),
        (2021, ("fan", "00", "source"), {old[0], *old[3:]}),  # of another domain, as evaluate --domain writes them
    ):
        for name in (*old, *others):
            (tmp_path / name).touch()
        remove_contradicted(tmp_path, [written], year)
        assert {path.name for path in tmp_path.iterdir()} == {*kept, *others}
    remove_contradicted(tmp_path / "nowhere", [written], year)


def test_names_of_decisions():
    assert decisions_name("valve", "03", "target") == "decision_result_valve_section_03_target_test.csv"


def test_what_was_written_is_read(folder):
    (cell,), notes = read_score_files([folder])
    assert (cell.path, cell.cell, notes) == (folder / SCORES, ("fan", "00", "source"), [])
    assert cell.scores == dict(zip(NAMES, [1.0, 2.0, 3.0, 2.5, 4.0, 5.0], strict=True))
    assert cell.decisions == dict(zip(NAMES, [False, False, True, False, True, True], strict=True))


def test_other_programs_files(folder):
    texts = ["1", " 2.0 ", "+3e0", "-2.5E-3", '"4"', ".5e1\t"]
    lines = "\r\n".join(f"{name}, {text}" for name, text in zip(NAMES, texts, strict=True))
    (folder / SCORES).write_bytes(b"\xef\xbb\xbf" + lines.encode() + b"\r\n  \r\n\r\n")
    (folder / DECISIONS).write_text("\n".join(f'"{name}",{int("anomaly" in name)}' for name in reversed(NAMES)))
    (folder / "result.csv").write_text("passed over")
    (folder / "float").mkdir()
    (cell,), _ = read_score_files([folder])
    assert list(cell.scores.values()) == [1.0, 2.0, 3.0, -0.0025, 4.0, 5.0]
    assert [cell.decisions[name] for name in NAMES] == [False] * 3 + [True] * 3


def test_machines_of_any_name_come_by_machine_domain_and_section(tmp_path):
    cells = [("Toy_section_01_Car", "00", "source"), ("a b", "01", "source"), ("a b", "00", "target")]
    for machine, section, domain in reversed(cells):
        write_pairs(
            tmp_path / machine / scores_name(machine, section, domain),
            [(f"section_{section}_{domain}_test_0000.wav", 1)],
        )
    found, _ = read_score_files([tmp_path / "a b", tmp_path / cells[0][0]])
    assert [cell.cell for cell in found] == cells
    assert {cell.decisions for cell in found} == {None}


def test_decisions_without_scores_are_a_note(folder):
    (folder / DECISIONS.replace("00", "01")).write_text("not read")
    _, (note,) = read_score_files([folder])
    assert note == f"{folder / DECISIONS.replace('00', '01')} has no scores beside it and was left out."


LINE = f"{NAMES[0]},1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no clip"),
        ("\n \n", "lists no clip"),
        (LINE + f"{NAMES[1]},nan", f"line 2: expected a clip's file name and a finite number, not '{NAMES[1]},nan'"),
        (f"{NAMES[0]},inf", "line 1: expected .* a finite number"),
        (f"{NAMES[0]},-Infinity", "line 1: expected .* a finite number"),
        (f"{NAMES[0]},1e999", "line 1: expected .* a finite number"),
        (f"{NAMES[0]},1_000", "line 1: expected .* a finite number"),
        (f"{NAMES[0]},\u0661", "line 1: expected .* a finite number"),
        (f"{NAMES[0]},", "line 1: expected .* a finite number"),
        (f"{NAMES[0]};1", "line 1: expected .* a finite number"),
        (f"{NAMES[0]}\t1", "line 1: expected .* a finite number"),
        (f"{NAMES[0]},1,2", "line 1: expected .* a finite number"),
        (f"{NAMES[0]},0,5", "line 1: expected .* a finite number"),
        (",", "line 1: expected .* a finite number"),
        ("file,score\n" + LINE, "line 1: expected .* a finite number, not 'file,score'"),
        (LINE + "\n" + LINE, f"line 3: {NAMES[0]} is listed twice"),
        (LINE + "a.wav,1", "line 2: 'a.wav' is not a MIMII DUE file name"),
        (f"./{LINE}", "line 1: './section_00.*' is not a MIMII DUE file name"),
        (LINE + LINE.replace("00", "01", 1), "line 2: .* is not a source test clip of section 00"),
        (LINE + LINE.replace("source", "target"), "line 2: .* is not a source test clip of section 00"),
        (LINE + LINE.replace("test", "train"), "line 2: .* is not a source test clip of section 00"),
        (LINE + f'"{NAMES[1]},1', "line 2, cannot be read as scores: unexpected end of data"),
        (LINE + "\n\x00", "line 3: expected"),
        (LINE + "x" * 200_000, "line 2, cannot be read as scores: field larger"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(folder, text, message):
    (folder / SCORES).write_text(text, encoding="utf-8", newline="")
    with pytest.raises(DataError, match=f"{SCORES}.*{message}") as error:
        read_score_files([folder])
    assert len(str(error.value)) < 600
    assert "\n" not in str(error.value)


def test_bytes_that_are_no_text(folder):
    (folder / SCORES).write_bytes(LINE.encode() * 2 + b"\xff,1\n")
    with pytest.raises(DataError, match=r"line 3, cannot be read as scores: it is not UTF-8 text"):
        read_score_files([folder])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LINE.replace(",1", ",2"), "line 1: expected .* 0 .normal. or 1 .anomaly., not"),
        (LINE.replace(",1", ",0.7"), "line 1: expected"),
        (LINE, f"{DECISIONS} lacks {NAMES[1]}, which .*{SCORES} lists"),
        (
            "".join(f"{name},1\n" for name in [*NAMES, "section_00_source_test_normal_9999.wav"]),
            f"{SCORES} lacks section_00_source_test_normal_9999.wav, which .*{DECISIONS} lists",
        ),
    ],
)
def test_decisions_that_do_not_fit(folder, text, message):
    (folder / DECISIONS).write_text(text)
    with pytest.raises(DataError, match=message):
        read_score_files([folder])


@pytest.mark.parametrize(
    "name",
    [
        "anomaly_score_fan_id_0.csv",
        "anomaly_score_fan_section_00.csv",
        "anomaly_score_fan_section_0_source_test.csv",
        "anomaly_score_fan_section_00_source_test (1).csv",
        "anomaly_score_\x1b[2J_section_00_source_test.csv",
        b"anomaly_score_\xff_section_00_source_test.csv".decode(errors="surrogateescape"),
        "decision_result__section_00_source_test.csv",
    ],
)
def test_a_file_of_another_name_is_refused_not_passed_over(folder, name):
    (folder / name).write_text(LINE)
    with pytest.raises(DataError, match="is not named as a file of scores or decisions") as error:
        read_score_files([folder])
    assert "\x1b" not in str(error.value)


def test_what_is_no_file_of_scores(folder, tmp_path):
    with pytest.raises(DataError, match=r"There is no folder .*nowhere"):
        read_score_files([folder / "nowhere"])
    with pytest.raises(DataError, match="are of the same clips"):
        read_score_files([folder, folder])
    (folder / SCORES).unlink()
    with pytest.raises(DataError, match="holds no score files"):
        read_score_files([folder])
    write_pairs(folder / "float" / SCORES, [(NAMES[0], 1)])
    with pytest.raises(DataError, match=f"There are some in its float; give {folder / 'float'}"):
        read_score_files([folder])
    os.mkfifo(folder / SCORES)
    with pytest.raises(DataError, match=f"{SCORES} cannot be read as scores: it is not a regular file"):
        read_score_files([folder])
    (folder / SCORES).unlink()
    with (folder / SCORES).open("wb") as file:
        file.truncate(2**26 + 1)  # no bytes on the disk
    with pytest.raises(DataError, match=f"{SCORES} cannot be read as scores: it has over 64 MB"):
        read_score_files([folder])


PIECES = [NAMES[0], NAMES[1], ",", "\n", "\r", '"', " ", "1e5", "nan", "-.", "\x00", "\u2028", "\ufeff", "\x85"]


@settings(max_examples=100)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: "".join(pieces).encode()) | st.binary())
def test_no_bytes_do_anything_but_read_or_fail_clearly(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    folder.mkdir(exist_ok=True)
    (folder / SCORES).write_bytes(data)
    with contextlib.suppress(DataError):
        (cell,), _ = read_score_files([folder])
        assert set(cell.scores) <= set(NAMES[:2])
        assert all(map(math.isfinite, cell.scores.values()))
