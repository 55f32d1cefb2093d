from __future__ import annotations

import csv
import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from edge_asd.audio.recording_file import read_recording
from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.detectors.scores import mean_score
from edge_asd.errors import DataError, OutputError
from edge_asd.frontend import log_mel
from edge_asd.frontend.tables import mel_filterbank
from edge_asd.quantize.evaluation.cost import evaluate
from edge_asd.quantize.evaluation.cost_rows import ClipScores, evaluate_row
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.figures.measures import measures_of, rows_of
from edge_asd.train.runs.run import Run
from tests.data import MACHINE, TEST, UNLABELLED


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("results") / "fan"


@pytest.fixture(scope="module")
def evaluation(bundle, tiny_data, out):
    return evaluate(bundle, tiny_data, out)


@pytest.fixture(scope="module")
def results(evaluation):
    return {(result.section, result.domain): result for result in evaluation.results}


def pairs(path: Path) -> dict[str, str]:
    with path.open(newline="") as file:
        return dict(csv.reader(file))


def clip(tiny_data: Path, name: str) -> np.ndarray:
    domain = "source" if "_source_" in name else "target"
    return read_recording(tiny_data / MACHINE / f"{domain}_test" / name).pcm


@pytest.mark.usefixtures("evaluation")
def test_scores_in_the_files_are_the_integers_of_the_detector(bundle, tiny_data, out):
    detector = AutoencoderDetector(bundle)
    seen = 0
    for section, domain in TEST:
        threshold = bundle.thresholds[section].score
        scores = pairs(out / f"anomaly_score_fan_section_{section}_{domain}_test.csv")
        decisions = pairs(out / f"decision_result_fan_section_{section}_{domain}_test.csv")
        assert list(decisions) == list(scores)
        for name, score in scores.items():
            expected = mean_score(detector.window_scores(log_mel(clip(tiny_data, name), bundle.features), "00"))
            assert score == str(expected)
            assert decisions[name] == str(int(expected > threshold))
            seen += 1
    assert seen == 14


@pytest.mark.usefixtures("evaluation")
def test_float_scores_are_those_of_an_independent_computation(run_folder, tiny_data, out, bundle):
    """The published formula in NumPy, and the Keras model itself instead of the .tflite file."""
    model = Run.load(run_folder).load_model(run_folder)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    bank = mel_filterbank(bundle.features)
    for section, domain in TEST:
        for name, score in pairs(out / "float" / f"anomaly_score_fan_section_{section}_{domain}_test.csv").items():
            x = clip(tiny_data, name) / 32768
            frames = np.stack([x[i : i + 1024] for i in range(0, len(x) - 1023, 512)])
            power = np.abs(np.fft.rfft(frames * window)) ** 2
            db = 10 * np.log10(np.maximum(power @ bank.T, 2.22e-16))
            windows = np.stack([db[i : i + 5].ravel() for i in range(len(db) - 4)]).astype(np.float32)
            expected = np.mean((np.asarray(model(windows), dtype=np.float64) - windows) ** 2)
            assert float(score) == pytest.approx(expected, rel=1e-5)


def test_int8_scores_are_near_the_float_ones(evaluation):
    for scored in evaluation.clips:
        assert scored.shipped / 65536 == pytest.approx(scored.floating, rel=0.05)


def test_every_cell_has_its_row_and_counts(results, evaluation):
    assert {cell: (r.n_normal, r.n_anomaly) for cell, r in results.items()} == TEST
    assert [r.machine for r in evaluation.results] == [MACHINE] * 3
    assert evaluation.notes == [
        "14 of 14 clips do not last 1.5 s, the span that the thresholds belong to. Each clip is scored over its "
        "whole length: scores of shorter ones vary more, those of longer ones less.",
        "Section 01 has no target test clips.",
    ]


def test_a_cell_without_anomalies_has_nulls_and_counts(results):
    found = asdict(results["00", "target"])
    assert (found["n_normal"], found["n_anomaly"]) == (2, 0)
    figures = set(found) - {"machine", "section", "domain", "n_normal", "n_anomaly", "false_positive_rate"}
    assert len(figures) == 16
    assert {found[name] for name in figures} == {None}
    assert found["false_positive_rate"] in (0, 0.5, 1)


@pytest.mark.parametrize("cell", [("00", "source"), ("01", "source")])
def test_figures_follow_from_the_files(results, tiny_data, out, cell):
    section, domain = cell
    name = f"fan_section_{section}_{domain}_test.csv"
    everything = pairs(out / f"anomaly_score_{name}")
    scores = {key: int(value) for key, value in everything.items() if not UNLABELLED.endswith(key)}
    labels = ["_anomaly_" in key for key in scores]
    floats = {k: float(v) for k, v in pairs(out / "float" / f"anomaly_score_{name}").items()}
    levels = [np.mean(clip(tiny_data, key).astype(float) ** 2) for key in scores]
    found = results[cell]
    assert found.auc_shipped == roc_auc_score(labels, list(scores.values()))
    assert found.pauc_shipped == roc_auc_score(labels, list(scores.values()), max_fpr=0.1)
    assert found.auc_float == roc_auc_score(labels, [floats[key] for key in scores])
    assert found.pauc_float == roc_auc_score(labels, [floats[key] for key in scores], max_fpr=0.1)
    assert found.auc_level == roc_auc_score(labels, levels)
    assert found.auc_drop == found.auc_float - found.auc_shipped
    flagged = [pairs(out / f"decision_result_{name}")[key] == "1" for key in scores]
    assert found.recall == sum(f and a for f, a in zip(flagged, labels, strict=True)) / sum(labels)


def test_the_drop_is_what_int8_loses(bundle, tiny_data):
    clips = list(Dataset(tiny_data, MACHINE).select(split="test", section="00", domain="source"))
    assert [c.name.label for c in clips] == ["anomaly"] * 3 + ["normal"] * 3
    limit = bundle.thresholds["00"].score
    shipped, floating, level = [limit + 1, limit, 0, 0, limit, 7], [3.0, 2.5, 2.0, 1.0, 1.0, 1.0], [0, 0, 0, 1, 1, 1]
    fixed_point = [3.0, 2.5, 0.5, 1.0, 1.0, 1.0]
    group = [
        ClipScores(clip, a, fixed, b, db, 45)
        for clip, a, fixed, b, db in zip(clips, shipped, fixed_point, floating, level, strict=True)
    ]
    (row,) = rows_of([clip.name.label for clip in clips], ["source"] * 6, measures_of(2021))
    found = evaluate_row(bundle.machine, "00", row, limit, group)
    assert (found.auc_float, found.auc_fixed, found.auc_level) == (1.0, 6 / 9, 0.0)
    assert found.auc_shipped == pytest.approx(6 / 9)  # 3 + 2.5 + 0.5 of 9 pairs
    assert found.auc_drop == 1.0 - found.auc_shipped
    assert (found.precision, found.recall, found.f1) == (1.0, 1 / 3, 0.5)
    assert found.false_positive_rate == 0
    assert found.auc_drop_low <= found.auc_drop <= found.auc_drop_high
    assert found.pauc_drop == found.pauc_float - found.pauc_shipped


@pytest.mark.usefixtures("evaluation")
def test_a_clip_without_a_label_is_scored_but_not_counted(out, results):
    name = UNLABELLED.split("/")[1]
    assert name in pairs(out / "anomaly_score_fan_section_01_source_test.csv")
    assert results["01", "source"].n_normal + results["01", "source"].n_anomaly == 5


def test_the_documents_say_the_same(evaluation, out):
    document = json.loads((out / "evaluation.json").read_text(), parse_constant=pytest.fail)
    assert document["results"] == [result.as_dict() for result in evaluation.results]
    assert document["notes"] == evaluation.notes
    assert document["mean_auc_drop"] is None  # no section has ten clips of both classes
    floats, shipped = [s.floating for s in evaluation.clips], [s.shipped / 65536 for s in evaluation.clips]
    by_section = [[s for s in evaluation.clips if s.clip.name.section == section] for section in ("00", "01")]
    correlations = [np.corrcoef([s.floating for s in own], [s.shipped for s in own])[0, 1] for own in by_section]
    assert document["score_correlation"] == pytest.approx(min(correlations), rel=1e-12)
    errors = [abs(b - a) / a for a, b in zip(floats, shipped, strict=True)]
    assert document["max_relative_score_error"] == pytest.approx(max(errors), rel=1e-12)
    assert document["distinct_score_ratio"] == len(set(shipped)) / len(set(floats))
    assert document["saturation"] == evaluation.saturated_share
    assert (out / "agreement.png").read_bytes().startswith(b"\x89PNG")
    with (out / "result.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["fan"]
    assert [line[:2] for line in lines[2:5]] == [["00", "source"], ["01", "source"], ["00", "target"]]
    assert lines[2][2:4] == [str(evaluation.results[0].auc_shipped), str(evaluation.results[0].pauc_shipped)]
    assert lines[4][2:] == [""] * 5
    assert sorted(path.name for path in (out / "fixed").iterdir()) == [
        f"anomaly_score_fan_section_{section}_{domain}_test.csv" for section, domain in sorted(TEST)
    ]


def test_one_domain_is_judged_by_its_own_threshold(bundle, tiny_data, tmp_path, evaluation):
    scores = sorted(s.shipped for s in evaluation.clips if s.clip.name.domain == "source")
    own = replace(bundle.thresholds["00"], score=scores[len(scores) // 2])
    thresholds = {**bundle.thresholds, "00": replace(bundle.thresholds["00"], domains={"source": own})}
    found = evaluate(replace(bundle, thresholds=thresholds), tiny_data, tmp_path, domain="source")
    assert [(r.section, r.domain) for r in found.results] == [("00", "source"), ("01", "source")]
    assert found.notes == [
        "Section 01 has no threshold of its own for the domain source; the section's decides.",
        "12 of 12 clips do not last 1.5 s, the span that the thresholds belong to. Each clip is scored over its "
        "whole length: scores of shorter ones vary more, those of longer ones less.",
    ]
    for section, limit in (("00", own.score), ("01", bundle.thresholds["01"].score)):
        name = f"fan_section_{section}_source_test.csv"
        written = pairs(tmp_path / f"anomaly_score_{name}")
        assert pairs(tmp_path / f"decision_result_{name}") == {
            clip: str(int(int(score) > limit)) for clip, score in written.items()
        }
    assert own.score != bundle.thresholds["00"].score
    assert {path.name for path in tmp_path.glob("*target*")} == set()


def test_a_section_that_the_bundle_lacks_is_left_out_and_said(bundle, tiny_data, tmp_path):
    smaller = replace(bundle, thresholds={"01": bundle.thresholds["01"]})
    found = evaluate(smaller, tiny_data, tmp_path / "out")
    assert [(r.section, r.domain) for r in found.results] == [("01", "source")]
    assert "Section 00 is not in this bundle and was left out." in found.notes


def test_data_that_cannot_be_evaluated_is_refused(bundle, tiny_data, tmp_path):
    other = replace(bundle, thresholds={"07": bundle.thresholds["01"]})
    with pytest.raises(DataError, match=r"no test clips of the bundle's sections \(07\)"):
        evaluate(other, tiny_data, tmp_path / "out")
    with pytest.raises(DataError, match="has no machine 'pump'"):
        evaluate(replace(bundle, machine="pump"), tiny_data, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Choose another --out"):
        evaluate(bundle, tiny_data, tmp_path / "file")


def test_a_broken_clip_is_named_and_no_result_is_written(bundle, tiny_data, tmp_path):
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    broken = data / MACHINE / "source_test" / UNLABELLED.split("/")[1]
    broken.write_bytes(broken.read_bytes()[:1000])
    with pytest.raises(DataError, match=broken.name):
        evaluate(bundle, data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_before_all_is_computed(bundle, tiny_data, tmp_path, monkeypatch):
    from edge_asd.quantize.evaluation import cost, cost_rows

    calls = []

    def interrupt(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(cost_rows, "paired_difference_interval", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cost.evaluate(bundle, tiny_data, tmp_path)
    assert list(tmp_path.iterdir()) == []
