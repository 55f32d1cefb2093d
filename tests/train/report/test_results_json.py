from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edge_asd.errors import DataError
from edge_asd.train.report.results import ClipCount
from edge_asd.train.report.results_json import read_results, write_results
from tests.train.report.made import make_cell, make_reproduction


def test_results_come_back_to_the_last_digit(tmp_path):
    cells = [make_cell(seed=seed, labels=["normal", None, "anomaly"], machine="Lüfter \udcff") for seed in (0, 1)]
    made = make_reproduction(cells)
    counts = (ClipCount("fan", "00", "source", "train", None, 3), ClipCount("fan", "00", "source", "test", "normal", 0))
    made = replace(made, data=replace(made.data, counts=counts, notes=("a note",)), notes=("another",))
    write_results(tmp_path / "results.json", made)
    assert read_results(tmp_path / "results.json") == made
    assert read_results(tmp_path / "results.json").cells[1].scores["shipped"] == cells[1].scores["shipped"]


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (["schema"], 3, "not the results of this version"),
        (["extra"], 1, "unknown key 'extra'"),
        (["data", "name"], 3, "'name' should be str"),
        (["cells", 0, "extra"], 1, "unknown key 'extra'"),
        (["cells", 0, "scores", "float", 0], "1", "should be float"),
        (["cells", 0, "scores", "float", 0], 1e300, "a value that is not finite, or huge"),
        (["cells", 0, "scores", "other"], [0.0] * 22, "columns"),
        (["cells", 0, "labels", 0], "broken", "neither normal nor anomaly"),
        (["cells", 0, "labels"], ["normal"], "not one a clip"),
        (["cells", 0, "clips", 0], "section_00_source_test_0001.wav", "occurs twice"),
        (["cells", 0, "section"], "<b>", "the section '<b>'"),
        (["cells", 0, "model"], "other", "the model 'other'"),
        (["cells", 0, "thresholds", "other"], 1.0, "thresholds' columns"),
    ],
)
def test_results_that_were_changed_are_refused(tmp_path, path, value, reason):
    file = tmp_path / "results.json"
    write_results(file, make_reproduction([make_cell()]))
    document = json.loads(file.read_bytes())
    *parents, last = path
    inner = document
    for key in parents:
        inner = inner[key]
    inner[last] = value
    file.write_text(json.dumps(document))
    with pytest.raises(DataError, match=reason):
        read_results(file)


def test_results_of_before_that_tell_their_times_are_read(tmp_path):
    file = tmp_path / "results.json"
    made = make_reproduction([make_cell()])
    write_results(file, made)
    document = {**json.loads(file.read_bytes()), "schema": 1, "durations_s": {"fan": 61.5}, "finished": "2026"}
    file.write_text(json.dumps(document))
    assert read_results(file) == made


def test_missing_results_say_what_to_run(tmp_path):
    with pytest.raises(DataError, match="edge-asd reproduce"):
        read_results(tmp_path / "results.json")


def test_parts_are_joined_and_none_counts_twice():
    fan, pump = (make_reproduction([make_cell(machine)], not_mimii_due=None) for machine in ("fan", "pump"))
    strange = make_reproduction([make_cell("strange")], not_mimii_due="It is strange.")
    whole = fan.merged([pump, strange])
    assert [cell.machine for cell in whole.cells] == ["fan", "pump", "strange"]
    assert list(whole.data.sha256) == ["fan", "pump", "strange"]
    assert whole.data.not_mimii_due == "It is strange."
    assert not whole.data.is_mimii_due
    assert fan.merged([]) == fan
    assert fan.merged([pump]).data.is_mimii_due
    with pytest.raises(DataError, match="fan, ae, 0, 00, source occur twice"):
        fan.merged([fan])
