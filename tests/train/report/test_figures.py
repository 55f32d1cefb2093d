"""Pictures and tables show the figures of `figures.metrics`, ``result.csv`` those of `figures.means`."""

from __future__ import annotations

from itertools import product
from statistics import fmean, stdev

import pytest

from edge_asd.train.figures.bootstrap import auc_interval, cell_seed
from edge_asd.train.figures.means import Row, official_score
from edge_asd.train.figures.measures import measures_of
from edge_asd.train.figures.metrics import decision_figures, rank_figures
from edge_asd.train.figures.official_csv import write_result
from edge_asd.train.report.figures import Figures
from edge_asd.train.report.table4 import table4
from edge_asd.train.report.tables import NONE
from edge_asd.train.report.writing import write_results_csv
from tests.train.report.made import COLUMNS, make_cell, make_reproduction, tables_page

SEEDS = (0, 3)
MODELS = ("ae", "mobilenetv2")
PLACES = [("fan", "00", "source"), ("fan", "00", "target"), ("fan", "04", "source"), ("mixer", "00", "target")]
CELLS = [make_cell(place[0], model, seed, *place[1:]) for place, model, seed in product(PLACES, MODELS, SEEDS)]


@pytest.fixture(scope="module")
def page():
    return tables_page(make_reproduction(CELLS))


def figures(place, model, column, figure="auc"):
    """Each seed's figure, straight from the scores."""
    cells = [cell for cell in CELLS if (cell.machine, cell.section, cell.domain, cell.model) == (*place, model)]
    anomaly = [label == "anomaly" for label in cells[0].labels]
    return [getattr(rank_figures(anomaly, cell.scores[column]), figure) for cell in cells]


def shown(values, sign=""):
    text = f"{fmean(values):{sign}.3f} ± {stdev(values):.3f}"
    return text.replace("+0.000", "0.000").replace("-0.000", "0.000").replace("-", "\N{MINUS SIGN}")


def test_table_4_shows_our_auc_beside_the_papers(page):
    for machine, section in [("fan", "00"), ("fan", "04"), ("mixer", "00")]:
        row = page.row("table4", machine, section)
        pairs = dict(zip(product(MODELS, ("source", "target")), zip(row[0:8:2], row[1:8:2], strict=True), strict=True))
        for (model, domain), (paper, ours) in pairs.items():
            place = (machine, section, domain)
            published = table4().get((machine, section, domain, model))
            assert paper == (NONE if published is None else f"{published:.3f}")
            assert ours.rstrip("†") == (shown(figures(place, model, "float")) if place in PLACES else NONE)
        for domain, level in zip(("source", "target"), row[8:], strict=True):
            cells = [cell for cell in CELLS if (cell.machine, cell.section, cell.domain) == (machine, section, domain)]
            if not cells:
                assert level == NONE
                continue
            auc = rank_figures([label == "anomaly" for label in cells[0].labels], cells[0].level_db).auc
            assert level == f"{auc:.3f}"
            loud = fmean(figures((machine, section, domain), "ae", "float")) <= max(auc, 1 - auc)
            assert pairs["ae", domain][1].endswith("†") == loud


def test_means_are_over_the_papers_sections_where_it_has_some(page):
    papers, everything = page.row("table4", "mean", "paper's 1"), page.row("table4", "mean", "all 3")
    ours = figures(("fan", "00", "source"), "ae", "float")
    assert papers[:2] == ["0.667", shown(ours)]
    both = zip(ours, figures(("fan", "04", "source"), "ae", "float"), strict=True)
    assert everything[:2] == [NONE, shown([fmean(pair) for pair in both])]


def test_the_domain_gap_is_taken_seed_by_seed(page):
    for i, model in enumerate(MODELS):
        source, target = (figures(("fan", "00", domain), model, "float") for domain in ("source", "target"))
        gap = [a - b for a, b in zip(source, target, strict=True)]
        published = table4()["fan", "00", "source", model] - table4()["fan", "00", "target", model]
        row = page.row("gap", "fan", "00")[2 * i : 2 * i + 2]
        assert row == [f"{published:+.3f}".replace("-", "\N{MINUS SIGN}"), shown(gap, "+")]
    assert page.row("gap", "mixer", "00") == [NONE] * 4


@pytest.mark.parametrize("figure", ["auc", "pauc"])
def test_columns_and_drops(page, figure):
    for place, model in product(PLACES, MODELS):
        row = page.row(f"{figure}-{model}", *place)
        values = {column: figures(place, model, column, figure) for column in COLUMNS}
        assert [row[0], row[2], row[3]] == [shown(values[column]) for column in COLUMNS]
        for column, drop in (("fixed", row[4]), ("shipped", row[6])):
            assert drop == shown([a - b for a, b in zip(values["float"], values[column], strict=True)], "+")


def test_intervals_are_those_of_the_bootstrap():
    cell = make_cell()
    page = tables_page(make_reproduction([cell]))
    anomaly = [label == "anomaly" for label in cell.labels]
    seed = cell_seed(0, "fan", "00", "source")
    low, high = auc_interval(anomaly, cell.scores["float"], seed=seed)
    row = page.row("auc-ae", "fan", "00", "source")
    assert row[:2] == [f"{rank_figures(anomaly, cell.scores['float']).auc:.3f}", f"{low:.3f} to {high:.3f}"]


def test_result_csv_is_the_official_one_of_the_shipped_scores(page, tmp_path):
    written = write_results_csv(Figures(make_reproduction(CELLS)), tmp_path / "out")
    assert set(written) == set(product(MODELS, SEEDS))
    for (model, seed), path in written.items():
        rows = []
        for cell in (cell for cell in CELLS if (cell.model, cell.seed) == (model, seed)):
            anomaly = [label == "anomaly" for label in cell.labels]
            rank = rank_figures(anomaly, cell.scores["shipped"])
            judged = decision_figures(anomaly, [score > 10.0 for score in cell.scores["shipped"]])
            values = (rank.auc, rank.pauc, judged.precision, judged.recall, judged.f1)
            rows.append(Row(cell.machine, cell.section, cell.domain, values))
        write_result(tmp_path / "result.csv", rows, measures_of(2021))
        assert path.read_bytes() == (tmp_path / "result.csv").read_bytes()
        name = {"ae": "Autoencoder", "mobilenetv2": "MobileNetV2"}[model]
        assert page.row("official", name, str(seed))[4] == f"{official_score(rows, measures_of(2021)):.3f}"
