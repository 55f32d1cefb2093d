from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest

from edge_asd.errors import DataError
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.report.describe import describe_data
from edge_asd.train.report.drawing import Picture
from edge_asd.train.report.results import Cell
from edge_asd.train.report.tables import NONE
from tests.data import MACHINE, make_tiny_data
from tests.train.report.made import Page, make_cell, make_reproduction, tables_page, with_labels, write

EVIL = "<script>alert('x')</script> \"><img src=http://evil.example/a.png> $x_{$ {{ 7*7 }} \udcff"


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Data, cells with arbitrary scores of its test clips, and the report on them."""
    root = tmp_path_factory.mktemp("data") / "own machine"
    make_tiny_data(root, seconds=2.6)
    dataset = Dataset(root, MACHINE)
    cells = []
    for section, domain in (("00", "source"), ("00", "target"), ("01", "source")):
        clips = dataset.select(split="test", section=section, domain=domain)
        n = len(clips)
        names, labels = tuple(c.path.name for c in clips), tuple(c.name.label for c in clips)
        scores = {"float": tuple(float(i) for i in range(n))}
        cells += [
            Cell(MACHINE, model, 0, section, domain, names, labels, scores, (-30.0,) * n)
            for model in ("ae", "mobilenetv2")
        ]
    made = make_reproduction(cells)
    made = replace(made, data=describe_data(root, {MACHINE: dataset.clips}))
    out = tmp_path_factory.mktemp("report")
    return made, root, write(made, out, data=root, cache=FeatureCache()).html.read_text()


def test_the_page_needs_nothing_from_outside(real):
    _, _, html = real
    assert not re.search(r"https?:", html)
    page = Page(html)
    links = {value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")}
    assert links
    assert all(re.match(r"#[a-z]+$|data:image/(png|svg\+xml);base64,", link) for link in links)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    policy = [a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_what_was_heard_is_shown_where_it_is_told(real, tmp_path):
    made, _, html = real
    assert 'id="heard"' not in html
    heard = [Picture("data:image/png;base64,AAAA", "bands of flagged clips", EVIL)]
    with_it = write(made, tmp_path, heard=heard).html.read_text()
    assert with_it.count('id="heard"') == with_it.count('href="#heard"') == with_it.count(heard[0].uri) == 1
    assert "<script" not in with_it


def test_every_picture_is_whole_and_described(real):
    pictures = [attributes for tag, attributes in Page(real[2]).tags if tag == "img"]
    # One ROC picture, a histogram a model, Figure 1 and Figure 2.
    assert len(pictures) == 5
    for picture in pictures:
        kind, data = picture["src"].split(";base64,")
        start = base64.b64decode(data, validate=True)[:6]
        assert start == {"data:image/png": b"\x89PNG\r\n", "data:image/svg+xml": b"<?xml "}[kind]
        assert len(picture["alt"]) > 40
        assert MACHINE in picture["alt"]
    (scatter,) = [picture["alt"] for picture in pictures if picture["alt"].startswith("t-SNE")]
    assert "section 00, target, normal: 2;" in scatter
    assert "section 01, source, label unknown: 1" in scatter
    (histogram,) = [p["alt"] for p in pictures if p["alt"].startswith("Histograms") and "Autoencoder" in p["alt"]]
    assert "section 01, source: 2 normal, median 4.5, 3 anomaly, median 2, 1 of unknown label, median 0" in histogram
    assert "section 00, source: 3 normal, median 4, 3 anomaly, median 1" in histogram


def test_links_lead_somewhere_and_tables_have_headings(real):
    page = Page(real[2])
    names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(names) == len(set(names))
    targets = {a["href"][1:] for tag, a in page.tags if tag == "a"} | {
        a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a
    }
    assert targets <= set(names)
    assert all(a.get("scope") in ("col", "row", "colgroup") for tag, a in page.tags if tag == "th")
    tables = [tag for tag, _ in page.tags if tag in ("table", "caption")]
    assert tables.count("table") == tables.count("caption") > 4


def test_rows_without_a_class_have_dashes(real):
    page = Page(real[2])
    row = page.row("table4", MACHINE, "00")
    assert (row[1], row[3]) == ("0.000†", NONE)
    assert page.row("clips", MACHINE, "00", "target")[:4] == ["2", "2", "0", "0"]
    assert page.row("clips", MACHINE, "01", "source")[:4] == ["4", "2", "3", "1"]


def test_data_that_are_not_mimii_due_are_called_so(real):
    made, _, html = real
    text = Page(html).text
    assert "This is not MIMII DUE." in text
    assert "clips where MIMII DUE has" in text
    assert "This is MIMII DUE" not in text
    assert text.count("belong to other recordings") == 2
    assert made.data.name == "own machine"


def test_mimii_due_is_called_so_and_not_warned_of():
    text = tables_page(make_reproduction([make_cell()], not_mimii_due=None)).text
    assert "This is MIMII DUE, as far as counting tells." in text
    assert "not MIMII DUE" not in text
    assert "Not MIMII DUE" not in text


def test_the_same_results_give_the_same_page(tmp_path):
    made = make_reproduction([make_cell()])
    first, second = (write(made, tmp_path / name).html.read_bytes() for name in ("a", "b"))
    assert first == second


def test_names_from_outside_stay_text(tmp_path):
    made = make_reproduction([make_cell(EVIL, columns=["shipped"])], name=EVIL, not_mimii_due=EVIL)
    made = replace(made, notes=(EVIL,), versions={EVIL: EVIL})
    made = replace(made, arguments=replace(made.arguments, command=EVIL))
    page = Page(write(made, tmp_path).html.read_text())
    assert {tag for tag, _ in page.tags} & {"script"} == set()
    assert all(a["src"].startswith("data:") for tag, a in page.tags if tag == "img")
    visible = EVIL.replace("\udcff", "\\udcff")
    assert page.row("table4", visible, "00")[0] == NONE
    assert page.text.count(visible) > 10


@pytest.mark.parametrize("labels", [[None] * 5, ["anomaly"], [], ["normal", None, "anomaly"]])
def test_few_or_unlabelled_clips_are_no_obstacle(tmp_path, labels):
    cells = [make_cell("mixer", domain="target", labels=labels), make_cell("valve", "mobilenetv2", labels=labels)]
    page = Page(write(make_reproduction(cells), tmp_path).html.read_text())
    both = {"normal", "anomaly"} <= set(labels)
    row = page.row("table4", "mixer", "00")
    assert [value == NONE for value in row] == [True, True, True, not both] + [True] * 4 + [True, not both]


def test_seven_machines_are_listed_in_the_papers_order():
    names = ("ToyCar", "ToyTrain", "valve", "gearbox", "pump", "slider", "fan")
    page = tables_page(make_reproduction([make_cell(machine) for machine in names]))
    machines = [row[0] for row in page.tables["gap"][2:]]
    assert machines == ["fan", "gearbox", "pump", "slider", "valve", "ToyCar", "ToyTrain"]


def test_equal_scores_without_a_threshold_are_drawn(tmp_path):
    cell = make_cell()
    cell = replace(cell, scores={"float": (1e9,) * len(cell.clips)}, thresholds={})
    page = Page(write(make_reproduction([cell]), tmp_path).html.read_text())
    assert page.row("table4", "fan", "00")[1] == "0.500†"
    assert "No thresholds were fitted" in page.text


def test_clips_too_short_for_a_window_leave_figure_2_out(tiny_data, tmp_path):
    clips = Dataset(tiny_data, MACHINE).select(split="test", section="00", domain="source")
    cell = make_cell(labels=["normal"] * 3 + ["anomaly"] * 3)
    cell = with_labels(replace(cell, clips=tuple(clip.path.name for clip in clips)), [c.name.label for c in clips])
    page = Page(write(make_reproduction([cell]), tmp_path, data=tiny_data).html.read_text())
    assert "There are too few test windows." in page.text
    assert any("spectrogram of fan" in (a.get("alt") or "") for tag, a in page.tags if tag == "img")


def test_without_results_there_is_no_report(tmp_path):
    with pytest.raises(DataError, match="no results"):
        write(make_reproduction([]), tmp_path / "out")
    assert not (tmp_path / "out").exists()
