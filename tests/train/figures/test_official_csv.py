from __future__ import annotations

import pytest

from edge_asd.errors import OutputError
from edge_asd.train.figures.means import Row, means, official_score
from edge_asd.train.figures.measures import measures_of
from edge_asd.train.figures.official_csv import write_result


def test_missing_figures_are_empty_cells_and_left_out_of_means(tmp_path):
    rows = [
        Row("fan", "00", "source", (0.5, 0.5, 1.0, 0.0, 0.0)),
        Row("fan", "00", "target", (None,) * 5),
        Row("fan", "01", "source", (1.0, 0.75, 1.0, 1.0, 1.0)),
    ]
    assert means(rows, "arithmetic", measures_of(2021)) == [0.75, 0.625, 1.0, 0.5, 0.5]
    harmonic = means(rows, "harmonic", measures_of(2021))
    assert harmonic[:3] == pytest.approx([2 / 3, 0.6, 1.0])
    assert harmonic[3:] == pytest.approx([2 / (1 + 2**52)] * 2)  # a zero counts as the smallest step
    assert means([rows[1]], "harmonic", measures_of(2021)) == [None] * 5
    assert official_score(rows, measures_of(2021)) == pytest.approx(4 / (2 + 2 + 1 + 4 / 3))  # AUC and pAUC alone
    assert official_score([rows[1]], measures_of(2021)) is None
    write_result(tmp_path / "result.csv", rows, measures_of(2021))
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
        write_result(tmp_path / "file" / "result.csv", [], measures_of(2021))
