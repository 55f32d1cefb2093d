"""A disk that hangs holds up nobody: what waits is bounded, and told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from edge_asd.audio.stream import Pcm
from edge_asd.errors import OutputError
from edge_asd.monitor.alarms import Event, State
from edge_asd.monitor.reports import Report, Sink, Status
from edge_asd.monitor.sinks.background import Background
from tests.monitor.recorded import RATE, decision, event, sound
from tests.waiting import until

PATIENCE_S = 60.0


class Disk(Sink):
    """Takes what comes, unless it hangs."""

    def __init__(self) -> None:
        self.works = threading.Event()
        self.works.set()
        self.taken: list[tuple[str, int]] = []
        self.threads: set[int] = set()
        self.raises: Exception | None = None

    def _take(self, kind: str, place: int) -> None:
        assert self.works.wait(PATIENCE_S)
        self.threads.add(threading.get_ident())
        self.taken.append((kind, place))
        if self.raises is not None:
            raise self.raises

    def report(self, report: Report, /) -> None:
        kind = "event" if isinstance(report.what, Event) else "decision"
        self._take(kind, round(report.what.time_s * RATE))

    def hear(self, source: str, place: int, pcm: Pcm, /) -> None:
        assert np.array_equal(pcm, sound(pcm.size, place))
        self._take("sound", place)

    def status(self, status: Status, /) -> None:
        self._take("status", round(status.time_s * RATE))

    def close(self) -> None:
        self._take("close", 0)


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.works.set()


def test_all_arrives_in_order_on_another_thread(disk: Disk) -> None:
    notes: list[str] = []
    background = Background(disk, notes.append, close_s=PATIENCE_S)
    block = sound(100)
    for k in range(100):
        block[:] = sound(100, 100 * k)  # a block may be filled anew
        background.hear("pump", 100 * k, block)
        background.report(decision(100 * k))
        background.report(event(100 * k))
    assert background.flush(PATIENCE_S)
    assert disk.taken == [(kind, 100 * k) for k in range(100) for kind in ("sound", "decision", "event")]
    background.close()
    assert disk.taken[-1] == ("close", 0)
    assert threading.get_ident() not in disk.threads
    assert notes == []


def test_of_what_a_hanging_disk_leaves_waiting_sound_goes_first_and_events_last(disk: Disk) -> None:
    notes: list[str] = []
    background = Background(disk, notes.append, sound_bytes=2 * 100 * 20, reports=60, close_s=PATIENCE_S)
    disk.works.clear()
    background.report(event(-1))
    # The thread holds this one from now on; what follows waits.
    until(lambda: not background._jobs)
    started = time.monotonic()
    for k in range(100):
        background.hear("pump", 100 * k, sound(100, 100 * k))
        background.report(decision(100 * k))
        background.report(event(100 * k))
        background.status(Status("pump", "00", State.healthy, 0.0))
    assert time.monotonic() - started < PATIENCE_S / 2  # nobody waited
    assert not background.flush(0.01)
    assert len(notes) == 1
    assert notes[0].startswith("The disk does not keep up")
    disk.works.set()
    assert background.flush(PATIENCE_S)
    until(lambda: len(notes) == 2)
    kinds = [kind for kind, _ in disk.taken]
    events = [place for kind, place in disk.taken if kind == "event"]
    assert len(kinds) == 61
    assert kinds.count("sound") < 20
    assert kinds.count("decision") < 20
    assert events == [-1, *range(0, 100 * (len(events) - 1), 100)]  # the first ones, without a hole
    assert len(events) == 38  # half of the bound alone
    lost_sound = (100 - kinds.count("sound")) * 200
    lost_reports = 200 - kinds.count("decision") - len(events) + 1
    assert f"{lost_sound / 1e6:.1f} MB of sound and {lost_reports} report(s)" in notes[1]
    background.report(event(7))
    background.close()
    assert disk.taken[-2:] == [("event", 7), ("close", 0)]


def test_closing_waits_only_so_long(disk: Disk) -> None:
    notes: list[str] = []
    background = Background(disk, notes.append, close_s=0.05)
    disk.works.clear()
    background.report(event(1))
    started = time.monotonic()
    background.close()
    assert time.monotonic() - started < PATIENCE_S / 2
    assert notes == ["The disk did not take all records within 0.05 s; some may be missing."]
    background.report(event(2))  # comes too late
    disk.works.set()
    background.close()
    assert disk.taken == [("event", 1), ("close", 0)]


def test_an_error_for_people_is_told_once_and_a_defect_is_raised(disk: Disk) -> None:
    notes: list[str] = []
    background = Background(disk, notes.append, close_s=PATIENCE_S)
    disk.raises = OutputError("The disk is on fire.")
    for k in range(3):
        background.report(event(k))
    assert background.flush(PATIENCE_S)
    assert notes == ["The disk is on fire."]
    disk.raises = ZeroDivisionError("a defect")
    background.report(event(3))
    until(lambda: not background._thread.is_alive())
    with pytest.raises(ZeroDivisionError, match="a defect"):
        background.report(event(4))
    with pytest.raises(ZeroDivisionError, match="a defect"):
        background.close()
