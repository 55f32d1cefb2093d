from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.heard.explaining import Explainer
from edge_asd.heard.moved import Moved
from edge_asd.heard.ranges import band_limits
from edge_asd.heard.words import heard_text
from edge_asd.quantize.evaluation.heard.report import PICTURE, common_ranges, heard_report
from edge_asd.quantize.evaluation.probe.report import Judged
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.features.cache import FeatureCache
from tests.data import MACHINE
from tests.golden.committed import NAMES

LIMITS = band_limits(FeatureSpec())


def moved(low: float, high: float, db: float = 3.0) -> Moved:
    return Moved(low, high, db, 1.0, 0.5, ("level",))


def test_a_section_is_told_what_most_clips_share() -> None:
    clips = [[moved(2000, 2600, 3.0 + i), moved(300, 340, -9)] if i < 3 else [moved(2100, 3000, 9)] for i in range(5)]
    first, second = common_ranges([*clips, [], []], LIMITS)
    assert (first.clips, second.clips) == (5, 3)
    assert first.moved.low_hz == pytest.approx(2000, rel=0.03)
    assert first.moved.high_hz == pytest.approx(2600, rel=0.03)
    assert first.moved.level_db == 5.0
    assert second.moved.low_hz < 320 < second.moved.high_hz
    assert second.moved.level_db == -9
    assert common_ranges([[], []], LIMITS) == []


def test_what_few_clips_name_is_not_told() -> None:
    clips = [[moved(2000, 2600)]] * 30 + [[moved(300, 340)]] * 2
    assert [one.clips for one in common_ranges(clips, LIMITS)] == [30]


@pytest.fixture(scope="module")
def judged(tiny_data: Path) -> list[Judged]:
    clips = Dataset(tiny_data, MACHINE).select(split="test")
    return [Judged(clip, 2 if clip.name.label == "anomaly" else 0, 1) for clip in clips]


def test_flagged_clips_are_told_one_by_one_and_drawn(judged: list[Judged], tmp_path: Path) -> None:
    bundle = Bundle.load(NAMES["distance"])
    features = FeatureCache(tmp_path / "cache").features(
        [item.clip for item in judged], bundle.features, bundle.window_frames
    )
    report = heard_report(bundle, judged, features)
    heard = json.loads(json.dumps(report.as_dict(), allow_nan=False))["heard"]
    flagged = [item for item in judged if item.flagged]
    assert sorted(one["clip"] for one in heard["clips"]) == sorted(item.clip.path.name for item in flagged)
    explainer = Explainer(bundle)
    for item, of in zip(judged, features, strict=True):
        if item.flagged:
            moves = explainer.explain(np.asarray(of.frames), item.clip.name.section).moved
            (one,) = [one for one in heard["clips"] if one["clip"] == item.clip.path.name]
            assert one["ranges"] == json.loads(json.dumps([asdict(move) for move in moves]))
            assert one["text"] == heard_text(moves)
    assert {one["section"]: one["clips"] for one in heard["sections"]} == {
        section: sum(item.clip.name.section == section for item in flagged)
        for section in {item.clip.name.section for item in flagged}
    }
    report.draw(tmp_path, "a fan")
    assert (tmp_path / PICTURE).read_bytes().startswith(b"\x89PNG")
    heard_report(bundle, [item for item in judged if not item.flagged], features).draw(tmp_path, "a fan")
    assert not (tmp_path / PICTURE).exists()


@pytest.mark.parametrize("name", ["ae", "mobilenetv2"])
def test_what_cannot_tell_says_so(name: str, judged: list[Judged]) -> None:
    report = heard_report(Bundle.load(NAMES[name]), judged, [])
    assert report.as_dict() == {"heard": None}
    assert "cannot say which bands moved" in report.why_not
