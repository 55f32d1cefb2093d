"""A small synthetic data set in the MIMII DUE layout: fans in a factory.

The recipe is section 2.2 of the MIMII DUE paper: a machine clip of known average power a is
mixed with a factory-noise clip whose power b is tuned so that the signal-to-noise ratio of the
clip is gamma = 10 log10(a / b). The source and the target domain differ in fan speed.

The level tells nothing: the fan's power is normalised before a gain is applied, and healthy and
faulty clips draw that gain from one distribution.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import wave
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.clips import DOMAINS, Domain, Label, Split, parse_section
from edge_asd.errors import DataError, OutputError
from train.synthetic_sounds import FAULTS, SAMPLE_RATE, Factory, Fault, factory_noise, fan_of_section, fan_sound

__all__ = ["SEVERITIES", "ClipPlan", "make_clip", "make_dataset", "make_turning_file"]

SEVERITIES = (0.7, 1.0, 0.45)  # of faulty test clips; 1 is a fan about to fail

_LEVEL = 0.025  # RMS of an average fan, full scale 1: noise and its impacts on top stay clear of clipping
_GAIN_DB = 2.0  # the fan's gain is uniform over +- this
_SNR_DB = (-6.0, 1.5)  # "c +- d" of the paper's Table 1
_MICROPHONE = 1e-4  # RMS of the microphone's own noise
# a of the recipe: the mean of 10^(g/10) over uniform g, for fans of unit power before their gain
_MEAN_POWER = float(np.sinh(_GAIN_DB * np.log(10) / 10) / (_GAIN_DB * np.log(10) / 10))


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """One clip to be: with the seed, all that decides its samples.

    Attributes
    ----------
    section : str
        Two digits; the section is the product, the same fan whatever the seed.
    domain, split, label
        As in the file name.
    index : int >= 0
        The clip's number; it also picks fault and severity of a faulty clip, in turn.
    """

    section: str
    domain: Domain
    split: Split
    label: Label
    index: int

    @property
    def fault(self) -> tuple[Fault, float]:
        """Fault and severity, 0 for a healthy clip."""
        if self.label == "normal":
            return FAULTS[0], 0.0
        return FAULTS[self.index % len(FAULTS)], SEVERITIES[self.index // len(FAULTS) % len(SEVERITIES)]

    def generator(self, seed: int) -> np.random.Generator:
        """Return the clip's own random numbers, so that the order of work cannot matter."""
        kind = 4 * DOMAINS.index(self.domain) + 2 * (self.split == "test") + (self.label == "anomaly")
        return np.random.default_rng([seed, int(self.section), kind, self.index])


@dataclass(frozen=True, slots=True)
class _Scene:
    """What differs from one healthy clip to the next, beside the noise itself."""

    gain_db: float  # of the fan
    snr_db: float  # gamma of the recipe
    speed: float  # relative to nominal
    factory: Factory

    @classmethod
    def draw(cls, rng: np.random.Generator) -> _Scene:
        return cls(
            gain_db=rng.uniform(-_GAIN_DB, _GAIN_DB),
            snr_db=_SNR_DB[0] + rng.uniform(-_SNR_DB[1], _SNR_DB[1]),
            speed=1 + rng.uniform(-0.01, 0.01),
            factory=Factory(
                corner=rng.uniform(150, 300),
                hum=rng.uniform(0.1, 0.4),
                reflections_db=rng.uniform(0.2, 2.3),
                impact_rate=rng.uniform(0.1, 0.5),
                impact_level=10 ** rng.uniform(-1.0, -0.5),
            ),
        )

    @classmethod
    def typical(cls) -> _Scene:
        factory = Factory(corner=220, hum=0.25, reflections_db=0.5, impact_rate=0.25, impact_level=0.15)
        return cls(gain_db=0, snr_db=_SNR_DB[0], speed=1, factory=factory)


def _mix(machine: npt.NDArray[np.float64], scene: _Scene, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """Step (b) and (c) of the recipe, and the microphone."""
    noise = factory_noise(scene.factory, machine.size, rng) * np.sqrt(_MEAN_POWER / 10 ** (scene.snr_db / 10))
    mixed = _LEVEL * (machine * 10 ** (scene.gain_db / 20) + noise) + _MICROPHONE * rng.standard_normal(machine.size)
    return np.asarray(np.clip(np.rint(mixed * 32768), -32768, 32767), dtype=np.int16)


def make_clip(plan: ClipPlan, *, seed: int = 0, seconds: float = 10.0) -> tuple[npt.NDArray[np.int16], str]:
    """Synthesise one clip.

    Parameters
    ----------
    plan : ClipPlan
        Which clip.
    seed : int >= 0
        Seed of the data set.
    seconds : float > 0
        Its length.

    Returns
    -------
    pcm : ndarray, int16 [shape=(round(16000 * seconds),)]
        Samples at 16 kHz.
    name : str
        Its file name, with speed and signal-to-noise ratio as attributes.
    """
    rng = plan.generator(seed)
    scene = _Scene.draw(rng)
    fan = fan_of_section(plan.section)
    rpm = fan.rpm[plan.domain]
    machine = fan_sound(fan, rpm * scene.speed, round(SAMPLE_RATE * seconds), *plan.fault, rng)
    snr = f"{'m' if scene.snr_db < 0 else ''}{abs(round(scene.snr_db))}dB"
    name = f"section_{plan.section}_{plan.domain}_{plan.split}_{plan.label}_{plan.index:04d}_rpm_{rpm}_snr_{snr}.wav"
    return _mix(machine, scene, rng), name


def make_dataset(
    root: Path,
    *,
    seed: int = 0,
    sections: Sequence[str] = ("00", "01"),
    train_source: int = 40,
    train_target: int = 3,
    test_per_class: int = 12,
    seconds: float = 10.0,
    machine: str = "fan",
    workers: int = 2,
) -> Path:
    """Write a data set in the MIMII DUE layout.

    Parameters
    ----------
    root : Path
        Folder that gets the folder `machine`; made if missing.
    seed : int >= 0
        One seed gives identical bytes, whatever the number of workers.
    sections : sequence of str
        Sections, each another product.
    train_source, train_target : int >= 0
        Training clips a section, healthy.
    test_per_class : int >= 0
        Healthy and as many faulty test clips a section and domain.
    seconds : float > 0
        Length of each clip.
    machine : {"fan"}
        Machine type.
    workers : int > 0
        Threads; most of the work leaves Python's lock.

    Returns
    -------
    folder : Path
        ``root/machine`` with the folders train, source_test and target_test.

    Raises
    ------
    DataError
        If there is no model of `machine`, or a section is not a number.
    OutputError
        If the folder exists already or cannot be written. Nothing half-written stays behind.
    """
    if machine != "fan":
        raise DataError(f"There is no synthetic {machine!r}. The machine type that can be synthesised is fan.")
    folder = root / machine
    if folder.exists():
        raise OutputError(f"{folder} exists already. Remove it, or choose another folder for the synthetic data set.")
    plans = []
    for section in map(parse_section, sections):
        for domain, count in zip(DOMAINS, (train_source, train_target), strict=True):
            plans += [ClipPlan(section, domain, "train", "normal", i) for i in range(count)]
            for label in ("normal", "anomaly"):
                plans += [ClipPlan(section, domain, "test", label, i) for i in range(test_per_class)]

    partial = None
    try:
        root.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{machine}-", dir=root))
        partial.chmod(0o755)
        for name in ("train", "source_test", "target_test"):
            (partial / name).mkdir()

        def write(plan: ClipPlan) -> None:
            pcm, name = make_clip(plan, seed=seed, seconds=seconds)
            _write_wav(partial / ("train" if plan.split == "train" else f"{plan.domain}_test") / name, pcm)

        with ThreadPoolExecutor(max_workers=workers) as pool:
            list(pool.map(write, plans))
        os.replace(partial, folder)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error}). Choose a folder with room that you may write."
        ) from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def make_turning_file(
    path: Path, *, section: str, seed: int, healthy_seconds: float = 40.0, faulty_seconds: float = 30.0
) -> float:
    """Write a recording of a section's fan, in the source domain, whose bearing breaks on the way.

    Parameters
    ----------
    path : Path
        WAV file to write, 16 kHz mono int16.
    section : str
        The fan, as in `make_dataset`.
    seed : int >= 0
        Seed; the recording has no clip in common with the data set.
    healthy_seconds, faulty_seconds : float > 0
        Length before and after the change.

    Returns
    -------
    change : float
        Second at which the fault begins; it is complete one second later.

    Raises
    ------
    DataError
        If `section` is not a number.
    OutputError
        If `path` cannot be written.
    """
    section = parse_section(section)
    fan = fan_of_section(section)
    scene = _Scene.typical()
    n = round(SAMPLE_RATE * (healthy_seconds + faulty_seconds))
    states = []
    for severity in (0.0, 1.0):
        rng = np.random.default_rng([seed, int(section), 8])
        states.append(fan_sound(fan, fan.rpm["source"], n, "bearing", severity, rng))
    healthy, faulty = states
    fade = np.clip(np.arange(n) / SAMPLE_RATE - healthy_seconds, 0, 1)
    try:
        _write_wav(path, _mix(healthy + fade * (faulty - healthy), scene, rng))
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error}). Choose a folder with room that you may write."
        ) from error
    return healthy_seconds


def _write_wav(path: Path, pcm: npt.NDArray[np.int16]) -> None:
    # Opened here: wave leaves a broken object behind when it cannot open a path itself.
    with path.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes())
