"""Official figures from score files: the published ones, ours, and everybody's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.cli import app
from edge_asd.quantize.evaluation.cost import evaluate
from tests.cli.command import Command, assert_error, edge_asd


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[str, str]:
    """Run the command in this process; standard output and error come back."""
    app(["metrics", *map(str, arguments)], standalone_mode=False)
    return capsys.readouterr()


def test_the_published_result_is_rebuilt_byte_for_byte(official_format: Path, tmp_path: Path) -> None:
    out = tmp_path / "result.csv"
    done = edge_asd("metrics", official_format, "--out", out, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert out.read_bytes() == (official_format / "result.csv").read_bytes()
    document = json.loads(done.stdout, parse_constant=pytest.fail)
    assert len(document["results"]) == 8
    assert all(0 <= row["auc_low"] < row["auc"] < row["auc_high"] <= 1 for row in document["results"])
    ranks = [row[figure] for row in document["results"] for figure in ("auc", "pauc")]
    assert document["official"] == pytest.approx(16 / sum(1 / rank for rank in ranks), rel=1e-12)
    for kind in ("arithmetic", "harmonic"):
        last = next(line for line in out.read_text().splitlines() if line.startswith(f'"{kind} mean over'))
        assert [str(value) for value in document[kind].values()] == last.split(",")[-5:]
        assert list(document[kind]) == ["auc", "pauc", "precision", "recall", "f1"]


def test_a_threshold_makes_the_published_decisions(official_format: Path, tmp_path: Path, capsys) -> None:
    for cells in official_format.glob("anomaly_score_*"):
        shutil.copy(cells, tmp_path)
    options = ("--threshold", "9.6", "--bootstrap", 0, "--json", "--out", tmp_path / "result.csv")
    out, err = run(capsys, tmp_path, *options)
    assert err == ""
    assert (tmp_path / "result.csv").read_bytes() == (official_format / "result.csv").read_bytes()
    document = json.loads(out)
    intervals = [
        value
        for row in [document, *document["results"]]
        for key, value in row.items()
        if key.endswith(("_low", "_high"))
    ]
    assert intervals
    assert set(intervals) == {None}


def test_a_person_gets_a_table(official_format: Path, capsys) -> None:
    options = ("--bootstrap", 500, "--seed", 3)
    out, err = run(capsys, official_format, *options)
    assert err == ""
    lines = out.splitlines()
    assert lines[2].split()[:6] == ["fan", "00", "source", "12", "10", "0.679"]
    assert lines[2].split()[-3:] == ["1.000", "0.300", "0.462"]
    assert lines[-1].startswith("Official score, the harmonic mean of all AUC and pAUC: 0.621 [0.5")
    assert run(capsys, official_format, *options).out == out


def test_what_evaluate_wrote_has_the_same_figures(tiny_data: Path, bundle: Bundle, tmp_path: Path, capsys) -> None:
    evaluated = evaluate(bundle, tiny_data, tmp_path / "out").results
    out, err = run(capsys, tmp_path / "out", "--json", "--out", tmp_path / "result.csv")
    assert "Note: fan 01 source: clips without a label, left out." in err.splitlines()
    assert (tmp_path / "result.csv").read_bytes() == (tmp_path / "out/result.csv").read_bytes()
    ours = json.loads(out)["results"]
    floats = json.loads(run(capsys, tmp_path / "out/float", "--json", "--bootstrap", 0).out)["results"]
    assert len(ours) == len(floats) == len(evaluated) == 3
    for theirs, our, floating in zip([result.as_dict() for result in evaluated], ours, floats, strict=True):
        shared = ["machine", "section", "domain", "n_normal", "n_anomaly", "precision", "recall", "f1"]
        assert [our[key] for key in shared] == [theirs[key] for key in shared]
        assert (our["auc"], our["pauc"]) == (theirs["auc_int8"], theirs["pauc_int8"])
        assert (floating["auc"], floating["pauc"]) == (theirs["auc_float"], theirs["pauc_float"])
        assert floating["f1"] is None


def test_errors_and_usage(tmp_path: Path, capsys) -> None:
    path = tmp_path / "anomaly_score_fan_section_00_source_test.csv"
    path.write_text("section_00_source_test_normal_0000.wav,1\nsection_00_source_test_anomaly_0000.wav,nan\n")
    out = tmp_path / "result.csv"
    assert_error(edge_asd("metrics", tmp_path, "--out", out, "--json"), f"{path}, line 2", "finite number")
    assert not out.exists()
    thresholds = ("fan=", "nan", "1e400", "1_000", "fan=1_0", "\N{ARABIC-INDIC DIGIT THREE}", "0x1")
    for option in (["--bootstrap", "7"], ["--seed", "-1"], *(["--threshold", text] for text in thresholds)):
        with pytest.raises(SystemExit) as error:
            app(["metrics", str(tmp_path), *option])
        assert error.value.code == 2
        assert option[0] in capsys.readouterr().err


def test_the_official_table_replaces_csv_files_only(official_format: Path, tmp_path: Path, command: Command) -> None:
    mine = tmp_path / "notes.txt"
    mine.write_text("mine")
    assert_error(command("metrics", official_format, "--out", mine), "a name that ends in .csv, not notes.txt")
    assert mine.read_text() == "mine"


def test_the_official_table_replaces_official_tables_only(tmp_path: Path, command: Command) -> None:
    scores = tmp_path / "anomaly_score_=fan_section_00_source_test.csv"
    lines = [f"section_00_source_test_{label}_000{i}.wav" for i, label in enumerate(["normal", "anomaly"] * 3)]
    scores.write_text("".join(f"{name},{i}\n" for i, name in enumerate(lines)))
    decisions = tmp_path / scores.name.replace("anomaly_score", "decision_result")
    decisions.write_text("".join(f"{name},{i % 2}\n" for i, name in enumerate(lines)))
    notes = tmp_path / "notes.csv"
    notes.write_text("mine\nsection,domain\n")
    for path in (scores, decisions, notes):
        before = path.read_bytes()
        assert_error(command("metrics", tmp_path, "--out", path), "is not a table of results, and is not replaced")
        assert path.read_bytes() == before
    out = tmp_path / "result.csv"
    for _ in range(2):  # the second replaces the first
        assert command("metrics", tmp_path, "--out", out, "--bootstrap", 0).returncode == 0
        assert out.read_text().splitlines()[:2] == ["'=fan", "section,domain,AUC,pAUC,precision,recall,F1 score"]


def test_the_year_is_told_or_given(official_format: Path, capsys) -> None:
    """The published files by the measures of 2022: both domains' anomalies, and each section's pAUC once."""
    options = ("--bootstrap", 0, "--json")
    before, after = (json.loads(run(capsys, official_format, *options, *more).out) for more in ((), ("--year", 2022)))
    assert (before["year"], after["year"]) == (2021, 2022)
    assert [row["n_anomaly"] for row in after["results"]] == [2 * row["n_anomaly"] for row in before["results"]]
    for row in after["results"]:
        (other,) = [
            one
            for one in after["results"]
            if (one["machine"], one["section"]) == (row["machine"], row["section"]) and one["domain"] != row["domain"]
        ]
        assert row["pauc"] == other["pauc"]
    once = [row["pauc"] for row in after["results"] if row["domain"] == "source"]
    counted = [row["auc"] for row in after["results"]] + once
    assert after["official"] == pytest.approx(len(counted) / sum(1 / value for value in counted), rel=1e-12)
    text = run(capsys, official_format, "--bootstrap", 0, "--year", 2024).out.splitlines()
    assert text[-3].startswith("Measures of DCASE 2024 Task 2 (nttcslab/dcase2024_task2_evaluator, arXiv:2406.07250).")
    assert text[-1].startswith("Official score, the harmonic mean of all AUC and pAUC, a section's pAUC counted once: ")
    for year in ("2019", "2027", "x"):
        with pytest.raises(SystemExit) as error:
            app(["metrics", str(official_format), "--year", year])
        assert error.value.code == 2
        assert ("there are measures of 2020 to 2026" in capsys.readouterr().err) == (year != "x")


def test_figures_of_2021_are_what_they_were(official_format: Path, capsys) -> None:
    """To the last digit as before there were other years' measures (version 0.1)."""
    document = json.loads(run(capsys, official_format, "--bootstrap", 300, "--json").out)
    first, last = document["results"][0], document["results"][-1]
    auc, pauc, official = (
        tuple(row[name + end] for end in ("", "_low", "_high"))
        for row, name in ((first, "auc"), (last, "pauc"), (document, "official"))
    )
    assert auc == (
        0.6791666666666667,
        0.43333333333333335,
        0.8710416666666665,
    )
    assert pauc == (
        0.5789473684210527,
        0.47368421052631576,
        0.7853070175438595,
    )
    assert official == (
        0.6207409852334899,
        0.5331400045681557,
        0.7008920338637192,
    )
