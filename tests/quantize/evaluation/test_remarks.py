"""What is remarked on an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from edge_asd.quantize.evaluation.remarks import remarks, told_apart


@dataclass
class Figures:
    section: str = "00"
    domain: str = "source"
    n_normal: int = 10
    n_anomaly: int = 10
    auc_shipped: float | None = 0.8
    auc_level: float | None = 0.5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, []),
        ({"auc_level": 0.95}, ["Loudness alone tells the classes apart in section 00 source"]),
        ({"auc_level": 0.05}, ["Loudness alone"]),
        ({"auc_level": 0.94}, []),
        ({"auc_shipped": 0.59}, ["near chance in section 00 source"]),
        ({"auc_shipped": 0.41}, ["near chance"]),
        ({"auc_shipped": 0.4}, []),
        ({"auc_shipped": 0.5, "auc_level": 1.0}, ["Loudness alone", "near chance"]),
        ({"auc_shipped": 0.5, "n_normal": 9}, []),
        ({"auc_shipped": None, "auc_level": None, "n_anomaly": 0}, []),
    ],
)
def test_what_is_remarked(change: dict[str, float], words: list[str]) -> None:
    found = remarks([Figures(**change)])  # type: ignore[arg-type]
    assert len(found) == len(words)
    for text, part in zip(found, words, strict=True):
        assert part in text


@pytest.mark.parametrize(("shipped", "told"), [([7] * 4, True), ([7, 7, 8, 8], True), ([7, 8, 9, 9], False)])
def test_scores_that_int8_makes_the_same_are_told(shipped: list[int], told: bool) -> None:
    floating = [0.1, 0.2, 0.3, 0.4]
    texts = told_apart({"03": list(zip(shipped, floating, strict=True)), "04": [(1, 0.1), (2, 0.2)]})
    assert ["Section 03: 4 clips have 4 different scores in floating point" in text for text in texts] == [True] * told
