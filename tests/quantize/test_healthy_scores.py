"""What is said of the scores that a threshold rests on."""

from __future__ import annotations

import pytest

from edge_asd.quantize.healthy_scores import HealthyScores, section_threshold
from edge_asd.thresholds import FEW_CLIPS, Target


@pytest.mark.parametrize(("scores", "told"), [([7] * FEW_CLIPS, True), ([7] * (FEW_CLIPS - 1) + [8], False)])
def test_a_model_that_gives_all_clips_one_score_is_told(scores: list[int], told: bool) -> None:
    by_domain: dict[str, list[int]] = {"source": scores, "target": []}
    healthy = HealthyScores(by_domain, by_domain, {"source": FEW_CLIPS, "target": 0}, FEW_CLIPS, "held-back clip")
    notes: list[str] = []
    section_threshold("00", healthy, Target(), notes, domains=False)
    assert [f"all {FEW_CLIPS} held-back clips have the same score" in note for note in notes] == [True] * told
