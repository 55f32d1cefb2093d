"""What is remarked on an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from edge_asd.quantize.evaluation.remarks import remarks


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
