"""Reports by the measures of other years: domains that share anomalies, or are not known, or do not exist."""

from __future__ import annotations

import json

import pytest
from scipy.stats import hmean
from sklearn.metrics import roc_auc_score

from edge_asd.train.figures.bootstrap import percentile_interval, resample_rows
from edge_asd.train.figures.measures import measures_of, rows_of
from edge_asd.train.report.curves import histogram_picture, roc_picture
from edge_asd.train.report.figures import Figures, Key
from edge_asd.train.report.results_json import read_results, write_results
from edge_asd.train.report.tables import NONE
from edge_asd.train.report.writing import write_results_csv
from tests.train.report.made import make_cell, make_reproduction, tables_page

SOURCE, TARGET = make_cell(domain="source"), make_cell(domain="target")
BOTH = [SOURCE, TARGET, make_cell(section="01", domain="target")]


def anomalies(cell):
    return [label == "anomaly" for label in cell.labels]


def test_domains_share_the_anomalies_and_the_pauc_from_2022_on(tmp_path):
    figures = Figures(make_reproduction(BOTH, year=2024))
    together = anomalies(SOURCE) + anomalies(TARGET)
    for column in ("float", "fixed", "shipped"):
        scores = [*SOURCE.scores[column], *TARGET.scores[column]]
        pauc = roc_auc_score(together, scores, max_fpr=0.1)
        for domain, cell, other in (("source", SOURCE, TARGET), ("target", TARGET, SOURCE)):
            faulty = [s for s, anomaly in zip(other.scores[column], anomalies(other), strict=True) if anomaly]
            labels, mine = [*anomalies(cell), *[True] * len(faulty)], [*cell.scores[column], *faulty]
            key = Key("fan", "00", domain, "ae", column)
            assert figures.spread("auc", key).mean == roc_auc_score(labels, mine)
            assert figures.spread("pauc", key).mean == pauc
    # A section with clips of one domain is judged as in 2021.
    key = Key("fan", "01", "target", "ae", "float")
    assert figures.by_seed["auc"][key] == Figures(make_reproduction(BOTH)).by_seed["auc"][key]

    page = tables_page(make_reproduction(BOTH, year=2024))
    rows = figures.official["ae", 0]
    counted = [row.values[0] for row in rows] + [rows[0].values[1], rows[2].values[1]]
    assert [(row.section, row.domain) for row in rows] == [("00", "source"), ("00", "target"), ("01", "target")]
    assert page.row("official", "Autoencoder", "0")[4] == f"{hmean(counted):.3f}"
    assert "Measures of DCASE 2024 Task 2 (nttcslab/dcase2024_task2_evaluator, arXiv:2406.07250)" in page.text
    # The paper's figures belong to other clips, whatever the machine is called.
    assert "Table 4" not in page.text.replace("Table 4 of", "")
    assert page.tables["table4"][1] == ["ours", "ours", "source", "target"]
    labels, domains = (*SOURCE.labels, *TARGET.labels), ["source"] * 22 + ["target"] * 22
    scores = (*SOURCE.scores["float"], *TARGET.scores["float"])
    measures = measures_of(2024)
    drawn = resample_rows(("fan", "00"), rows_of(labels, domains, measures), labels, domains, scores, measures=measures)
    low, high = percentile_interval(drawn[0].auc[0])
    assert page.row("auc-ae", "fan", "00", "source")[1] == f"{low:.3f} to {high:.3f}"
    assert page.row("pauc-ae", "fan", "00", "source")[:5] == page.row("pauc-ae", "fan", "00", "target")[:5]
    (path,) = write_results_csv(figures, tmp_path).values()
    assert path.read_text().splitlines()[1].startswith("section,AUC (source),AUC (target),pAUC,")


@pytest.mark.parametrize("year", [2020, 2023])
def test_cells_without_a_domain(year, tmp_path):
    cell = make_cell(domain=None)
    reproduction = make_reproduction([cell], year=year)
    figures = Figures(reproduction)
    assert figures.domains == [None]
    key = Key("fan", "00", None, "ae", "float")
    assert figures.spread("auc", key).mean == roc_auc_score(anomalies(cell), cell.scores["float"])
    page = tables_page(reproduction)
    assert page.row("auc-ae", "fan", "00", NONE)[0] == f"{figures.spread('auc', key).mean:.3f}"
    assert page.row("thresholds", "fan", "Autoencoder", "0", "00", NONE)[0] == "shipped"
    assert page.row("official", "Autoencoder", "0")[4] == NONE
    assert "gap" not in page.tables
    assert "Domain gap" not in page.text
    picture = roc_picture([cell], measures_of(year))
    assert "ROC curves of fan, sections 00" in picture.alt
    assert "section 00: 12 normal" in histogram_picture([cell]).alt
    path = tmp_path / "results.json"
    write_results(path, reproduction)
    assert json.loads(path.read_text())["cells"][0]["domain"] is None
    assert read_results(path) == reproduction


def test_results_of_before_there_were_other_years_are_those_of_2021(tmp_path):
    reproduction, path = make_reproduction(BOTH), tmp_path / "results.json"
    write_results(path, reproduction)
    document = json.loads(path.read_text())
    assert document["arguments"].pop("year") == 2021
    path.write_text(json.dumps(document))
    assert read_results(path) == reproduction
