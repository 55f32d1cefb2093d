"""Official figures of score files in each year's names, with the ground truth of its layout, and ``result.csv``."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy.stats import hmean
from sklearn.metrics import roc_auc_score

from edge_asd.errors import DataError
from edge_asd.train.figures.means import Row
from edge_asd.train.figures.measures import measures_of
from edge_asd.train.figures.official_csv import check_result_replaceable, write_result
from edge_asd.train.figures.official_figures import official_figures
from edge_asd.train.figures.score_files import decisions_name, scores_name, write_pairs
from tests.train.figures.test_measures import DOMAINS, LABELS, PAUC_ALL, SCORES

SHORT = [f"section_00_{i:04d}.wav" for i in range(8)]
LONG = [
    f"section_00_{domain}_test_{label}_{i:04d}_noAttribute.wav"
    for i, (domain, label) in enumerate(zip(DOMAINS, LABELS, strict=True))
]
LIMIT = 3.5


def write_scores(folder: Path, names, machine: str = "fan", year: int = 2022) -> Path:
    write_pairs(folder / scores_name(machine, "00", None, year), zip(names, SCORES, strict=True))
    decided = [int(score > LIMIT) for score in SCORES]
    write_pairs(folder / decisions_name(machine, "00", None, year), zip(names, decided, strict=True))
    return folder


def write_truth(root: Path, *, domains: bool = True, names=SHORT, machine: str = "fan") -> Path:
    name = f"ground_truth_{machine}_section_00_test.csv"
    write_pairs(root / "ground_truth_data" / name, zip(names, (int(one == "anomaly") for one in LABELS), strict=True))
    if domains:
        values = (int(one == "target") for one in DOMAINS)
        write_pairs(root / "ground_truth_domain" / name, zip(names, values, strict=True))
    write_pairs(root / "ground_truth_attributes" / name, zip(names, LONG, strict=True))
    return root


def test_names_of_files_by_year():
    assert scores_name("fan", "03", None, 2020) == "anomaly_score_fan_id_03.csv"
    assert scores_name("fan", "03", "target", 2021) == "anomaly_score_fan_section_03_target_test.csv"
    assert scores_name("fan", "03", None, 2026) == "anomaly_score_fan_section_03_test.csv"
    assert decisions_name("fan", "03", None, 2022) == "decision_result_fan_section_03_test.csv"


@pytest.mark.parametrize("told", ["by names", "by folder", "by labels' folder", "by labels' file", "by list"])
def test_figures_of_2022(tmp_path, told):
    scores = write_scores(tmp_path / "scores", LONG if told == "by names" else SHORT)
    root = write_truth(tmp_path / "truth")
    listed = root / "eval_data_list_2022.csv"
    listed.write_text("fan\n" + "".join(f"{a},{b}\n" for a, b in zip(SHORT, LONG, strict=True)) + "\nvalve\n")
    truth = {
        "by names": None,
        "by folder": root,
        "by labels' folder": root / "ground_truth_data",
        "by labels' file": root / "ground_truth_data" / "ground_truth_fan_section_00_test.csv",
        "by list": listed,
    }[told]
    done = official_figures([scores], ground_truth=truth, resamples=200)
    assert done.measures.year == 2022
    pauc = pytest.approx(PAUC_ALL)
    assert [(r.domain, r.n_normal, r.n_anomaly) for r in done.results] == [("source", 2, 4), ("target", 2, 4)]
    assert [r.row.values for r in done.results] == [(5 / 8, pauc, 1.0, 0.5, 2 / 3), (4 / 8, pauc, 0.5, 0.5, 0.5)]
    assert done.official == pytest.approx(hmean([5 / 8, 4 / 8, PAUC_ALL]))
    assert done.official_low < done.official < done.official_high
    source, target = done.results
    assert (source.pauc_low, source.pauc_high) == (target.pauc_low, target.pauc_high)
    assert done.notes == []
    assert done.as_dict()["year"] == 2022
    for year in (2023, 2026):
        later = official_figures([scores], year=year, ground_truth=truth, resamples=200)
        assert later.as_dict() == {**done.as_dict(), "year": year}


def test_a_domain_that_nobody_tells(tmp_path):
    scores = write_scores(tmp_path / "scores", SHORT)
    done = official_figures([scores], ground_truth=write_truth(tmp_path, domains=False), resamples=200)
    (row,) = done.results
    truth = [label == "anomaly" for label in LABELS]
    assert (row.domain, row.auc, row.pauc) == (None, roc_auc_score(truth, SCORES), pytest.approx(PAUC_ALL))
    assert (row.n_normal, row.n_anomaly, row.recall) == (4, 4, 0.5)
    assert (done.official, done.official_low, done.official_high) == (None, None, None)
    (note,) = done.notes
    assert note.startswith(
        "No official score, which is of figures by domain, and the domain of some clips is not known"
    )
    with pytest.raises(DataError, match=r"No clip of .* has a label"):
        official_figures([scores])


def test_files_of_2021_by_the_measures_of_2022_and_the_other_way_round(tmp_path):
    """--year says what is computed, whatever the names tell; the clips' domains are known either way."""
    for domain in ("source", "target"):
        mine = [(n, s) for n, s, d in zip(LONG, SCORES, DOMAINS, strict=True) if d == domain]
        write_pairs(tmp_path / "of_2021" / scores_name("fan", "00", domain), mine)
    write_pairs(tmp_path / "of_2022" / scores_name("fan", "00", None, 2022), zip(LONG, SCORES, strict=True))
    folders = [tmp_path / "of_2021"], [tmp_path / "of_2022"]
    found = [[official_figures(f, year=year, resamples=200).as_dict() for f in folders] for year in (2021, 2022)]
    for (from_2021, from_2022), figures in zip(found, ([3 / 4, 2 / 4], [5 / 8, 4 / 8]), strict=True):
        assert from_2021 == from_2022
        assert [row["auc"] for row in from_2021["results"]] == figures
    with pytest.raises(DataError, match=r"is named as in 2021, .* as in 2022\. Give --year"):
        official_figures([*folders[0], write_scores(tmp_path / "pump", LONG, "pump")])
    with pytest.raises(DataError, match="are of the same clips"):
        official_figures([*folders[0], *folders[1]])


def test_names_of_the_baselines_of_2023_and_later(tmp_path):
    name = "DCASE2024T2bandsaw_section_00_test_seed13711_id(0_)_Eval.csv"
    write_pairs(tmp_path / f"anomaly_score_{name}", zip(SHORT, SCORES, strict=True))
    write_pairs(tmp_path / f"decision_result_{name}", [(name, 1) for name in SHORT])
    done = official_figures([tmp_path], ground_truth=write_truth(tmp_path, machine="bandsaw"))
    assert (done.measures.year, [r.machine for r in done.results]) == (2024, ["bandsaw"] * 2)
    assert [(r.auc, r.recall) for r in done.results] == [(5 / 8, 1.0), (4 / 8, 1.0)]
    write_pairs(tmp_path / f"anomaly_score_{name}".replace("13711", "13712"), zip(SHORT, SCORES, strict=True))
    with pytest.raises(DataError, match="are of the same clips"):
        official_figures([tmp_path])


def test_figures_of_2020(tmp_path):
    told = [f"{label}_id_00_{i:08d}.wav" for i, label in enumerate(LABELS)]
    short = [name.split("_", 1)[1] for name in told]
    write_pairs(tmp_path / "told" / scores_name("fan", "00", None, 2020), zip(told, SCORES, strict=True))
    write_pairs(tmp_path / "short" / scores_name("fan", "00", None, 2020), zip(short, SCORES, strict=True))
    listed = tmp_path / "eval_data_list.csv"
    lines = [f"{a},{b},{int(c == 'anomaly')}\n" for a, b, c in zip(short, told, LABELS, strict=True)]
    listed.write_text("".join(["fan\n", *lines]))
    for folder, truth in (("told", None), ("short", listed), ("short", tmp_path)):
        done = official_figures([tmp_path / folder], ground_truth=truth, resamples=200)
        (row,) = done.results
        assert (done.measures.year, row.section, row.domain, row.auc) == (2020, "00", None, 9 / 16)
        assert row.pauc == pytest.approx(PAUC_ALL)
        assert row.auc_low < row.auc < row.auc_high
        assert (done.official, done.official_low, done.notes) == (None, None, [])


ROWS = [
    Row("fan", "03", "source", (0.75, 0.5, 1.0, 0.5, 2 / 3)),
    Row("fan", "03", "target", (0.25, 0.5, 0.0, 0.0, 0.0)),
    Row("fan", "04", "source", (0.5, 0.25, 0.5, 0.5, 0.5)),
]
BOTH = (
    "AUC (source),AUC (target),pAUC,precision (source),precision (target),recall (source),recall (target),"
    "F1 score (source),F1 score (target)"
)


def test_the_table_of_2022(tmp_path):
    """As Kota-Dohi/dcase2022_task2_baseline_ae writes it; section 04 has no target clips."""
    write_result(tmp_path / "result.csv", ROWS, measures_of(2022))
    lines = (tmp_path / "result.csv").read_text().splitlines()
    assert lines[:4] == [
        "fan",
        f"section,{BOTH}",
        f"03,0.75,0.25,0.5,1.0,0.0,0.5,0.0,{2 / 3},0.0",
        "04,0.5,,0.25,0.5,,0.5,,0.5,",
    ]
    assert lines[4] == f"arithmetic mean,0.625,0.25,0.375,0.75,0.0,0.5,0.0,{(2 / 3 + 0.5) / 2},0.0"
    assert [float(cell) for cell in lines[5].split(",")[1:4]] == pytest.approx([0.6, 0.25, 1 / 3])
    assert lines[6:8] == ["", f",{BOTH}"]
    assert lines[8] == '"arithmetic mean over all machine types, sections, and domains"' + lines[4][15:]
    assert len(lines) == 11
    for _ in range(2):
        check_result_replaceable(tmp_path / "result.csv")


def test_the_table_where_no_domain_is_known(tmp_path):
    write_result(tmp_path / "result.csv", [Row("fan", "00", None, (0.5, 0.5, 1.0, 1.0, 1.0))], measures_of(2023))
    lines = (tmp_path / "result.csv").read_text().splitlines()
    assert lines[:3] == ["fan", "section,AUC,pAUC,precision,recall,F1 score", "00,0.5,0.5,1.0,1.0,1.0"]
    assert lines[6] == ",AUC,pAUC,precision,recall,F1 score"
    check_result_replaceable(tmp_path / "result.csv")


def test_the_table_of_2020(tmp_path):
    """As y-kawagu/dcase2020_task2_evaluator (README.md) shows it, to the last digit."""
    published = """fan
id,AUC,pAUC
01,0.7939877300613497,0.6181788827897966
03,0.8663687150837989,0.6768597471331961
05,0.869850950290476,0.7075731309293712
Average,0.8434024651452082,0.6675372536174548

pump
id,AUC,pAUC
01,0.8455172413793103,0.7014519056261344
03,0.7973451327433627,0.5891942244993014
05,0.8474193548387097,0.6394312393887945
Average,0.8300939096537941,0.6433591231714101

"""
    rows, machine = [], ""
    for line in published.splitlines():
        cells = line.split(",")
        machine = cells[0] if len(cells) == 1 and cells[0] else machine
        if cells[0].isdigit():
            rows.append(Row(machine, cells[0], None, (float(cells[1]), float(cells[2]), None, None, None)))
    write_result(tmp_path / "result.csv", rows, measures_of(2020))
    assert (tmp_path / "result.csv").read_text() == published
    check_result_replaceable(tmp_path / "result.csv")
