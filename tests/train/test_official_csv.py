from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from edge_asd.errors import OutputError
from train.metrics import decision_figures, rank_figures
from train.official_csv import Row, decisions_name, means, scores_name, write_pairs, write_result


def read_pairs(path: Path) -> dict[str, str]:
    with path.open(newline="") as file:
        return dict(csv.reader(file))


def test_the_published_result_is_rebuilt_byte_for_byte(official_format, tmp_path):
    rows = []
    pattern = re.compile(r"anomaly_score_(.+)_section_(\d\d)_(source|target)_test\.csv")
    for path in sorted(official_format.glob("anomaly_score_*.csv")):
        machine, section, domain = pattern.fullmatch(path.name).groups()
        assert path.name == scores_name(machine, section, domain)
        scores = read_pairs(path)
        decisions = read_pairs(official_format / decisions_name(machine, section, domain))
        assert list(scores) == list(decisions)
        anomaly = ["_anomaly_" in name for name in scores]
        ranks = rank_figures(anomaly, [float(value) for value in scores.values()])
        figures = decision_figures(anomaly, [value == "1" for value in decisions.values()])
        rows.append(
            Row(machine, section, domain, (ranks.auc, ranks.pauc, figures.precision, figures.recall, figures.f1))
        )
    assert len(rows) == 8
    write_result(tmp_path / "result.csv", rows)
    assert (tmp_path / "result.csv").read_bytes() == (official_format / "result.csv").read_bytes()


def test_pairs_are_lines_without_a_header(tmp_path):
    path = tmp_path / "folder" / scores_name("fan", "00", "source")
    write_pairs(path, [("a.wav", 46063592), ("b.wav", 9.6587), ("c,d.wav", 0)])
    assert path.name == "anomaly_score_fan_section_00_source_test.csv"
    assert path.read_bytes() == b'a.wav,46063592\nb.wav,9.6587\n"c,d.wav",0\n'


def test_names_of_decisions():
    assert decisions_name("valve", "03", "target") == "decision_result_valve_section_03_target_test.csv"


def test_missing_figures_are_empty_cells_and_left_out_of_means(tmp_path):
    rows = [
        Row("fan", "00", "source", (0.5, 0.5, 1.0, 0.0, 0.0)),
        Row("fan", "00", "target", (None,) * 5),
        Row("fan", "01", "source", (1.0, 0.75, 1.0, 1.0, 1.0)),
    ]
    assert means(rows, "arithmetic") == [0.75, 0.625, 1.0, 0.5, 0.5]
    harmonic = means(rows, "harmonic")
    assert harmonic[:3] == pytest.approx([2 / 3, 0.6, 1.0])
    assert harmonic[3:] == pytest.approx([2 / (1 + 2**52)] * 2)  # a zero counts as the smallest step
    assert means([rows[1]], "harmonic") == [None] * 5
    write_result(tmp_path / "result.csv", rows)
    lines = (tmp_path / "result.csv").read_text().splitlines()
    assert lines[:5] == [
        "fan",
        "section,domain,AUC,pAUC,precision,recall,F1 score",
        "00,source,0.5,0.5,1.0,0.0,0.0",
        "01,source,1.0,0.75,1.0,1.0,1.0",
        "00,target,,,,,",
    ]
    assert lines[5].startswith("arithmetic mean,,0.75,0.625,1.0,0.5,0.5")


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write"):
        write_result(tmp_path / "file" / "result.csv", [])
