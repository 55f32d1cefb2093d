"""A small synthetic data set in the MIMII DUE layout: fans in a factory.

The recipe is section 2.2 of the MIMII DUE paper: a machine clip of known average power a is
mixed with a factory-noise clip whose power b is tuned so that the signal-to-noise ratio of the
clip is gamma = 10 log10(a / b). The source and the target domain differ in fan speed.

The fan is a physical sketch. Everything periodic is a function of the shaft's angle, which
follows a slowly wandering speed; turbulence is noise whose spectrum moves with the speed.
Faults change that physics, at graded severity (Table 2 of the paper, and a worn bearing):

=========== ==================================================================================
imbalance   the shaft shakes the frame: tones at the shaft's rate and its multiples, and
            everything swells once a turn
wing        one blade pulls less and sheds vortices: the blade-pass tones gain sidebands at
            the shaft's rate, and a puff of broadband noise passes once a turn
clogging    stalled flow: turbulence moves to lower frequencies and surges, blade tones fade
bearing     balls hit a pit in the race: an impact train that rings a housing resonance
=========== ==================================================================================

The level tells nothing: the fan's power is normalised before a gain is applied, and healthy and
faulty clips draw that gain from one distribution.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import wave
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

from edge_asd.clips import DOMAINS, Domain, Label, Split, parse_section
from edge_asd.errors import DataError, OutputError

__all__ = ["FAULTS", "SEVERITIES", "ClipPlan", "make_clip", "make_dataset", "make_turning_file"]

Fault = Literal["imbalance", "wing", "clogging", "bearing"]
Float64 = npt.NDArray[np.float64]

FAULTS: tuple[Fault, ...] = ("bearing", "clogging", "imbalance", "wing")
SEVERITIES = (0.35, 0.6, 0.85)  # of faulty test clips; 1 is a fan about to fail
SAMPLE_RATE = 16_000

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
class _Fan:
    """A product: what all fans of one section share."""

    blades: int
    rpm: dict[Domain, int]
    blade_errors: Float64  # how far each blade's pressure pulse is off, [shape=(blades,)]
    ducts: Float64  # resonances of the duct, Hz
    housing: float  # resonance that a damaged bearing rings, Hz


@cache
def _fan(section: str) -> _Fan:
    rng = np.random.default_rng([0xFA4, int(section)])
    blades = int(rng.integers(5, 9))
    source = int(rng.integers(20, 31)) * 50
    return _Fan(
        blades=blades,
        rpm={"source": source, "target": round(source * rng.uniform(1.2, 1.3) / 50) * 50},
        blade_errors=rng.normal(0, 0.02, blades),
        ducts=rng.uniform((300, 900, 2000), (600, 1600, 3500)),
        housing=rng.uniform(2500, 4500),
    )


@dataclass(frozen=True, slots=True)
class _Scene:
    """What differs from one healthy clip to the next, beside the noise itself."""

    gain_db: float
    snr_db: float
    speed: float  # relative to nominal
    noise_corner: float  # Hz
    hum: float
    impacts: float  # 1/s

    @classmethod
    def draw(cls, rng: np.random.Generator) -> _Scene:
        return cls(
            gain_db=rng.uniform(-_GAIN_DB, _GAIN_DB),
            snr_db=_SNR_DB[0] + rng.uniform(-_SNR_DB[1], _SNR_DB[1]),
            speed=1 + rng.uniform(-0.01, 0.01),
            noise_corner=rng.uniform(150, 300),
            hum=rng.uniform(0.1, 0.4),
            impacts=rng.uniform(0.1, 0.6),
        )

    @classmethod
    def typical(cls) -> _Scene:
        return cls(gain_db=0, snr_db=_SNR_DB[0], speed=1, noise_corner=220, hum=0.25, impacts=0.3)


def _normalised(x: Float64) -> Float64:
    return x / np.sqrt(np.mean(x**2))


def _coloured(white: Float64, amplitude: Callable[[Float64], Float64]) -> Float64:
    """Noise of unit power with the amplitude spectrum that a function of f in Hz gives."""
    spectrum = fft.rfft(white)
    spectrum *= amplitude(fft.rfftfreq(white.size, 1 / SAMPLE_RATE))
    return _normalised(fft.irfft(spectrum, white.size))


def _wander(n: int, per_second: float, rng: np.random.Generator) -> Float64:
    """Slow random change of unit variance and about `per_second` turning points a second."""
    knots = int(n / SAMPLE_RATE * per_second) + 3
    position = np.arange(n) * (per_second / SAMPLE_RATE)
    return np.interp(position, np.arange(knots), rng.standard_normal(knots)) * np.sqrt(1.5)


def _machine(fan: _Fan, rpm: float, n: int, fault: Fault, severity: float, rng: np.random.Generator) -> Float64:
    """Sound of a fan, of unit power.

    The same random numbers are drawn whatever the fault: from one seed, two severities give one
    fan in one air flow, in two states, and can be faded into each other.
    """
    turns = np.cumsum(rpm / 60 / SAMPLE_RATE * (1 + 0.003 * _wander(n, 1.0, rng))) + rng.random()
    white, surge = rng.standard_normal(n), _wander(n, 5.0, rng)
    slip, strength = rng.standard_normal((2, int(turns[-1] * 4) + 8))
    imbalance, wing, clogging, bearing = (severity * (fault == f) for f in ("imbalance", "wing", "clogging", "bearing"))
    shaft = np.cos(2 * np.pi * turns)

    # Each blade pushes a pressure pulse past the microphone: a unit of Poisson-kernel shape, whose
    # harmonics fall by a fixed ratio. Equal blades cancel all but multiples of the blade-pass rate.
    grid = np.arange(4096) / 4096
    pulls = 1 + fan.blade_errors
    pulls[0] -= wing * 0.8
    ratio = 0.55 ** (1 / fan.blades)
    table = np.zeros_like(grid)
    for blade, pull in enumerate(pulls):
        angle = 2 * np.pi * (grid - blade / fan.blades)
        table += pull * (1 - ratio**2) / (1 - 2 * ratio * np.cos(angle) + ratio**2)
    table -= table.mean()
    shape = fan.blades * ratio**fan.blades * np.sqrt(2 / (1 - ratio ** (2 * fan.blades)))  # RMS with equal blades
    table *= 0.7 * (1 - 0.5 * clogging) / shape
    table += 0.15 * np.cos(2 * np.pi * grid)  # what balancing leaves
    for harmonic, size in ((1, 1.0), (2, 0.7), (3, 0.5), (4, 0.35), (5, 0.2)):
        table += imbalance * size * np.cos(2 * np.pi * harmonic * grid + harmonic**2)
    tones = np.interp(turns % 1, np.append(grid, 1), np.append(table, table[0]))

    # Turbulence: a hump that moves with the speed, a tail, and what the duct makes of it.
    hump = rpm / 60 * 20 * (1 - 0.45 * clogging)

    def flow_spectrum(f: Float64) -> Float64:
        base = (f / hump) / (1 + (f / hump) ** 2) ** (0.95 + 0.25 * clogging)
        duct = 1 + sum(0.8 / (1 + ((f - c) / (0.08 * c)) ** 2) for c in fan.ducts)
        return np.asarray(base * duct)

    flow = _coloured(white, flow_spectrum)
    puff = np.exp(-(((turns % 1) - 0.5) ** 2) / (2 * 0.06**2))
    flow *= 1 + 0.15 * np.cos(2 * np.pi * fan.blades * turns) + 2.0 * wing * puff + 0.35 * clogging * surge
    sound = (tones + flow) * (1 + 0.5 * imbalance * shaft)

    if bearing:
        # Ball-pass rate of the outer race, about 0.4 x 9 balls a turn, with slip; harder in the load zone.
        at = np.interp((np.arange(slip.size) + 0.05 * slip) / 3.58, turns - turns[0], np.arange(n), right=n)
        keep = at < n - 1
        hits = np.zeros(n)
        hits[at[keep].astype(int)] = np.exp(0.3 * strength[keep])
        hits *= 1 + 0.5 * shaft
        pole = np.exp((-1 / 0.0025 + 2j * np.pi * fan.housing) / SAMPLE_RATE)
        ring = signal.lfilter([1.0], [1.0, -2 * pole.real, abs(pole) ** 2], hits)
        sound += 0.45 * bearing * _normalised(ring)
    return _normalised(sound)


def _factory(scene: _Scene, n: int, rng: np.random.Generator) -> Float64:
    """Background noise of a factory hall, of unit power: rumble, mains hum, distant impacts."""
    rumble = _coloured(rng.standard_normal(n), lambda f: 1 / (1 + (f / scene.noise_corner) ** 2) ** 0.6)
    rumble *= 1 + 0.1 * _wander(n, 0.7, rng)
    time = np.arange(n) / SAMPLE_RATE
    mains = 2 * np.pi * 50 * time
    hum = sum(size * np.cos(k * mains + rng.uniform(0, 2 * np.pi)) for k, size in ((1, 0.6), (2, 1.0), (4, 0.5), (6, 0.3)))
    noise = rumble + scene.hum * hum
    tail = np.arange(int(0.8 * SAMPLE_RATE)) / SAMPLE_RATE
    for start in rng.integers(0, n, rng.poisson(scene.impacts * n / SAMPLE_RATE)):
        modes = rng.uniform(250, 2500, 4)
        decay = rng.uniform(0.03, 0.15)
        # A struck part rings, and the hall answers with a diffuse, duller tail.
        part = sum(np.sin(2 * np.pi * m * tail + m) * np.exp(-tail / decay * (m / 800) ** 0.5) for m in modes)
        hall = signal.lfilter([0.2], [1, -0.8], rng.standard_normal(tail.size)) * np.exp(-tail / 0.12)
        sound = (part + 2 * hall) * rng.lognormal(-1.2, 0.4) * (1 - np.exp(-tail / 0.004))
        end = min(start + tail.size, n)
        noise[start:end] += sound[: end - start]
    return _normalised(noise)


def _mix(machine: Float64, scene: _Scene, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """Step (b) and (c) of the recipe, and the microphone."""
    noise = _factory(scene, machine.size, rng) * np.sqrt(_MEAN_POWER / 10 ** (scene.snr_db / 10))
    mixed = _LEVEL * (machine * 10 ** (scene.gain_db / 20) + noise) + _MICROPHONE * rng.standard_normal(machine.size)
    return np.clip(np.rint(mixed * 32768), -32768, 32767).astype(np.int16)


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
    fan = _fan(plan.section)
    rpm = fan.rpm[plan.domain]
    machine = _machine(fan, rpm * scene.speed, round(SAMPLE_RATE * seconds), *plan.fault, rng)
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
        raise OutputError(f"{folder} cannot be written ({error}). Choose a folder with room that you may write.") from error
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
    fan = _fan(section)
    scene = _Scene.typical()
    n = round(SAMPLE_RATE * (healthy_seconds + faulty_seconds))
    states = []
    for severity in (0.0, 1.0):
        rng = np.random.default_rng([seed, int(section), 8])
        states.append(_machine(fan, fan.rpm["source"], n, "bearing", severity, rng))
    healthy, faulty = states
    fade = np.clip(np.arange(n) / SAMPLE_RATE - healthy_seconds, 0, 1)
    try:
        _write_wav(path, _mix(healthy + fade * (faulty - healthy), scene, rng))
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error}). Choose a folder with room that you may write.") from error
    return healthy_seconds


def _write_wav(path: Path, pcm: npt.NDArray[np.int16]) -> None:
    with wave.open(os.fspath(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes())
