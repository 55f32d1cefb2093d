from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from edge_asd.binomial import clopper_pearson
from edge_asd.bundle.bundle import Bundle
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.own_set.mark import mark_own
from edge_asd.quantize.evaluation.cost import evaluate
from edge_asd.quantize.evaluation.probe.detection import hearings
from edge_asd.quantize.evaluation.probe.faults import BANDS, FAULTS
from edge_asd.quantize.evaluation.probe.report import Judged, healthy_subjects, report
from edge_asd.train.data.dataset import Dataset
from tests.data import MACHINE, UNLABELLED
from tests.golden.committed import NAMES


def judged(data: Path, flagged: int = 0) -> list[Judged]:
    """Test clips of section 00 and 01; the first healthy ones are flagged, and all anomalies."""
    clips = Dataset(data, MACHINE).select(split="test")
    healthy = [clip for clip in clips if clip.name.label == "normal"]
    over = healthy[:flagged] + [clip for clip in clips if clip.name.label == "anomaly"]
    return [Judged(clip, int(clip in over), 0) for clip in clips]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(NAMES["ae"])


@pytest.fixture(scope="module")
def healthy_data(tiny_data, tmp_path_factory) -> Path:
    """`tiny_data` without one anomalous clip, and without the clip that has no label."""
    data = Path(shutil.copytree(tiny_data, tmp_path_factory.mktemp("healthy") / "data"))
    for path in data.rglob("*_anomaly_*.wav"):
        path.unlink()
    (data / MACHINE / UNLABELLED).unlink()
    return data


def test_false_alarms_by_section_and_domain_with_their_interval(bundle, tiny_data):
    found = report(bundle, judged(tiny_data, flagged=1), False)
    assert [(r.section, r.domain, r.flagged, r.clips, r.rate) for r in found.false_alarms] == [
        ("00", "source", 1, 3, 1 / 3),
        ("00", "target", 0, 2, 0.0),
        ("01", "source", 0, 2, 0.0),
    ]
    assert [(r.low, r.high) for r in found.false_alarms] == [clopper_pearson(k, n) for k, n in ((1, 3), (0, 2), (0, 2))]
    assert found.hears is None
    assert found.as_dict()["hears"] is None


def test_sections_are_chosen_by_what_lacks_or_is_asked(bundle, tiny_data, monkeypatch):
    from edge_asd.quantize.evaluation.probe import report as module

    seen: list[list[str]] = []
    monkeypatch.setattr(module, "hearings", lambda _, subjects, __: seen.append([s.section for s in subjects]) or [])
    every = judged(tiny_data)
    without = [j for j in every if (j.clip.name.section, j.clip.name.label) != ("01", "anomaly")]
    for items, wanted, own in (
        (every, None, False),  # both sections have anomalies
        ([j for j in every if j.clip.name.label is None], None, False),  # nothing is known to be healthy
        (without, None, False),
        (without, None, True),
        (every, True, False),
        (without, False, True),
    ):
        report(bundle, items, wanted, own_set=own)
    assert [sorted(set(sections)) for sections in seen] == [["01"], ["00", "01"], ["00", "01"]]


def test_a_set_of_ones_own_is_probed_although_it_has_anomalies(bundle, tiny_data, tmp_path, monkeypatch):
    from edge_asd.quantize.evaluation.probe import report as module

    seen: list[int] = []
    monkeypatch.setattr(module, "hearings", lambda _, subjects, __: seen.append(len(subjects)) or [])
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    mark_own(data / MACHINE, "edge-asd data import")
    assert evaluate(bundle, data, tmp_path / "own").healthy.hears == []
    assert seen == [2]


def test_clips_that_are_flagged_as_they_are_get_no_fault(bundle, tiny_data):
    subjects, problem = healthy_subjects(bundle, "00", judged(tiny_data, flagged=2))
    assert (len(subjects), problem) == (3, "")
    subjects, problem = healthy_subjects(bundle, "00", judged(tiny_data), 2)
    assert [s.number for s in subjects] == [0, 1]
    subjects, problem = healthy_subjects(bundle, "00", judged(tiny_data, flagged=7))
    assert subjects == []
    assert problem.startswith("Section 00: all 5 healthy test clips are flagged as they are")
    unknown = [j for j in judged(tiny_data) if j.clip.name.label is None]
    subjects, problem = healthy_subjects(bundle, "01", unknown)
    assert (subjects, problem) == (
        [],
        "Section 01 has no test clips known to be healthy, into which faults could be mixed.",
    )


def test_another_sample_rate_is_said(bundle, healthy_data):
    other = replace(bundle, features=FeatureSpec(sample_rate=8000))
    found = report(other, judged(healthy_data), None)
    assert found.hears == []
    assert found.notes == ["Faults are made at 16000 Hz alone: what it would hear was not tried."]


def test_evaluate_without_any_anomaly(command, healthy_data, tmp_path, monkeypatch):
    # Two of the eight bands: a quarter of the time.
    monkeypatch.setattr("edge_asd.quantize.evaluation.probe.report.hearings", partial(hearings, bands=BANDS[4:6]))
    arguments = ("evaluate", NAMES["ae"], "--data", healthy_data)
    done = command(*arguments, "--out", tmp_path / "a")
    assert done.returncode == 0, done.stderr
    assert "mixing faults into healthy clips ..." in done.stderr
    document = json.loads((tmp_path / "a" / "evaluation.json").read_text(), parse_constant=pytest.fail)
    assert {row["auc_int8"] for row in document["results"]} == {None}
    assert [(r["section"], r["domain"], r["clips"]) for r in document["false_alarms"]] == [
        ("00", "source", 3),
        ("00", "target", 2),
        ("01", "source", 2),
    ]
    assert set(document["false_alarms"][0]) == {"section", "domain", "flagged", "clips", "rate", "low", "high"}
    hears = document["hears"]
    assert {tuple(entry) for entry in hears} == {
        (
            "section",
            "band_low_hz",
            "band_high_hz",
            "fault",
            "level_half_db",
            "level_90_db",
            "loudest_db",
            "softest_db",
            "clips",
            "clips_lost",
        )
    }
    fields = [("00", fault, band.low_hz) for fault in FAULTS for band in BANDS[4:6]]
    assert [(e["section"], e["fault"], e["band_low_hz"]) for e in hears] == fields
    assert document["notes"][-1].startswith("Section 01: all 2 healthy test clips are flagged as they are")
    assert {e["clips"] for e in hears} == {2}  # three of five are flagged as they are
    assert all(-36 <= e["level_half_db"] <= e["level_90_db"] <= e["loudest_db"] for e in hears)
    assert len({e["level_half_db"] for e in hears}) > 2
    assert (tmp_path / "a" / "hears.png").read_bytes().startswith(b"\x89PNG")

    text = done.stdout[done.stdout.index("False alarms on healthy") : done.stdout.index("Scores, float against")]
    assert "2 clips cannot promise a rate below 77.6%, even if none is flagged (with 95 % confidence)." in text
    assert "section  band " in text
    assert "Section 00 hears best " in text
    assert max(map(len, text.splitlines())) <= 100

    off = command(*arguments, "--out", tmp_path / "c", "--no-hears", "--json")
    assert json.loads(off.stdout) == {**document, "hears": None, "notes": document["notes"][:-1]}
    assert "mixing" not in off.stderr
    assert not (tmp_path / "c" / "hears.png").exists()
