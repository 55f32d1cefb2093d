"""Made-up recordings for tests, and the WAV files and folders that hold them."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 16000
MACHINE = "fan"

TRAIN = {("00", "source"): 6, ("00", "target"): 2, ("01", "source"): 4}
"""Training clips of the tiny data set, by section and domain."""

MORE_TRAIN = {("00", "source"): 12, ("00", "target"): 2, ("01", "source"): 10}
"""As many as the distance detector needs."""

TEST = {("00", "source"): (3, 3), ("00", "target"): (2, 0), ("01", "source"): (2, 3)}
"""Its normal and anomalous test clips; section 00 has no target anomaly, section 01 no target."""

UNLABELLED = "source_test/section_01_source_test_0009.wav"
"""Its one clip whose name does not tell, as in evaluation data."""


def write_wav(path: Path, pcm: npt.NDArray[np.int16], rate: int = RATE) -> None:
    """Write mono int16 samples, by the standard library."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm.astype("<i2").tobytes())


def machine_sound(
    rng: np.random.Generator, *, seconds: float = 2.0, pitch: float = 200.0, noise: float = 300.0, faulty: bool = False
) -> npt.NDArray[np.int16]:
    """Make noise and the harmonics of `pitch`; a fault adds a whine that comes and goes.

    The whine is drawn at random between inaudible and plain, so that detectors are right and wrong.
    """
    n = round(seconds * RATE)
    t = np.arange(n) / RATE
    sound = rng.normal(scale=noise, size=n)
    for harmonic in (1, 2, 3, 5):
        sound += 900 / harmonic * np.sin(2 * np.pi * (pitch * harmonic * t + rng.uniform()))
    if faulty:
        whine = np.sin(2 * np.pi * rng.uniform(2500, 5500) * t) * (np.sin(2 * np.pi * 3 * t) > 0)
        sound += rng.uniform(100, 900) * whine
    return np.clip(np.round(sound), -32768, 32767).astype(np.int16)


def make_tiny_data(
    root: Path, seed: int = 20210610, seconds: float = 2.0, train: Mapping[tuple[str, str], int] = TRAIN
) -> None:
    """Write a data set of one machine in the layout of MIMII DUE: 12 training clips, or others, and 14 test clips."""
    rng = np.random.default_rng(seed)
    voice = {("00", "source"): (200.0, 300.0), ("00", "target"): (215.0, 600.0), ("01", "source"): (330.0, 300.0)}

    def write(folder: str, name: str, cell: tuple[str, str], faulty: bool = False) -> None:
        pitch, noise = voice[cell]
        write_wav(
            root / MACHINE / folder / name, machine_sound(rng, pitch=pitch, noise=noise, faulty=faulty, seconds=seconds)
        )

    for cell, count in train.items():
        section, domain = cell
        for i in range(count):
            write("train", f"section_{section}_{domain}_train_normal_{i:04d}_strength_1_ambient.wav", cell)
    for cell, counts in TEST.items():
        section, domain = cell
        for label, count in zip(("normal", "anomaly"), counts, strict=True):
            for i in range(count):
                name = f"section_{section}_{domain}_test_{label}_{i:04d}.wav"
                write(f"{domain}_test", name, cell, label == "anomaly")
    folder, name = UNLABELLED.split("/")
    write(folder, name, ("01", "source"))
