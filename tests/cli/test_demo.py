"""``edge-asd demo``: what a newcomer sees first."""

from __future__ import annotations

import csv
from pathlib import Path

from edge_asd.bundle.bundle import Bundle
from tests.cli.command import assert_error, edge_asd
from tests.demo import Demo


def test_the_score_goes_over_the_threshold_after_the_change_and_within_15_seconds(demo: Demo) -> None:
    assert demo.document["change_s"] == 40.0
    assert 40.0 < demo.document["alarm_s"] <= 55.0


def test_the_task_is_neither_trivial_nor_hopeless(demo: Demo) -> None:
    assert 0.70 <= demo.document["auc"] <= 0.98
    assert abs(demo.document["auc"] - demo.document["auc_int8"]) <= 0.01
    cells = [(row["section"], row["domain"]) for row in demo.document["results"]]
    assert sorted(cells) == [(s, d) for s in ("00", "01") for d in ("source", "target")]


def test_what_it_leaves(demo: Demo) -> None:
    assert sorted(Bundle.load(demo.folder / "fan.easd").thresholds) == ["00", "01"]
    with open(demo.folder / "results/anomaly_score_fan_section_00_source_test.csv", newline="") as file:
        assert len(list(csv.reader(file))) == 24
    assert (demo.folder / "alarm.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_is_not_a_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    assert_error(edge_asd("demo", "--out", tmp_path), str(tmp_path), "--out")
    assert (tmp_path / "precious").read_text() == "mine"
