"""The reproduction's command, on the tiny data set: kept, resumed, refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score

from edge_asd.errors import DataError
from edge_asd.quantize.jobs.reproduce import reproduce
from edge_asd.sweeps.running import Standing
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.report.figures import Figures
from edge_asd.train.report.results_json import read_results
from edge_asd.train.runs.fitting import Settings
from edge_asd.train.runs.run import Run
from edge_asd.train.runs.scoring import FloatScorer
from tests.cli.command import assert_error
from tests.data import MACHINE, TEST
from tests.quantize.evaluation.test_years import modern

AE = Settings(model="ae", epochs=2, batch_size=64)
NETWORK = Settings(model="mobilenetv2", epochs=1)


def call(data: Path, out: Path, settings=(AE,), **options):
    return reproduce(data, out, settings, machines=[MACHINE], **options)


@pytest.fixture(scope="module")
def done(tiny_data, tmp_path_factory):
    """What an uninterrupted call returns, its folder, and that folder as it was when seed 1 began."""
    folder = tmp_path_factory.mktemp("reproduction")
    out, half = folder / "out", folder / "half"

    def progress(now: Standing) -> None:
        if "seed 1" in now.name and not half.exists():
            shutil.copytree(out, half)

    return call(tiny_data, out, seeds=(0, 1), int8=True, progress=progress), out, half


def test_every_cell_is_scored_in_every_column_by_every_seed(done):
    results = done[0].results
    assert {(cell.section, cell.domain, cell.seed) for cell in results.cells} == {
        (*cell, seed) for cell in TEST for seed in (0, 1)
    }
    for cell in results.cells:
        assert list(cell.scores) == ["float", "fixed", "shipped"]
        assert cell.scores["fixed"] == pytest.approx(cell.scores["float"], rel=1e-3)
        assert cell.scores["shipped"] == pytest.approx(cell.scores["float"], rel=0.1)
    assert not results.data.is_mimii_due
    assert results.arguments.seeds == (0, 1)


def test_the_report_and_the_official_files_are_there(done):
    result, out, _ = done
    html = result.written.html.read_text()
    assert "not MIMII DUE" in html
    assert "data:image/png;base64," in html
    assert sorted(path.name for path in out.iterdir()) == [
        "ae", "bundles", "parts", "report.html", "results.json", "runs",
    ]  # fmt: skip
    assert read_results(out / "results.json") == result.results


def test_what_is_finished_is_kept(done, tiny_data, tmp_path):
    out = Path(shutil.copytree(done[1], tmp_path / "out"))
    shutil.rmtree(out / "runs")  # nothing is trained again
    (out / "report.html").unlink()
    again = call(tiny_data, out, seeds=(0, 1), int8=True)
    assert again.results.cells == done[0].results.cells
    assert not (out / "runs").exists()
    assert again.written.html.is_file()


@pytest.mark.prove
def test_a_call_that_was_stopped_goes_on(done, tiny_data, tmp_path):
    out = Path(shutil.copytree(done[2], tmp_path / "out"))

    def stop(now: Standing) -> None:
        if "seed 1" in now.name and (now.stage, now.done, now.total) == ("training: epochs", 1, 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(tiny_data, out, seeds=(0, 1), int8=True, progress=stop)
    assert len(list((out / "parts").iterdir())) == 1
    steps: list[Standing] = []
    again = call(tiny_data, out, seeds=(0, 1), int8=True, progress=steps.append)
    assert again.results == done[0].results
    assert {step.name for step in steps} == {
        "fan 00,01, ae, seed 1",
        "report's figures",
        "pictures of fan's clips",
        "pictures of fan's scores",
    }
    assert [(step.done, step.total) for step in steps if step.stage == "training: epochs"] == [(2, 2)]


@pytest.mark.parametrize("other", [Settings(model="ae", epochs=3, batch_size=64), Settings(model="ae", epochs=2)])
def test_other_settings_do_not_mix_with_what_is_kept(done, tiny_data, other):
    with pytest.raises(DataError, match="was made with other settings or other data"):
        call(tiny_data, done[1], (other,), int8=True)


def test_other_data_does_not_mix_with_what_is_kept(done, tiny_data, tmp_path):
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    next((data / MACHINE / "source_test").glob("*.wav")).unlink()
    with pytest.raises(DataError, match="was made with other settings or other data"):
        call(data, done[1], int8=True)


def test_what_cannot_be_trained_is_said(tiny_data, tmp_path):
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    for clip in (data / MACHINE / "train").glob("section_01_*"):
        clip.unlink()
    with pytest.raises(DataError, match=r"section 01 has no training clips .* section 00 alone has nothing to be told"):
        call(data, tmp_path / "out", (NETWORK,))


@pytest.mark.prove
def test_where_no_threshold_can_be_fitted_none_is_kept(tiny_data, tmp_path):
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    for clip in sorted((data / MACHINE / "train").glob("section_00_*"))[2:]:
        clip.unlink()
    done = call(data, tmp_path / "out", (replace(AE, faithful=True, epochs=1),), sections=["00"])
    assert len(done.results.cells) == 2
    assert [dict(cell.thresholds) for cell in done.results.cells] == [{}, {}]
    (note,) = [note for note in done.results.notes if "no threshold" in note]
    assert note == (
        "fan: no threshold, so no precision, recall and F1. A gamma distribution has three parameters, "
        "and there are 2 held-back clips: record more healthy ones."
    )
    assert "No thresholds were fitted" in done.written.html.read_text()


def test_float_thresholds_are_float_scores_themselves(done, tiny_data):
    result, out, _ = done
    run = Run.load(out / "runs" / "fan_00-01_ae_seed0")
    clips = [
        clip for clip in Dataset(tiny_data, MACHINE).clips if clip.key in run.held_back and clip.name.section == "01"
    ]
    features = FeatureCache().features(clips, run.features, 5, kind="float")
    scorer = FloatScorer(run, run.load_model(out / "runs" / "fan_00-01_ae_seed0"))
    (score,) = scorer.clip_scores(features, ["01"])
    (cell,) = [cell for cell in result.results.cells if (cell.seed, cell.section) == (0, "01")]
    assert cell.thresholds["float"] == pytest.approx(score, rel=1e-6)
    assert cell.thresholds["float"] * 65536 % 1 != 0


def test_a_set_of_a_later_year_is_judged_by_its_measures(tiny_data, tmp_path):
    data, out = modern(tiny_data, tmp_path / "data"), tmp_path / "out"
    once = (replace(AE, epochs=1),)
    results = call(data, out, once).results
    assert results.arguments.year == 2024
    assert {(cell.section, cell.domain) for cell in results.cells} == set(TEST)
    source, target = (cell for cell in results.cells if cell.section == "00")
    anomalous = [s for s, label in zip(source.scores["float"], source.labels, strict=True) if label == "anomaly"]
    rows = Figures(results).official["ae", 0]
    labels, scores = [False] * 2 + [True] * 3, [*target.scores["float"], *anomalous]
    assert [row.values[0] for row in rows if row.domain == "target"] == [roc_auc_score(labels, scores)]
    assert [row.values[1] for row in rows][:2] == [rows[0].values[1]] * 2
    assert read_results(out / "results.json") == results
    assert (out / "ae/seed_0/result.csv").read_text().splitlines()[1].startswith("section,AUC (source),AUC (target)")
    with pytest.raises(DataError, match="was made with other settings or other data"):
        call(data, out, once, year=2021)
    assert call(data, out, once, year=2024).results.cells == results.cells

    (data / MACHINE).rename(data / "pump")
    shutil.copytree(tiny_data / MACHINE, data / MACHINE)
    with pytest.raises(DataError, match=r"are of several years: fan 2021, pump 2024\. Give --year"):
        reproduce(data, tmp_path / "both", once, machines=["fan", "pump"])
    assert not (tmp_path / "both").exists()


def test_the_command(tiny_data, tmp_path, command):
    arguments = ("reproduce", tiny_data, "--out", tmp_path / "out", "--model", "ae", "--ae-epochs", "1", "--json")
    done = command(*arguments, "--faithful", "--sections", "00")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout, parse_constant=pytest.fail)
    assert document["is_mimii_due"] is False
    assert [(row["section"], row["domain"], row["column"]) for row in document["results"]] == [
        ("00", "source", "float"),
        ("00", "target", "float"),
    ]
    assert document["results"][1]["auc"] is None
    results = read_results(tmp_path / "out" / "results.json")
    assert results.arguments.command == (
        "edge-asd reproduce DATA --model ae --ae-epochs 1 --json --faithful --sections 00 --out DIR"
    )
    assert results.arguments.faithful
    assert_error(command(*arguments, "--negatives", "pump"), "leave --negatives out")
