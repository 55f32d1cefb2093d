"""Each year's measures against figures derived by hand, the evaluators' published ones, and scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hmean
from sklearn.metrics import roc_auc_score

from edge_asd.errors import DataError
from edge_asd.train.figures.bootstrap import auc_interval, cell_seed, percentile_interval, resample_rows
from edge_asd.train.figures.means import Row, means, official_score
from edge_asd.train.figures.measures import MEASURES, YEARS, measures_of, missing_domains, pick, rows_of
from edge_asd.train.figures.metrics import decision_figures, row_figures

MIXED = [year for year in YEARS if year >= 2022]

# Domain, label and score of the clips of one section.
CLIPS = [
    ("source", "normal", 1.0),
    ("source", "normal", 3.0),
    ("source", "anomaly", 2.5),
    ("source", "anomaly", 4.0),
    ("target", "normal", 2.0),
    ("target", "normal", 6.0),
    ("target", "anomaly", 7.0),
    ("target", "anomaly", 0.0),
]
DOMAINS, LABELS, SCORES = (list(column) for column in zip(*CLIPS, strict=True))

# Above the highest normal score, 6, lies one anomaly of four: the ROC curve runs at 1/4 up to a rate of 1/4.
PAUC_ALL = (1 + (0.1 / 4 - 0.005) / (0.1 - 0.005)) / 2


def figures(year: int, labels=LABELS, domains=DOMAINS, scores=SCORES, threshold: float = 3.5):
    """Return the rows' domains with AUC, pAUC, and precision, recall and F1 of scores above a threshold."""
    found = []
    for row in rows_of(labels, domains, measures_of(year)):
        ranks = row_figures(row, labels, scores)
        judged = decision_figures(
            [label == "anomaly" for label in pick(labels, row.decisions)],
            [score > threshold for score in pick(scores, row.decisions)],
        )
        found.append((row.domain, (ranks.auc, ranks.pauc, judged.precision, judged.recall, judged.f1)))
    return found


def test_every_year_names_its_sources():
    assert list(MEASURES) == list(range(2020, 2027))
    assert len({one.source for one in MEASURES.values()}) == 7
    assert [year for year, one in MEASURES.items() if one.source_by_names != one.source] == [2022]
    assert MEASURES[2022].source_by_names == (
        "DCASE Task 2 of 2022 and later, the same to 2026 (of 2022: Kota-Dohi/dcase2022_evaluator, arXiv:2206.05876; "
        "--year names another year's)"
    )
    with pytest.raises(DataError, match=r"The measures of 2019 are not known\. Give a year from 2020 to 2026"):
        measures_of(2019)


@pytest.mark.parametrize("year", MIXED)
def test_from_2022_on_a_domain_faces_the_anomalies_of_both(year):
    """Source: 1 lies below 2.5, 4, 7, and 3 below 4, 7: 5 of 8 pairs. Target: 2 below three, 6 below one."""
    assert figures(year) == [
        ("source", (5 / 8, pytest.approx(PAUC_ALL, abs=1e-15), 1.0, 0.5, 2 / 3)),
        ("target", (4 / 8, pytest.approx(PAUC_ALL, abs=1e-15), 0.5, 0.5, 0.5)),
    ]
    rows = [Row("fan", "00", domain, values) for domain, values in figures(year)]
    expected = 3 / (8 / 5 + 8 / 4 + 1 / PAUC_ALL)  # the pAUC once
    assert official_score(rows, measures_of(year)) == pytest.approx(expected, rel=1e-15)


def test_in_2021_a_domain_is_judged_by_its_own_clips():
    (source, of_source), (target, of_target) = figures(2021)
    assert (source, of_source[0], of_source[2:]) == ("source", 3 / 4, (1.0, 0.5, 2 / 3))
    # Nothing normal above 4: half the anomalies at a rate of 0; target: 7 of 7 and 0 above 6.
    assert (target, of_target[0], of_target[2:]) == ("target", 2 / 4, (0.5, 0.5, 0.5))
    half = (1 + (0.05 - 0.005) / 0.095) / 2
    assert (of_source[1], of_target[1]) == (pytest.approx(half), pytest.approx(half))
    rows = [Row("fan", "00", domain, values) for domain, values in figures(2021)]
    expected = 4 / (4 / 3 + 4 / 2 + 2 / half)
    assert official_score(rows, measures_of(2021)) == pytest.approx(expected, rel=1e-15)


def test_in_2020_there_is_one_row_and_no_official_score():
    ((domain, values),) = figures(2020, domains=[None] * 8)
    assert domain is None
    assert values[:2] == (9 / 16, pytest.approx(PAUC_ALL))
    assert figures(2020) == figures(2020, domains=[None] * 8)
    assert official_score([Row("fan", "00", None, values)], measures_of(2020)) is None


def test_clips_of_unknown_domain_are_judged_together_and_make_no_official_score():
    ((domain, values),) = figures(2023, domains=[None] * 8)
    assert (domain, values[0], values[1]) == (None, 9 / 16, pytest.approx(PAUC_ALL))
    assert official_score([Row("fan", "00", domain, values)], measures_of(2023)) is None
    # One clip of unknown domain is enough, unless it has no label either: then it counts nowhere.
    assert [row.domain for row in rows_of(LABELS, [None, *DOMAINS[1:]], measures_of(2023))] == [None]
    rows = rows_of([*LABELS, None], [*DOMAINS, None], measures_of(2023))
    assert [(row.domain, row.own) for row in rows] == [("source", (0, 1, 2, 3, 8)), ("target", (4, 5, 6, 7))]
    assert all(8 not in (*row.auc, *row.pauc, *row.decisions) for row in rows)
    assert [(row.domain, row.own) for row in rows_of([None] * 2, [None] * 2, measures_of(2023))] == [(None, (0, 1))]
    assert rows_of([], [], measures_of(2023)) == rows_of([], [], measures_of(2020)) == []


def test_what_is_missing_is_named():
    rows = {
        "00": rows_of(LABELS[:4], DOMAINS[:4], measures_of(2022)),
        "01": rows_of(LABELS, [None] * 8, MEASURES[2022]),
    }
    no_target, unknown = missing_domains(rows, ("source", "target"))
    assert no_target == "section 00 has no target test clips."
    assert unknown.startswith("the domain of test clips of section 01 is not known")
    assert missing_domains(rows, ()) == []


SECTIONS = st.lists(
    st.tuples(st.sampled_from(["source", "target"]), st.sampled_from(["normal", "anomaly", None]), st.integers(-3, 3)),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60)
@given(SECTIONS, st.sampled_from(MIXED))
def test_figures_are_those_of_scikit_learn(clips, year):
    domains, labels, scores = (np.array(column, dtype=object) for column in zip(*clips, strict=True))
    told = labels != None  # noqa: E711
    anomaly = labels == "anomaly"

    def expected(chosen, **options):
        if len(set(anomaly[chosen])) < 2:
            return None
        return float(roc_auc_score(anomaly[chosen].astype(bool), scores[chosen].astype(float), **options))

    found = figures(year, list(labels), list(domains), list(scores), 0.5)
    assert [domain for domain, _ in found] == sorted(set(domains))
    for domain, values in found:
        own = told & (domains == domain)
        assert values[0] == expected(own | anomaly)
        assert values[1] == expected(told, max_fpr=0.1)
        if len(set(anomaly[own])) < 2:
            assert values[2:] == (None, None, None)
            continue
        flagged = scores[own].astype(float) > 0.5
        hits, wrong = (flagged & anomaly[own]).sum(), (flagged & ~anomaly[own].astype(bool)).sum()
        assert values[2] == pytest.approx(hits / max(hits + wrong, np.finfo(float).eps))
        assert values[3] == pytest.approx(hits / anomaly[own].sum())


@settings(max_examples=40)
@given(SECTIONS, st.sampled_from(MIXED))
def test_with_clips_of_one_domain_all_measures_are_the_same(clips, year):
    labels, scores = [label for _, label, _ in clips], [score for _, _, score in clips]
    domains = ["target"] * len(clips)
    assert figures(year, labels, domains, scores) == figures(2021, labels, domains, scores)
    assert [values for _, values in figures(2020, labels, domains, scores)] == [
        values for _, values in figures(2021, labels, domains, scores)
    ]


# Published by nttcslab/dcase2025_task2_evaluator (README.md): the baselines' AUC (source), AUC (target) and pAUC of
# eight machines, and their means and official scores.
OF_2025 = {
    "MSE": (
        [0.8102, 0.8140000000000001, 0.677, 0.5284, 0.7198, 0.7303999999999999, 0.6686000000000001, 0.6486],
        [0.3436, 0.4976, 0.36699999999999994, 0.6271999999999999, 0.3956, 0.4436, 0.443, 0.6592],
        [
            0.5421052631578948, 0.5284210526315789, 0.55, 0.5552631578947368, 0.5205263157894737, 0.5342105263157895,
            0.5231578947368422, 0.6210526315789474,
        ],
        (0.5858625, 0.5468421052631579, 0.5437772342298658, 0.5452967030441773, 0.5442827820713174),
    ),
    "MAHALA": (
        [0.7726000000000001, 0.8616, 0.6981999999999999, 0.5586, 0.7638, 0.7498, 0.7041999999999999, 0.729],
        [0.526, 0.42640000000000006, 0.509, 0.5548, 0.3268, 0.4042, 0.5278, 0.7904000000000001],
        [
            0.541578947368421, 0.5184210526315789, 0.5684210526315789, 0.54, 0.49105263157894735, 0.5142105263157895,
            0.5378947368421052, 0.7005263157894737,
        ],
        (None, 0.5515131578947368, None, 0.5459161077739156, 0.5650558189601554),
    ),
}  # fmt: skip


@pytest.mark.parametrize("baseline", OF_2025)
def test_means_and_official_score_are_those_that_the_evaluator_of_2025_published(baseline):
    sources, targets, paucs, published = OF_2025[baseline]
    rows = [
        Row(f"machine {i}", "00", domain, (auc, pauc, None, None, None))
        for i, (source, target, pauc) in enumerate(zip(sources, targets, paucs, strict=True))
        for domain, auc in (("source", source), ("target", target))
    ]
    arithmetic, harmonic = (means(rows, kind, measures_of(2025)) for kind in ("arithmetic", "harmonic"))
    found = (*arithmetic[:2], *harmonic[:2], official_score(rows, measures_of(2025)))
    for value, expected in zip(found, published, strict=True):
        assert expected is None or value == pytest.approx(expected, rel=1e-14)


def test_means_are_those_that_the_evaluator_of_2022_published():
    """ToyCar, sections 03 to 05, of Kota-Dohi/dcase2022_evaluator (README.md)."""
    sections = {
        "03": ((0.8204, 0.6954), 0.71, (0.6666666666666666, 0.7575757575757576), (0.28, 1.0)),
        "04": ((0.6164, 0.4202), 0.4942105263157895, (0.6333333333333333, 0.46296296296296297), (0.38, 0.5)),
        "05": ((0.8371999999999999, 0.512), 0.6447368421052632, (0.8333333333333334, 0.5476190476190477), (0.3, 0.92)),
    }
    rows = [
        Row("ToyCar", section, domain, (auc[i], pauc, precision[i], recall[i], None))
        for section, (auc, pauc, precision, recall) in sections.items()
        for i, domain in enumerate(("source", "target"))
    ]
    assert means(rows, "arithmetic", measures_of(2022))[:4] == pytest.approx(
        [0.6502666666666667, 0.6163157894736843, 0.6502485169151835, 0.5633333333333334], rel=1e-14
    )
    assert means(rows, "harmonic", measures_of(2022))[:4] == pytest.approx(
        [0.6118288605395442, 0.6020590065980902, 0.6259758490782256, 0.44042200910247076], rel=1e-14
    )


def test_the_mean_of_2020_is_the_published_one():
    """Fan of y-kawagu/dcase2020_task2_evaluator (README.md)."""
    published = [
        (0.7939877300613497, 0.6181788827897966),
        (0.8663687150837989, 0.6768597471331961),
        (0.869850950290476, 0.7075731309293712),
    ]
    rows = [Row("fan", f"0{1 + 2 * i}", None, (*pair, None, None, None)) for i, pair in enumerate(published)]
    assert measures_of(2020).means == ("arithmetic",)
    assert means(rows, "arithmetic", measures_of(2020))[:2] == [0.8434024651452082, 0.6675372536174548]


def test_a_zero_counts_as_the_smallest_step_in_the_official_score():
    rows = [
        Row("fan", "00", domain, (auc, 0.0, None, None, None)) for domain, auc in (("source", 0.0), ("target", 1.0))
    ]
    epsilon = np.finfo(float).eps
    assert official_score(rows, measures_of(2024)) == pytest.approx(hmean([epsilon, 1.0, epsilon]), rel=1e-14)
    assert official_score(rows, measures_of(2021)) == pytest.approx(hmean([epsilon, epsilon, 1.0, epsilon]), rel=1e-14)


def test_a_figure_that_does_not_exist_is_left_out_of_the_official_score():
    """The target has no normal clip, the section a pAUC all the same."""
    domains, labels, scores = DOMAINS[:4] + ["target"] * 2, LABELS[:4] + ["anomaly"] * 2, [1, 3, 2.5, 4, 7, 0]
    found = figures(2022, labels, domains, scores)
    assert [values[0] for _, values in found] == [5 / 8, None]
    pauc = found[0][1][1]
    assert pauc == found[1][1][1] == pytest.approx((1 + (0.05 - 0.005) / 0.095) / 2)
    rows = [Row("fan", "00", domain, values) for domain, values in found]
    assert official_score(rows, measures_of(2022)) == pytest.approx(2 / (8 / 5 + 1 / pauc))


def made(n: int = 30):
    rng = np.random.default_rng(3)
    labels = (["normal"] * n + ["anomaly"] * n) * 2
    domains = ["source"] * 2 * n + ["target"] * 2 * n
    scores = (
        rng.normal(size=4 * n) + np.array([label == "anomaly" for label in labels]) + 0.5 * (np.arange(4 * n) >= 2 * n)
    )
    return labels, domains, scores


def test_resamples_draw_what_the_measure_uses():
    """The same draws one by one: normal clips of each domain, anomalies of each domain, once for all figures."""
    labels, domains, scores = made(10)
    measures = measures_of(2022)
    rows = rows_of(labels, domains, measures)
    source, target = resample_rows(
        ("fan", "00"), rows, labels, domains, list(scores), measures=measures, resamples=25, seed=4
    )
    assert source.pauc[0] is target.pauc[0]
    rng = np.random.default_rng(cell_seed(4, "fan", "00", ""))
    # Source and target normal, source and target anomalous: numbers of their first clips.
    starts = {"source normal": 0, "target normal": 20, "source anomaly": 10, "target anomaly": 30}
    drawn = {name: start + rng.integers(10, size=(25, 10)) for name, start in starts.items()}
    for i in range(25):
        anomalous = np.concatenate([drawn["source anomaly"][i], drawn["target anomaly"][i]])
        for domain, found in (("source", source), ("target", target)):
            clips = np.concatenate([drawn[f"{domain} normal"][i], anomalous])
            truth = [False] * 10 + [True] * 20
            assert found.auc[0][i] == pytest.approx(roc_auc_score(truth, scores[clips]), abs=1e-12)
        clips = np.concatenate([drawn["source normal"][i], drawn["target normal"][i], anomalous])
        pauc = roc_auc_score([False] * 20 + [True] * 20, scores[clips], max_fpr=0.1)
        assert source.pauc[0][i] == pytest.approx(pauc, abs=1e-12)


def test_intervals_hold_their_figures_and_shrink_with_more_anomalies():
    labels, domains, scores = made()
    widths = {}
    for year in (2021, 2022):
        measures = measures_of(year)
        rows = rows_of(labels, domains, measures)
        draws = resample_rows(("fan", "00"), rows, labels, domains, list(scores), measures=measures)
        for row, drawn in zip(rows, draws, strict=True):
            found = row_figures(row, labels, list(scores))
            for value, (values,) in ((found.auc, drawn.auc), (found.pauc, drawn.pauc)):
                low, high = percentile_interval(values)
                assert 0 <= low < value < high <= 1
            widths[year, row.domain] = np.subtract(*percentile_interval(drawn.auc[0])[::-1])
    assert widths[2022, "source"] < widths[2021, "source"]
    assert widths[2022, "target"] < widths[2021, "target"]


def test_intervals_of_2021_are_those_of_each_domain_alone():
    labels, domains, scores = made()
    measures = measures_of(2021)
    rows = rows_of(labels, domains, measures)
    draws = resample_rows(("fan", "03"), rows, labels, domains, list(scores), measures=measures, resamples=300, seed=9)
    for row, drawn in zip(rows, draws, strict=True):
        anomaly = [label == "anomaly" for label in pick(labels, row.own)]
        alone = auc_interval(
            anomaly, pick(list(scores), row.own), resamples=300, seed=cell_seed(9, "fan", "03", row.domain)
        )
        assert percentile_interval(drawn.auc[0]) == alone


def test_what_cannot_vary_has_no_interval():
    labels, domains = ["normal", "anomaly", "anomaly", "normal", "normal"], ["source"] * 3 + ["target"] * 2
    measures = measures_of(2022)
    source, target = resample_rows(
        ("fan", "00"), rows_of(labels, domains, measures), labels, domains, [1, 2, 3, 4, 5], measures=measures
    )
    assert source.auc is None  # one normal clip
    assert target.auc is not None
    assert source.pauc is not None
    # Two anomalies, each alone in its domain, are drawn every time.
    labels, domains = ["normal", "normal", "anomaly"] * 2, ["source"] * 3 + ["target"] * 3
    for drawn in resample_rows(
        ("fan", "00"), rows_of(labels, domains, measures), labels, domains, [1, 4, 2, 3, 6, 5], measures=measures
    ):
        assert (drawn.auc, drawn.pauc) == (None, None)


def test_a_sections_pauc_enters_a_mean_once_however_many_rows_it_has():
    rows = [
        Row("fan", "00", "source", (0.9, 0.8, None, None, None)),
        Row("fan", "00", "target", (0.5, 0.8, None, None, None)),
        Row("fan", "01", "source", (0.7, 0.5, None, None, None)),  # it has no target clips
    ]
    assert means(rows, "arithmetic", measures_of(2023))[:2] == [pytest.approx(0.7), pytest.approx(0.65)]
    assert means(rows, "harmonic", measures_of(2023))[1] == pytest.approx(hmean([0.8, 0.5]))
    assert means(rows, "arithmetic", measures_of(2021))[1] == pytest.approx(0.7)


def test_a_clip_without_label_and_domain_does_not_cost_the_official_score():
    """In 2021 it is a row of its own, without figures."""
    found = figures(2021, [*LABELS, None], [*DOMAINS, None], [*SCORES, 9.0])
    assert found == [*figures(2021), (None, (None,) * 5)]
    rows = [Row("fan", "00", domain, values) for domain, values in found]
    assert official_score(rows, measures_of(2021)) == official_score(rows[:2], measures_of(2021)) is not None
