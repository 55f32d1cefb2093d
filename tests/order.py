"""The order in which files of tests are given to processes: what takes long first, what waits beside what computes.

A process takes the next file when it has done with one. So the last ones should be short, files that wait for each
other's fixtures lie apart, and those that listen in real time, with the processor idle, are spread among the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent

LONG = (
    "cli/test_demo.py",
    "train/runs/test_fitting.py",  # it makes the run that many others take
    "firmware_export/test_proof_autoencoder.py",
    "cli/test_environment.py",
    "quantize/test_pipeline.py",  # it makes the bundle of that run
    "firmware_export/test_library_quality.py",
    "cli/test_real_clips.py",
    "cli/test_bad_input.py",
    "quantize/jobs/test_reproduce.py",
    "firmware_export/test_projects.py",
)
"""These come first; a file that is not named here may well be long, too."""

WAITING = (
    "audio/test_capture",
    "audio/test_chosen_microphone.py",
    "audio/test_hanging.py",
    "audio/test_lost_sound.py",
    "audio/test_microphone.py",
    "audio/test_shared.py",
    "calibration/test_live.py",
    "cli/test_data_record.py",
    "train/data/download/",
    "monitor/test_command_source.py",
    "monitor/test_live_",
    "notify/",
)
"""How the names of those begin that wait for sound, clocks and other processes."""


def ordered(paths: Iterable[str]) -> list[str]:
    """Sort the names of files, relative to the folder of the tests."""
    rest = sorted(set(paths), key=lambda path: (path.startswith(WAITING), path))
    first = [path for path in LONG if path in rest]
    rest = [path for path in rest if path not in first]
    waiting = sum(path.startswith(WAITING) for path in rest)
    computing = len(rest) - waiting

    def share(number: int) -> float:
        """How far down its own kind a file lies."""
        return number / computing if number < computing else (number - computing + 0.5) / waiting

    return first + [rest[number] for number in sorted(range(len(rest)), key=share)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files; tests in a file keep their order."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        name = item.path.relative_to(ROOT).as_posix() if item.path.is_relative_to(ROOT) else str(item.path)
        files.setdefault(name, []).append(item)
    items[:] = [item for name in ordered(files) for item in files[name]]
