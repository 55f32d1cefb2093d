from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from edge_asd.errors import OutputError
from edge_asd.interpreter import Model
from edge_asd.quantize.int8.convert import to_int8
from edge_asd.quantize.int8.execution import trace
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.methods import quantise
from edge_asd.quantize.int8.range_report import (
    SATURATION_LIMIT,
    RangeRow,
    cells_of,
    check_report_replaceable,
    range_report,
    saturation,
    saturation_warnings,
    to_csv,
)
from edge_asd.quantize.int8.ranges import activation_ranges, whole
from edge_asd.quantize.int8.representative import Representative
from edge_asd.quantize.pipeline import quantise_run
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.runs.run import Run
from tests.data import MACHINE


@pytest.fixture(scope="module")
def cells(run_folder, tiny_data):
    return cells_of(Run.load(run_folder), Dataset(tiny_data, MACHINE).clips, FeatureCache())


@pytest.fixture(scope="module")
def report(bundle, cells):
    return range_report(bundle.float_model, bundle.model, cells)


def test_every_layer_is_reported_for_every_section_and_domain(report, cells, bundle):
    assert set(cells) == {
        (split, *cell) for split in ("train", "test") for cell in (("00", "source"), ("00", "target"), ("01", "source"))
    }
    places = ["input", *(f"{i} fully_connected" for i in range(1, 11))]
    assert [row.place for row in report] == places * 6
    graph = Graph(bundle.model)
    first = report[0]
    (scale,), (zero_point,) = graph.quantisation(graph.input)
    assert (first.low, first.high) == (scale * (-128 - zero_point), scale * (127 - zero_point))
    windows = cells["train", "00", "source"]
    assert (first.minimum, first.maximum) == (windows.min(), windows.max())
    outputs = Model(bundle.float_model, arithmetic="litert-ref").run(windows)
    last = report[10]
    assert (last.minimum, last.maximum) == pytest.approx((outputs.min(), outputs.max()), rel=1e-4)
    assert last.minimum < last.percentile_0_1 < last.percentile_99_9 < last.maximum


def test_what_training_spans_is_not_cut_off(report):
    assert max(row.saturated for row in report if row.split == "train") <= SATURATION_LIMIT
    assert saturation_warnings([row for row in report if row.split == "train"]) == []


def test_a_domain_that_is_louder_than_the_ranges_is_named(bundle, cells):
    loud = {**cells, ("test", "00", "target"): cells["test", "00", "target"] + np.float32(30)}
    report = range_report(bundle.float_model, bundle.model, loud)
    inputs = next(row for row in report if (row.split, row.domain, row.place) == ("test", "target", "input"))
    values = loud["test", "00", "target"]
    step = (inputs.high - inputs.low) / 255
    assert inputs.saturated == pytest.approx(np.mean(values > inputs.high + step / 2), abs=1e-4)
    assert inputs.saturated > SATURATION_LIMIT
    (warning,) = [text for text in saturation_warnings(report) if "target" in text]
    assert warning.startswith("Section 00, target test clips: ")
    assert "quantise with more --headroom" in warning
    assert saturation(report)["test 00 target"]["input"] == inputs.saturated


def test_what_a_hidden_layer_cuts_off_is_counted(bundle, cells):
    graph = Graph(bundle.float_model)
    cell = ("train", "00", "source")
    ranges = activation_ranges(graph, cells[cell], whole)
    third = graph.operations[2].output
    high = ranges[third][1] / 2
    int8 = to_int8(bundle.float_model, {**ranges, third: (0.0, high)})
    report = range_report(bundle.float_model, int8, {cell: cells[cell]})
    row = report[3]
    assert (row.place, row.low, row.high) == ("3 fully_connected", 0.0, pytest.approx(high))
    (values,) = (found[third] for found in trace(graph, cells[cell], [third]))
    assert row.saturated == pytest.approx(np.mean(values > high), rel=0.2)
    assert saturation(report)["train 00 source"] == {"input": 0.0, "hidden": row.saturated}
    (warning,) = saturation_warnings(report)
    assert "at layer 3 fully_connected reach an end" in warning


@pytest.mark.parametrize("name", ["dense", "convolutional"])
def test_equalised_layers_are_told_in_the_units_of_their_ranges(request, name):
    _, content, windows = request.getfixturevalue(name)
    converted = quantise(content, Representative(windows), method="equalised")
    cells = {("train", "00", "source"): windows}
    for row in range_report(converted.float_model, converted.model, cells, converted.levelling):
        assert row.saturated == 0
        # Ranges are the whole of these windows.
        step = (row.high - row.low) / 255
        assert (min(0, row.minimum), max(0, row.maximum)) == pytest.approx((row.low, row.high), abs=step)


def test_a_warning_starts_above_the_limit(report):
    row = report[3]
    assert saturation_warnings([replace(row, saturated=SATURATION_LIMIT)]) == []
    assert len(saturation_warnings([row, replace(row, saturated=SATURATION_LIMIT * 1.01)])) == 1


def test_the_file_holds_every_row(report, run_folder, tiny_data, tmp_path):
    rows = list(csv.DictReader(io.StringIO(to_csv(report).decode())))
    assert [float(row["saturated"]) for row in rows] == [row.saturated for row in report]
    path = tmp_path / "new" / "ranges.csv"
    quantise_run(run_folder, tiny_data, tmp_path / "x.easd", score_seconds=1.5, ranges=path)
    assert path.read_bytes() == to_csv(report)


@pytest.mark.prove
def test_a_classifier_is_reported_too(section_bundle, section_run, section_data):
    cells = cells_of(Run.load(section_run), Dataset(section_data, MACHINE).clips, FeatureCache())
    few = {cell: windows[:3] for cell, windows in cells.items()}
    report = range_report(section_bundle.float_model, section_bundle.model, few)
    assert len(report) == len(cells) * (1 + 35 + 17 + 10 + 1 + 1)
    assert max(row.saturated for row in report if row.split == "train") < 0.05


def test_a_report_replaces_reports_only(tmp_path):
    path = tmp_path / "ranges.csv"
    row = RangeRow("test", "00", "source", "input", -1.5, 2.0, -1.0, -0.5, 0.5, 1.0, 0.0)
    path.write_bytes(to_csv([row]))
    check_report_replaceable(path)
    assert path.read_text().splitlines()[1] == "test,00,source,input,-1.5,2.0,-1.0,-0.5,0.5,1.0,0.0"
    path.write_text("section_00_source_test_normal_0000.wav,1\n")
    with pytest.raises(OutputError, match="is not a report on ranges, and is not replaced"):
        check_report_replaceable(path)
