"""Small data sets in the published layouts of DCASE Task 2, 2020 and 2022 to 2026, with all that is to be read of them.

Names, folders and numbering follow the READMEs of y-kawagu/dcase2020_task2_baseline and
nttcslab/dcase2023_task2_baseline_ae (README.md, README_legacy.md, datasets/eval_data_list_*.csv); the sounds are
made up. Machines are named as that year's are: one with labels (development), one without (evaluation).
"""

from __future__ import annotations

import wave
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.data import RATE, machine_sound

YEARS = (2020, 2022, 2023, 2024, 2025, 2026)

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Expected:
    """A clip, and everything that must be read of it; `file` is below the machine's folder."""

    file: str
    section: str
    domain: str | None
    split: str
    label: str | None
    attributes: Pairs = ()


@dataclass(frozen=True)
class Machine:
    """A machine: its clips, its files of attributes by name (lines), and its supplemental clips."""

    name: str
    clips: tuple[Expected, ...]
    csv: dict[str, list[str]]
    supplemental: tuple[str, ...] = ()


SOURCE_TRAIN, TARGET_TRAIN, TESTS = 6, 2, 3
"""Clips of a section: for training by domain, and for testing of each domain and label."""


def machines_of(year: int) -> tuple[Machine, Machine]:
    """Return a year's machine with labels, and its machine without."""
    if year == 2020:
        return _of_2020()
    dev, evaluation = {
        2022: ("fan", "valve"),
        2023: ("bearing", "bandsaw"),
        2024: ("gearbox", "ToothBrush"),
        2025: ("slider", "AutoTrash"),
        2026: ("fan", "Sander"),
    }[year]
    several = year == 2022
    return (
        _machine(year, dev, ("00", "01") if several else ("00",), labelled=True),
        _machine(year, evaluation, ("03", "04") if several else ("00",), labelled=False),
    )


def _of_2020() -> tuple[Machine, Machine]:
    dev: list[Expected] = []
    for section in ("00", "02"):
        dev += [Expected(f"train/normal_id_{section}_{i:08d}.wav", section, None, "train", "normal") for i in range(6)]
        for label in ("anomaly", "normal"):
            dev += [
                Expected(f"test/{label}_id_{section}_{i:08d}.wav", section, None, "test", label) for i in range(TESTS)
            ]
    unlabelled = [Expected(f"train/normal_id_01_{i:08d}.wav", "01", None, "train", "normal") for i in range(6)]
    unlabelled += [Expected(f"test/id_01_{i:08d}.wav", "01", None, "test", None) for i in range(2 * TESTS)]
    return Machine("ToyConveyor", tuple(dev), {}), Machine("pump", tuple(unlabelled), {})


def _machine(year: int, name: str, sections: Sequence[str], *, labelled: bool) -> Machine:
    first = 0 if year < 2024 else 1
    clips: list[Expected] = []
    csv: dict[str, list[str]] = {}
    for section in sections:
        own = [
            _clip(year, section, domain, "train", "normal", i + first)
            for domain, count in (("source", SOURCE_TRAIN), ("target", TARGET_TRAIN))
            for i in range(count)
        ]
        if labelled:
            own += [
                _clip(year, section, domain, "test", label, i + first)
                for domain in ("source", "target")
                for label in ("anomaly", "normal")
                for i in range(TESTS)
            ]
        csv[f"attributes_{section}.csv"] = _csv(name, own)
        if not labelled:
            # The READMEs print both forms; the lists of evaluation clips have the second.
            middle = "test_" if year == 2023 else ""
            own += [
                Expected(f"test/section_{section}_{middle}{i:04d}.wav", section, None, "test", None)
                for i in range(first, first + 4 * TESTS)
            ]
        clips += own
    supplemental = tuple(f"section_00_machine_{i:04d}_.wav" for i in range(1, 4)) if year == 2025 else ()
    return Machine(name, tuple(clips), csv, supplemental)


def _clip(year: int, section: str, domain: str, split: str, label: str, number: int) -> Expected:
    pairs: Pairs = ()
    rest = {2024: "noAttribute", 2025: "", 2026: "noAttribute"}.get(year)
    if rest is None:
        pairs = (("m-n", "W" if domain == "source" else "Z"), ("spd", "28V"))
        rest = "_".join(word for pair in pairs for word in pair)
    file = f"{split}/section_{section}_{domain}_{split}_{label}_{number:04d}_{rest}.wav"
    return Expected(file, section, domain, split, label, pairs)


def _csv(machine: str, clips: list[Expected]) -> list[str]:
    width = max(len(clip.attributes) for clip in clips)
    header = ",".join(["file_name", *(f"d{i}{kind}" for i in range(1, width + 1) for kind in "pv")])
    rows = [",".join([f"{machine}/{c.file}", *(word for pair in c.attributes for word in pair)]) for c in clips]
    return [header, *rows]


def make_tree(root: Path, year: int, seconds: float = 1.5) -> tuple[Machine, Machine]:
    """Write a year's two machines; evaluation clips of 2026 last 0.6, 1 and 1.6 times `seconds`."""
    made = machines_of(year)
    for machine in made:
        for clip in machine.clips:
            untold = year == 2026 and clip.label is None
            length = seconds * ((0.6, 1.0, 1.6)[int(clip.file[-8:-4]) % 3] if untold else 1.0)
            faulty = clip.label == "anomaly" or (clip.label is None and clip.file[-5] in "13579")
            write_sound(root / machine.name / clip.file, length, faulty=faulty, channels=2 if year == 2026 else 1)
        for name in machine.supplemental:
            write_sound(root / machine.name / "supplemental" / name, seconds)
        for name, lines in machine.csv.items():
            (root / machine.name / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made


def write_sound(path: Path, seconds: float, *, faulty: bool = False, channels: int = 1) -> None:
    """Write a sound of its own for each path; the far channel is softer, and noisier."""
    rng = np.random.default_rng(zlib.crc32("/".join(path.parts[-3:]).encode()))
    near = machine_sound(rng, seconds=seconds, faulty=faulty)
    columns = [near] + [
        np.round(near * 0.3 + rng.normal(scale=400, size=near.size)).astype(np.int16) for _ in range(channels - 1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.stack(columns, axis=1).astype("<i2").tobytes())
