"""Evaluation of a set in the layout of 2022 and later: one test folder, domains that names may not tell."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from edge_asd.errors import DataError
from edge_asd.quantize.evaluation.cost import evaluate
from edge_asd.train.figures.official_figures import official_figures
from tests.data import MACHINE, UNLABELLED


def pairs(path: Path) -> dict[str, str]:
    with path.open(newline="") as file:
        return dict(csv.reader(file))


def modern(tiny_data: Path, root: Path) -> Path:
    """Copy the tiny set into the layout of 2022 and later, its clip without a label in the names of those years."""
    shutil.copytree(tiny_data / MACHINE / "train", root / MACHINE / "train")
    (root / MACHINE / "test").mkdir()
    for path in sorted((tiny_data / MACHINE).glob("*_test/*.wav")):
        name = f"{path.stem}_noAttribute.wav" if not UNLABELLED.endswith(path.name) else "section_01_0009.wav"
        shutil.copy(path, root / MACHINE / "test" / name)
    return root


@pytest.fixture(scope="module")
def data(tiny_data, tmp_path_factory):
    return modern(tiny_data, tmp_path_factory.mktemp("modern"))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("results") / "fan"


@pytest.fixture(scope="module")
def evaluation(bundle, data, out):
    return evaluate(bundle, data, out)


def test_rows_share_the_anomalies_and_the_pauc(evaluation, out, bundle):
    assert evaluation.measures.mixed
    found = {(r.section, r.domain): r for r in evaluation.results}
    # Section 00 has 3 + 3 source clips and 2 + 0 target ones, section 01 has 2 + 3 source ones.
    assert {cell: (r.n_normal, r.n_anomaly) for cell, r in found.items()} == {
        ("00", "source"): (3, 3),
        ("01", "source"): (2, 3),
        ("00", "target"): (2, 3),
    }
    for column, suffix in (("shipped", ""), ("float", "float"), ("fixed", "fixed")):
        scores = pairs(out / suffix / "anomaly_score_fan_section_00_test.csv")
        names, values = list(scores), np.array(list(map(float, scores.values())))
        anomaly = np.array(["_anomaly_" in name for name in names])
        for domain in ("source", "target"):
            mine = anomaly | np.array([f"_{domain}_" in name for name in names])
            result = found["00", domain]
            assert getattr(result, f"auc_{column}") == roc_auc_score(anomaly[mine], values[mine])
            assert getattr(result, f"pauc_{column}") == roc_auc_score(anomaly, values, max_fpr=0.1)
    target = found["00", "target"]
    assert (target.precision, target.recall, target.f1) == (None, None, None)  # it has no anomaly of its own
    assert target.false_positive_rate in (0, 0.5, 1)
    assert target.auc_drop_low <= target.auc_drop <= target.auc_drop_high


def test_the_threshold_decides_whatever_the_domain(evaluation, out, bundle):
    assert sorted(path.name for path in out.glob("*_section_*")) == [
        f"{what}_fan_section_{section}_test.csv"
        for what in ("anomaly_score", "decision_result")
        for section in ("00", "01")
    ]
    for section, count in (("00", 8), ("01", 6)):
        scores = pairs(out / f"anomaly_score_fan_section_{section}_test.csv")
        limit = bundle.thresholds[section].score
        assert len(scores) == count
        assert pairs(out / f"decision_result_fan_section_{section}_test.csv") == {
            name: str(int(int(score) > limit)) for name, score in scores.items()
        }


def test_metrics_of_the_files_are_the_same(evaluation, out):
    done = official_figures([out])
    assert done.measures.mixed
    found = [r.row.values for r in done.results]
    assert found == [(r.auc_shipped, r.pauc_shipped, r.precision, r.recall, r.f1) for r in evaluation.results]
    counted = [r.auc_shipped for r in evaluation.results] + [r.pauc_shipped for r in evaluation.results[:2]]
    assert done.official == pytest.approx(len(counted) / sum(1 / max(value, np.finfo(float).eps) for value in counted))
    lines = (out / "result.csv").read_text().splitlines()
    assert lines[0] == "fan"
    assert lines[1].startswith("section,AUC (source),AUC (target),pAUC,precision (source)")
    assert [line.split(",")[0] for line in lines[2:4]] == ["00", "01"]
    assert lines[3].split(",")[2] == ""
    document = json.loads((out / "evaluation.json").read_text(), parse_constant=pytest.fail)
    assert document["year"] == evaluation.measures.year
    assert "Section 01 has no target test clips." in document["notes"]


def test_the_set_of_2021_by_the_measures_of_2022_and_the_other_way_round(evaluation, bundle, data, tiny_data, tmp_path):
    before, picture = evaluate(bundle, tiny_data, tmp_path / "a"), tmp_path / "a" / "hears.png"
    assert (tmp_path / "a" / "anomaly_score_fan_section_00_source_test.csv").is_file()
    picture.touch()
    of_2022 = evaluate(bundle, tiny_data, tmp_path / "a", year=2022)
    assert [r.as_dict() for r in of_2022.results] == [r.as_dict() for r in evaluation.results]
    # Nothing of the earlier result is left to be taken for this one's.
    for folder in ("", "float", "fixed"):
        names = [path.name for path in (tmp_path / "a" / folder).glob("anomaly_score_*")]
        assert sorted(names) == [f"anomaly_score_fan_section_{section}_test.csv" for section in ("00", "01")]
    assert len(official_figures([tmp_path / "a"]).results) == len(of_2022.results)
    assert not picture.exists()
    of_2021 = evaluate(bundle, data, tmp_path / "b", year=2021)
    # The clip without a label is of unknown domain here, and a row of its own.
    assert [r.as_dict() for r in of_2021.results[1:]] == [r.as_dict() for r in before.results]
    assert (of_2021.results[0].section, of_2021.results[0].domain, of_2021.results[0].auc_shipped) == ("01", None, None)


def test_one_domain_alone_cannot_be_chosen(bundle, data, tmp_path):
    with pytest.raises(DataError, match=r"takes the anomalies of both .* leave --domain out, or give --year 2021"):
        evaluate(bundle, data, tmp_path / "out", domain="source")
    with pytest.raises(DataError, match=r"By the measures of 2020, there are no domains: leave --domain out"):
        evaluate(bundle, data, tmp_path / "out", domain="source", year=2020)
    assert not (tmp_path / "out").exists()


def test_domains_come_from_the_ground_truth(evaluation, bundle, data, tmp_path):
    hidden = Path(shutil.copytree(data, tmp_path / "data"))
    rows: dict[str, list[list[str]]] = {"00": [], "01": []}
    for section, of_section in rows.items():
        for i, path in enumerate(sorted((hidden / MACHINE / "test").glob(f"section_{section}_*_test_*"))):
            name = f"section_{section}_{i:04d}.wav" if i < 9 else ""
            path.rename(path.with_name(name))
            of_section.append([name, str(int("_anomaly_" in path.name)), str(int("_target_" in path.name))])
    (hidden / MACHINE / "test" / "section_01_0009.wav").unlink()
    together = evaluate(bundle, hidden, tmp_path / "a")
    assert [(r.section, r.domain, r.n_normal, r.auc_shipped) for r in together.results] == [
        ("00", None, 0, None),
        ("01", None, 0, None),
    ]
    assert any(note.startswith("The domain of test clips of section 00, 01 is not known") for note in together.notes)
    for column, folder in ((1, "ground_truth_data"), (2, "ground_truth_domain")):
        (tmp_path / "truth" / folder).mkdir(parents=True)
        for section, of_section in rows.items():
            text = "".join(f"{row[0]},{row[column]}\n" for row in of_section)
            (tmp_path / "truth" / folder / f"ground_truth_fan_section_{section}_test.csv").write_text(text)
    told = evaluate(bundle, hidden, tmp_path / "b", ground_truth=tmp_path / "truth")
    assert [r.as_dict() for r in told.results] == [r.as_dict() for r in evaluation.results]
