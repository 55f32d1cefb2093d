"""Loudness is no give-away: a healthy and a faulty machine cannot be told apart by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from edge_asd.audio.health import level_db
from edge_asd.train.data.table1 import table1
from edge_asd.train.figures.metrics import rank_figures
from edge_asd.train.synthesis import ClipPlan, make_clip
from edge_asd.train.synthesis.levels import Level, level_rows

ROWS = [(machine, section, domain) for machine, section in sorted(table1()) for domain in ("source", "target")]


def level_auc(machine: str, section: str, domain: str, clips: int, seconds: float) -> float:
    plans = [
        ClipPlan(machine, section, domain, "test", label, i) for label in ("normal", "anomaly") for i in range(clips)
    ]
    with ThreadPoolExecutor(2) as pool:
        levels = list(pool.map(lambda plan: level_db(make_clip(plan, seconds=seconds)[0]), plans))
    auc = rank_figures([plan.label == "anomaly" for plan in plans], levels).auc
    assert auc is not None
    return auc


# With 60 + 60 clips the AUC of equal distributions has a standard deviation of 0.053: four of them.
@pytest.mark.parametrize("row", [("fan", "00", "source"), ("pump", "02", "target"), ("slider", "05", "source")])
def test_a_few_sections(row: tuple[str, str, str]) -> None:
    assert 0.29 < level_auc(*row, clips=60, seconds=0.5) < 0.71


@pytest.mark.prove
def test_every_section_and_domain() -> None:
    # Clips of two seconds: gain and signal-to-noise ratio, which make the level, are the same as of ten seconds.
    aucs = {row: level_auc(*row, clips=200, seconds=2.0) for row in ROWS}
    print({row: round(auc, 3) for row, auc in aucs.items()})
    print(f"least {min(aucs.values()):.3f}, mean {np.mean(list(aucs.values())):.3f}, most {max(aucs.values()):.3f}")
    assert len(aucs) == 60
    assert all(0.35 < auc < 0.65 for auc in aucs.values()), aucs
    assert 0.45 < np.mean(list(aucs.values())) < 0.55


def test_rows_of_levels() -> None:
    cells = [("00", "source", "train", "normal", -20.0), ("00", "source", "test", "normal", -21.0),
             ("00", "source", "test", "anomaly", -20.5), ("00", "target", "test", "normal", -1.0)]  # fmt: skip
    rows = level_rows(Level(*cell) for cell in cells)
    assert [(r.domain, r.train, r.normal, r.anomaly, r.auc_level) for r in rows] == [
        ("source", 1, 1, 1, 1.0),
        ("target", 0, 1, 0, None),
    ]
