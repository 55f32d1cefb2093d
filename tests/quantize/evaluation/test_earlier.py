"""One folder of results, two evaluations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_asd.errors import OutputError
from edge_asd.quantize.evaluation.earlier import DOCUMENT, check_earlier, left_note


def left(folder: Path, document: object) -> Path:
    (folder / DOCUMENT).write_text(json.dumps(document))
    return folder


def test_another_machines_results_are_not_mixed_with_these(tmp_path: Path) -> None:
    check_earlier(tmp_path / "nowhere", "fan", 2021, any_year=False)
    out = left(tmp_path, {"year": 2021, "results": [{"machine": "fan"}, {"machine": "fan"}]})
    check_earlier(out, "fan", 2021, any_year=False)
    with pytest.raises(OutputError, match=r"holds the results of fan, not of pump\. .* choose another --out"):
        check_earlier(out, "pump", 2021, any_year=True)


def test_nor_another_years_unless_it_was_asked_for(tmp_path: Path) -> None:
    out = left(tmp_path, {"results": [{"machine": "fan"}]})  # of version 0.1
    check_earlier(out, "fan", 2021, any_year=False)
    with pytest.raises(OutputError, match=r"measures of 2021, and this set is one of 2023\. .* or give --year 2023"):
        check_earlier(out, "fan", 2023, any_year=False)
    check_earlier(out, "fan", 2023, any_year=True)


@pytest.mark.parametrize("text", ["[]", "{", '{"results": 1, "year": 2021}', '{"results": [[1], {"machine": 1}]}'])
def test_a_damaged_document_is_an_error_or_tells_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / DOCUMENT).write_text(text)
    if "results" in text:
        check_earlier(tmp_path, "fan", 2021, any_year=False)
    else:
        with pytest.raises(OutputError, match=DOCUMENT):
            check_earlier(tmp_path, "fan", 2021, any_year=False)


def test_scores_that_are_not_replaced_are_told(tmp_path: Path) -> None:
    names = [f"anomaly_score_fan_section_{section}_source_test.csv" for section in ("00", "01")]
    for name in (*names, "anomaly_score_fan2_section_00_source_test.csv", "result.csv"):
        (tmp_path / name).touch()
    assert left_note(tmp_path, "fan", names) is None
    note = left_note(tmp_path, "fan", names[:1])
    assert note is not None
    assert f"part of the same result: {names[1]}. " in note
