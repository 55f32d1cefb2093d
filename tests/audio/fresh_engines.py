"""What a listener decided, against engines that begin anew after every break."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.engine import Engine
from tests.audio.listener import Listener
from tests.golden.committed import NAMES

RATE = 16000
BUNDLE = Bundle.load(NAMES["ae"])


def decided(listener: Listener) -> list[dict]:
    return [line for line in listener.lines if "score" in line]


def afresh(listener: Listener) -> list[dict]:
    """Decide anew, with a new engine for each span that was heard without a break."""
    found = []
    for start, samples in listener.spans():
        engine = Engine(BUNDLE, "00")
        for decision in engine.push(samples) + engine.finish():
            found.append({**asdict(decision), "time_s": decision.time_s + start / RATE})
    return found


def assert_decisions_are_those_of_fresh_engines(listener: Listener) -> None:
    """All but those that still waited at the end."""
    got, expected = decided(listener), afresh(listener)
    assert len(expected) - 1 <= len(got) <= len(expected)
    for one, other in zip(got, expected, strict=False):
        assert one == {**other, "time_s": pytest.approx(other["time_s"], abs=1e-9)}
