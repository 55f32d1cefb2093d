"""Several sources at once: each has its turn, and none stops another."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from edge_asd.audio.stream import Break, Waiting
from edge_asd.errors import AudioDeviceError, AudioFormatError
from edge_asd.monitor import merging
from edge_asd.monitor.merging import Ended, Item, merged

BLOCK = np.zeros(100, np.int16)


class Fast:
    """Gives blocks as fast as they are taken."""

    live = False

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.count, self.given, self.error = count, 0, error

    def sound(self) -> Iterator[Item]:
        for _ in range(self.count):
            self.given += 1
            yield BLOCK
        if self.error:
            raise self.error


class Fragile:
    """Fails at first, then gives sound until it is told to end."""

    live = True

    def __init__(self, failures: list[Exception]) -> None:
        self.failures, self.end = failures, threading.Event()

    def sound(self) -> Iterator[Item]:
        if self.failures:
            raise self.failures.pop(0)
        yield Break("signal-lost", 0, 0.0, 1e9, "not there yet")
        yield Waiting()
        yield BLOCK
        self.end.wait()
        yield BLOCK


def test_a_single_source_is_read_without_a_thread() -> None:
    threads = threading.active_count()
    items = []
    for number, item in merged([Fast(3, AudioFormatError("cut off"))], [16000]):
        assert threading.active_count() == threads
        assert number == 0
        items.append(item)
    assert [item is BLOCK for item in items] == [True, True, True, False]
    assert isinstance(items[-1], Ended)
    assert str(items[-1].error) == "cut off"


def test_a_fast_source_leaves_the_others_their_turn() -> None:
    fast, slow = Fast(10**9), Fast(50)
    taken = [0, 0]
    for number, item in merged([fast, slow], [16000, 16000]):
        taken[number] += item is BLOCK
        # Behind no more of them than may wait does the slow one's sound ever stand.
        assert fast.given - taken[0] <= merging._IN_FLIGHT + 1
        if number == 1 and isinstance(item, Ended):
            break
    assert taken[1] == 50


def test_a_source_that_fails_is_read_again_while_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "_RETRY_S", 0.2)
    monkeypatch.setattr(merging, "_WAITING_S", 0.05)
    fragile = Fragile([AudioDeviceError("two microphones could be meant"), RuntimeError("a bug")])
    steady = Fragile([])
    told: list[list[Item | Ended]] = [[], []]
    for number, item in merged([fragile, steady], [16000, 16000]):
        told[number].append(item)
        if any(one is BLOCK for one in told[0]) and any(one is BLOCK for one in told[1]):
            fragile.end.set()
            steady.end.set()
    events = [item for item in told[0] if isinstance(item, Break)]
    lost, back = events
    assert (lost.event, lost.text) == ("signal-lost", "two microphones could be meant")
    assert back.event == "signal-back"
    assert back.seconds == pytest.approx(back.clock - lost.clock, abs=1e-3)
    assert back.seconds >= 0.4
    assert back.samples == round(back.seconds * 16000)
    assert any(isinstance(item, Waiting) for item in told[0])  # a heartbeat all the while
    assert [isinstance(item, Break) for item in told[1]].count(True) == 1
    assert isinstance(told[0][-1], Ended)
    assert isinstance(told[1][-1], Ended)


def test_a_file_that_fails_ends_alone() -> None:
    ends = {}
    for number, item in merged([Fast(2, AudioFormatError("cut off")), Fast(200)], [16000, 16000]):
        if isinstance(item, Ended):
            ends[number] = item.error
    assert str(ends[0]) == "cut off"
    assert ends[1] is None
