"""The committed bundles load and score as they did when they were made."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.loading import load_detector
from edge_asd.frontend import log_mel
from edge_asd.monitor.engine import Engine
from tests.golden.committed import NAMES, expected, made_sound


@pytest.mark.parametrize("detector", NAMES)
def test_scores_and_decisions_are_those_of_the_day_they_were_made(detector: str) -> None:
    bundle = Bundle.load(NAMES[detector])
    assert bundle.detector == detector
    said = expected()[detector]
    assert {sound["section"] for sound in said} == set(bundle.thresholds)
    for sound in said:
        pcm = made_sound(sound["seed"], sound["pitch"])
        scores = load_detector(bundle).window_scores(log_mel(pcm, bundle.features), sound["section"])
        assert scores.tolist() == sound["window_scores"]
        decisions = Engine(bundle, sound["section"], interval_s=0.5).push(pcm)
        assert [asdict(decision) for decision in decisions] == sound["decisions"]


def test_both_verdicts_are_among_them() -> None:
    for detector, said in expected().items():
        verdicts = {decision["anomaly"] for sound in said for decision in sound["decisions"]}
        assert verdicts == {True, False}, detector
