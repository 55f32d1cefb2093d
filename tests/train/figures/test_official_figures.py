from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hmean
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from edge_asd.errors import DataError
from edge_asd.train.figures.bootstrap import auc_interval, cell_seed, pauc_interval
from edge_asd.train.figures.official_figures import official_figures
from edge_asd.train.figures.score_files import decisions_name, scores_name, write_pairs

EPSILON = np.finfo(float).eps


def names(section: str, domain: str, labels: list[bool], *, told: bool = True) -> list[str]:
    words = [f"{'anomaly' if label else 'normal'}_" if told else "" for label in labels]
    return [f"section_{section}_{domain}_test_{word}{i:04d}.wav" for i, word in enumerate(words)]


def write_cell(folder: Path, cell, labels, scores, decisions=None, *, told: bool = True) -> None:
    clips = names(*cell[1:], labels, told=told)
    write_pairs(folder / scores_name(*cell), zip(clips, scores, strict=True))
    if decisions is not None:
        write_pairs(folder / decisions_name(*cell), zip(clips, map(int, decisions), strict=True))


def write_truth(folder: Path, cell, labels) -> Path:
    path = folder / f"ground_truth_{cell[0]}_section_{cell[1]}_{cell[2]}_test.csv"
    write_pairs(path, zip(names(*cell[1:], labels, told=False), map(int, labels), strict=True))
    return path


FAN = ("fan", "00", "source")
LABELS = [False, False, False, True, True, True]
SCORES = [1.0, 2.0, 4.0, 3.0, 5.0, 6.0]

SETS = st.lists(
    st.lists(st.tuples(st.booleans(), st.integers(-3, 3), st.booleans()), min_size=2, max_size=30).filter(
        lambda clips: len({label for label, _, _ in clips}) == 2
    ),
    min_size=1,
    max_size=2,
)


@settings(max_examples=15)
@given(SETS, st.sampled_from([1, 0.1, 1e-300, 1 / 3 * 1e300]), st.booleans())
def test_figures_are_those_of_scikit_learn_and_scipy(sets, unit, told):
    """Random cells, most with ties, some of scores that are tiny or huge; means over all of them."""
    expected = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for i, clips in enumerate(sets):
            labels, levels, decisions = map(list, zip(*clips, strict=True))
            cell = ("fan", f"{i:02d}", "source")
            scores = [level * unit for level in levels]
            write_cell(folder, cell, labels, scores, decisions, told=told)
            write_truth(folder, cell, labels)
            expected.append(
                [
                    roc_auc_score(labels, scores),
                    roc_auc_score(labels, scores, max_fpr=0.1),
                    *(f(labels, decisions, zero_division=0) for f in (precision_score, recall_score, f1_score)),
                ]
            )
        found = official_figures([folder], ground_truth=None if told else folder)
    document = found.as_dict()
    assert np.abs(np.array([row.values for row in found.rows]) - expected).max() <= 1e-12
    positive = np.maximum(expected, EPSILON)
    assert np.abs(np.array(list(document["arithmetic"].values())) - np.mean(expected, axis=0)).max() <= 1e-12
    assert np.abs(np.array(list(document["harmonic"].values())) - hmean(positive, axis=0)).max() <= 1e-12
    assert abs(document["official"] - hmean(positive[:, :2].ravel())) <= 1e-12
    assert document["notes"] == []


def test_labels_come_from_the_ground_truth(tmp_path):
    write_cell(tmp_path, FAN, LABELS, SCORES, told=False)
    with pytest.raises(DataError, match=r"No clip of .* has a label: .* --ground-truth"):
        official_figures([tmp_path])
    path = write_truth(tmp_path / "truth", FAN, LABELS)
    for place in (path, tmp_path / "truth"):
        (result,) = official_figures([tmp_path], ground_truth=place).results
        assert (result.n_normal, result.n_anomaly, result.auc) == (3, 3, pytest.approx(8 / 9))
        assert (result.precision, result.recall, result.f1) == (None, None, None)


def test_a_ground_truth_that_does_not_fit(tmp_path):
    write_cell(tmp_path, FAN, LABELS, SCORES)
    flipped = names(*FAN[1:], LABELS)
    truth = write_truth(tmp_path / "truth", FAN, LABELS)
    write_pairs(truth, [(clip, 0) for clip in flipped])
    with pytest.raises(
        DataError, match=r"calls section_00_source_test_anomaly_0003\.wav of .* normal, and its name anom"
    ):
        official_figures([tmp_path], ground_truth=truth)
    with pytest.raises(DataError, match="has no ground truth for fan"):
        official_figures([tmp_path], ground_truth=tmp_path)
    write_cell(tmp_path, FAN, [*LABELS, True], [*SCORES, 1.0], told=False)
    write_truth(tmp_path / "truth", FAN, LABELS)
    with pytest.raises(DataError, match=r"has no label for section_00_source_test_0006\.wav of .*anomaly_score_fan"):
        official_figures([tmp_path], ground_truth=truth)


def test_what_is_missing_is_null_and_said(tmp_path):
    write_cell(tmp_path, FAN, LABELS, SCORES, [score > 3.5 for score in SCORES])
    write_cell(tmp_path, ("fan", "01", "source"), [False] * 4, [1, 2, 3, 4], [0, 0, 0, 1])
    write_cell(tmp_path, ("fan", "02", "source"), LABELS, SCORES, [0] * 6, told=False)
    write_cell(tmp_path, ("fan", "03", "source"), [True, False], [1, 0])
    write_truth(tmp_path, ("pump", "00", "source"), LABELS)
    write_truth(tmp_path, ("fan", "04", "target"), LABELS)
    write_truth(tmp_path, ("fan", "03", "source"), LABELS).write_text(
        "".join(
            f"{name},1\n" for name in ("section_03_source_test_anomaly_0000.wav", "section_03_source_test_9999.wav")
        )
        + "section_03_source_test_normal_0001.wav,0\n"
    )
    done = official_figures([tmp_path], ground_truth=tmp_path, resamples=200)
    full, one_class, unlabelled, tiny = done.results
    assert (full.precision, full.recall, full.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert full.auc_low <= full.auc <= full.auc_high
    assert (one_class.n_normal, one_class.n_anomaly, *one_class.row.values) == (4, 0, *[None] * 5)
    assert (unlabelled.n_normal, unlabelled.n_anomaly, *unlabelled.row.values) == (0, 0, *[None] * 5)
    assert tiny.row.values == (1.0, 1.0, None, None, None)
    assert (tiny.auc_low, tiny.auc_high, tiny.pauc_low, tiny.pauc_high) == (None,) * 4
    document = done.as_dict()
    assert document["official"] == pytest.approx(hmean([full.auc, full.pauc, 1, 1]))
    assert (document["official_low"], document["official_high"]) == (None, None)
    assert document["arithmetic"]["f1"] == full.f1
    assert [note.replace(f"{tmp_path}/", "") for note in document["notes"]] == [
        "No interval of the official score, since some figures that it counts have none.",
        "ground_truth_fan_section_03_source_test.csv labels 1 clip that is not here, "
        "such as section_03_source_test_9999.wav.",
        "fan 01 source, fan 02 source: no figures, for want of labelled normal clips or anomalies.",
        "fan 02 source: clips without a label, left out.",
        "fan 03 source: no precision, recall and F1, for want of decisions.",
        "fan 03 source: no intervals, for want of two normal clips and two anomalies.",
        "fan 04 target: labels, but no scores.",
    ]


def test_intervals_do_not_depend_on_other_cells(tmp_path):
    rng = np.random.default_rng(0)
    labels = [False] * 20 + [True] * 20
    cells = [FAN, ("fan", "01", "target"), ("pump", "00", "source")]
    for number, cell in enumerate(cells):
        write_cell(tmp_path / cell[0], cell, labels, rng.normal(size=40) + np.repeat([0, number], 20))
    fan = official_figures([tmp_path / "fan"], resamples=300, seed=5)
    both = official_figures([tmp_path / "pump", tmp_path / "fan"], resamples=300, seed=5)
    assert both.results[:2] == fan.results
    assert [(r.machine, r.section, r.domain) for r in both.results] == cells
    scores = [float(line.split(",")[1]) for line in (tmp_path / "fan" / scores_name(*FAN)).read_text().split()]
    seed = cell_seed(5, *FAN)
    assert (fan.results[0].auc_low, fan.results[0].auc_high) == auc_interval(labels, scores, resamples=300, seed=seed)
    assert (fan.results[0].pauc_low, fan.results[0].pauc_high) == pauc_interval(
        labels, scores, resamples=300, seed=seed
    )
    assert both.official_low < both.official < both.official_high
    # Cells vary independently: the mean of three varies less than any of them.
    widest = min(r.auc_high - r.auc_low for r in both.results[:2])
    assert both.official_high - both.official_low < widest


def test_thresholds_stand_for_decisions(tmp_path):
    for machine in ("fan", "pump"):
        write_cell(tmp_path, (machine, *FAN[1:]), LABELS, SCORES, [True] * 6)

    def recalls(**options) -> list[float | None]:
        return [result.recall for result in official_figures([tmp_path], **options).results]

    assert recalls() == [1.0, 1.0]
    assert recalls(thresholds={None: 5.0}) == [1 / 3, 1 / 3]  # strictly above
    assert recalls(thresholds={"pump": 4.5}) == [1.0, 2 / 3]
    assert recalls(thresholds={None: 5.0, "pump": 4.5}) == [1 / 3, 2 / 3]
    with pytest.raises(DataError, match=r"a threshold for valve, but no scores\. There are scores of fan, pump"):
        recalls(thresholds={"valve": 1.0})
