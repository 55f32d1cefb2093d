"""Several sources at once: each has its turn, and none stops another."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from edge_asd.audio.stream import Break, Waiting
from edge_asd.errors import AudioDeviceError, AudioFormatError
from edge_asd.monitor import merging
from edge_asd.monitor.merging import Ended, Item, Merged, alone

BLOCK = np.zeros(100, np.int16)


class Fast:
    """Gives blocks as fast as they are taken."""

    live = False

    def __init__(self, count: int, error: Exception | None = None, name: str = "fast") -> None:
        self.count, self.given, self.error, self.name = count, 0, error, name

    def sound(self) -> Iterator[Item]:
        for _ in range(self.count):
            self.given += 1
            yield BLOCK
        if self.error:
            raise self.error


class Fragile:
    """Fails at first, then gives sound until it is told to end."""

    live = True

    def __init__(self, name: str, failures: list[Exception]) -> None:
        self.name, self.failures, self.end = name, failures, threading.Event()

    def sound(self) -> Iterator[Item]:
        if self.failures:
            raise self.failures.pop(0)
        yield Break("signal-lost", 0, 0.0, 1e9, "not there yet")
        yield Waiting()
        yield BLOCK
        self.end.wait()
        yield BLOCK


def together(*sources: Fast | Fragile) -> Merged:
    merged = Merged()
    for source in sources:
        merged.add(source, 16000)
    return merged


def test_a_single_source_is_read_without_a_thread() -> None:
    threads = threading.active_count()
    items = []
    for name, item in alone(Fast(3, AudioFormatError("cut off"))):
        assert threading.active_count() == threads
        assert name == "fast"
        items.append(item)
    assert [item is BLOCK for item in items] == [True, True, True, False]
    assert isinstance(items[-1], Ended)
    assert str(items[-1].error) == "cut off"


def test_a_fast_source_leaves_the_others_their_turn() -> None:
    fast, slow = Fast(10**9), Fast(50, name="slow")
    taken = {"fast": 0, "slow": 0}
    for name, item in together(fast, slow).items():
        taken[name] += item is BLOCK
        # Behind no more of them than may wait does the slow one's sound ever stand.
        assert fast.given - taken["fast"] <= merging._IN_FLIGHT + 1
        if name == "slow" and isinstance(item, Ended):
            break
    assert taken["slow"] == 50


def test_a_source_that_fails_is_read_again_while_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "_RETRY_S", 0.2)
    monkeypatch.setattr(merging, "_WAITING_S", 0.05)
    fragile = Fragile("fragile", [AudioDeviceError("two microphones could be meant"), RuntimeError("a bug")])
    steady = Fragile("steady", [])
    told: dict[str, list[Item | Ended]] = {"fragile": [], "steady": []}
    for name, item in together(fragile, steady).items():
        told[name].append(item)
        if all(any(one is BLOCK for one in items) for items in told.values()):
            fragile.end.set()
            steady.end.set()
    lost, back = [item for item in told["fragile"] if isinstance(item, Break)]
    assert (lost.event, lost.text) == ("signal-lost", "two microphones could be meant")
    assert back.event == "signal-back"
    assert back.seconds == pytest.approx(back.clock - lost.clock, abs=1e-3)
    assert back.seconds >= 0.4
    assert back.samples == round(back.seconds * 16000)
    assert any(isinstance(item, Waiting) for item in told["fragile"])  # a heartbeat all the while
    assert [isinstance(item, Break) for item in told["steady"]].count(True) == 1
    assert all(isinstance(items[-1], Ended) for items in told.values())


def test_a_file_that_fails_ends_alone() -> None:
    ends = {}
    for name, item in together(Fast(2, AudioFormatError("cut off"), "broken"), Fast(200)).items():
        if isinstance(item, Ended):
            ends[name] = item.error
    assert str(ends["broken"]) == "cut off"
    assert ends["fast"] is None


def test_a_source_may_be_taken_away_and_replaced() -> None:
    first, second, other = Fragile("one", []), Fast(5, name="one"), Fragile("other", [])
    merged = together(first, other)
    replaced = False
    for name, item in merged.items():
        if name == "one" and item is BLOCK and not replaced:
            merged.remove("one")
            merged.add(second, 16000)
            first.end.set()
            replaced = True
        elif name == "one" and isinstance(item, Ended):
            merged.remove("other")
            other.end.set()
    assert second.given == 5
    assert not merged._readers
