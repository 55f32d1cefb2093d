from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_asd.train.data.table1 import MACHINES
from edge_asd.train.report.table4 import table4

PAPER = Path(__file__).resolve().parents[4] / "shared" / "paper" / "mimii_due.txt"


def test_the_table_covers_both_models_and_the_development_sections():
    assert len(table4()) == 5 * 3 * 2 * 2
    assert {key[0] for key in table4()} == set(MACHINES)
    assert table4()["gearbox", "00", "target", "ae"] == 0.743
    assert table4()["gearbox", "00", "source", "mobilenetv2"] == 0.814


def test_the_table_is_the_papers():
    if not PAPER.is_file():
        pytest.skip("needs ../shared/paper/mimii_due.txt beside the repository, which is not there")
    text = PAPER.read_text().split("Table 4: AUC scores")[1].split("epochs. The anomaly score")[0]
    rows = re.findall(r"^(?:\S.*\t|\t)(0[0-2])((?:\t[01]\.\d{3}){4})$", text, re.MULTILINE)
    assert len(rows) == 15
    columns = [(domain, model) for model in ("ae", "mobilenetv2") for domain in ("source", "target")]
    for i, (section, figures) in enumerate(rows):
        for (domain, model), auc in zip(columns, figures.split(), strict=True):
            assert table4()[MACHINES[i // 3], section, domain, model] == float(auc)
