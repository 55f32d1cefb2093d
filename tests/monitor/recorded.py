"""Made-up reports and sound for what the monitor keeps on disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from edge_asd.bundle.policy import Policy
from edge_asd.monitor.alarms import Event, EventName, State
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.records.origin import Origin
from edge_asd.monitor.reports import Report

RATE = 16000
START = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)


def origin(source: str = "pump", rate: int = RATE) -> Origin:
    return Origin(source, "00", rate, "pump", "ab" * 32, "dB²", Policy())


def event(place: int, name: EventName = EventName.alarm, source: str = "pump", rate: int = RATE) -> Report:
    what = Event(name, place / rate, "00", 700_000, 655_360, 12.5)
    return Report(what, START + timedelta(seconds=place / rate), source, State.alarm)


def decision(place: int, score: int = 600_000, source: str = "pump", state: State = State.healthy) -> Report:
    what = Decision(place / RATE, "00", score, 655_360, score > 655_360)
    return Report(what, START + timedelta(seconds=place / RATE), source, state)


def sound(samples: int, start: int = 1) -> npt.NDArray[np.int16]:
    """Make samples that tell their place, none of them zero."""
    return ((np.arange(start, start + samples) % 30_011) + 1).astype(np.int16)


def pcm_of(path: Path) -> npt.NDArray[np.int16]:
    pcm, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE
    return pcm


def clip_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*Z_*"))
