"""Sounds of a fan and of a factory hall, from a sketch of their physics.

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
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

from edge_asd.clips import Domain

__all__ = ["FAULTS", "SAMPLE_RATE", "Factory", "Fan", "Fault", "factory_noise", "fan_of_section", "fan_sound"]

Fault = Literal["imbalance", "wing", "clogging", "bearing"]
Float64 = npt.NDArray[np.float64]

FAULTS: tuple[Fault, ...] = ("bearing", "clogging", "imbalance", "wing")
SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True)
class Fan:
    """A product: what all fans of one section share."""

    blades: int
    rpm: dict[Domain, int]
    blade_errors: Float64  # how far each blade's pressure pulse is off, [shape=(blades,)]
    ducts: Float64  # resonances of the duct, Hz
    housing: float  # resonance that a damaged bearing rings, Hz


@cache
def fan_of_section(section: str) -> Fan:
    """Return the product of a section (two digits): always the same one."""
    rng = np.random.default_rng([0xFA4, int(section)])
    blades = int(rng.integers(5, 9))
    source = int(rng.integers(20, 31)) * 50
    return Fan(
        blades=blades,
        rpm={"source": source, "target": round(source * rng.uniform(1.2, 1.3) / 50) * 50},
        blade_errors=rng.normal(0, 0.02, blades),
        ducts=rng.uniform((300, 900, 2000), (600, 1600, 3500)),
        housing=rng.uniform(2500, 4500),
    )


@dataclass(frozen=True, slots=True)
class Factory:
    """What a hall sounds like while one clip is recorded."""

    corner: float  # where the rumble starts to fall, Hz
    hum: float  # amplitude of the mains hum; the rumble has RMS 1
    reflections_db: float  # how unevenly the hall carries the rumble to this place, standard deviation
    impact_rate: float  # 1/s
    impact_level: float  # amplitude: how far away they work


def _normalised(x: Float64) -> Float64:
    unit: Float64 = x / np.sqrt(np.mean(x**2))
    return unit


def _coloured(white: Float64, amplitude: Callable[[Float64], Float64]) -> Float64:
    """Noise of unit power with the amplitude spectrum that a function of f in Hz gives."""
    spectrum = fft.rfft(white)
    spectrum *= amplitude(fft.rfftfreq(white.size, 1 / SAMPLE_RATE))
    return _normalised(fft.irfft(spectrum, white.size))


def _wander(n: int, per_second: float, rng: np.random.Generator) -> Float64:
    """Slow random change of unit variance and about `per_second` turning points a second."""
    knots = int(n / SAMPLE_RATE * per_second) + 3
    position = np.arange(n) * (per_second / SAMPLE_RATE)
    # Straight lines between knots of unit variance have 2/3 of it.
    return np.asarray(np.interp(position, np.arange(knots), rng.standard_normal(knots)) * np.sqrt(1.5))


def fan_sound(fan: Fan, rpm: float, n: int, fault: Fault, severity: float, rng: np.random.Generator) -> Float64:
    """Return n samples of a fan, of unit power.

    Severity runs from 0 (healthy) to 1 (about to fail). The same random numbers are drawn whatever
    the fault: from one seed, two severities give one fan in one air flow, in two states, and can be
    faded into each other.
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
    table += 0.15 * np.cos(2 * np.pi * grid + 2)  # what balancing leaves
    for harmonic, size in ((1, 1.0), (2, 0.7), (3, 0.5), (4, 0.35), (5, 0.2)):
        table += 1.2 * imbalance * size * np.cos(2 * np.pi * harmonic * grid + harmonic**2)
    tones = np.interp(turns % 1, np.append(grid, 1), np.append(table, table[0]))

    # Turbulence: a hump that moves with the speed, a tail, and what the duct makes of it.
    hump = rpm / 60 * 20 * (1 - 0.45 * clogging)

    def flow_spectrum(f: Float64) -> Float64:
        base = (f / hump) / (1 + (f / hump) ** 2) ** (0.95 + 0.25 * clogging)
        duct = 1 + sum(0.8 / (1 + ((f - c) / (0.08 * c)) ** 2) for c in fan.ducts)
        return np.asarray(base * duct)

    flow = _coloured(white, flow_spectrum)
    puff = np.exp(-(((turns % 1) - 0.5) ** 2) / (2 * 0.06**2))
    flow *= 1 + 0.15 * np.cos(2 * np.pi * fan.blades * turns) + 2.6 * wing * puff
    flow *= np.exp(0.4 * clogging * surge)
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
        sound += 0.55 * bearing * _normalised(ring)
    return _normalised(sound)


def factory_noise(hall: Factory, n: int, rng: np.random.Generator) -> Float64:
    """Return n samples of a factory hall, of unit power: rumble, mains hum, distant impacts."""
    ripples = rng.uniform((1, 0), (12, 2 * np.pi), (12, 2))  # per octave (roughly) and phase

    def spectrum(f: Float64) -> Float64:
        octave = np.log2(1 + f / 200)
        uneven = sum(np.cos(rate * octave + phase) for rate, phase in ripples) * hall.reflections_db / np.sqrt(6)
        return np.asarray(10 ** (uneven / 20) / (1 + (f / hall.corner) ** 2) ** 0.6)

    rumble = _coloured(rng.standard_normal(n), spectrum)
    rumble *= 1 + 0.1 * _wander(n, 0.7, rng)
    time = np.arange(n) / SAMPLE_RATE
    mains = 2 * np.pi * 50 * time
    hum = sum(
        size * np.cos(k * mains + rng.uniform(0, 2 * np.pi)) for k, size in ((1, 0.6), (2, 1.0), (4, 0.5), (6, 0.3))
    )
    noise = rumble + hall.hum * hum
    tail = np.arange(int(0.8 * SAMPLE_RATE)) / SAMPLE_RATE
    for start in rng.integers(0, n, rng.poisson(hall.impact_rate * n / SAMPLE_RATE)):
        modes = rng.uniform(250, 2500, 4)
        decay = rng.uniform(0.03, 0.15)
        # A struck part rings, and the hall answers with a diffuse, duller tail.
        part = sum(np.sin(2 * np.pi * m * tail + m) * np.exp(-tail / decay * (m / 800) ** 0.5) for m in modes)
        answer = signal.lfilter([0.2], [1, -0.8], rng.standard_normal(tail.size)) * np.exp(-tail / 0.12)
        sound = (part + 2 * answer) * hall.impact_level * rng.lognormal(0, 0.2) * (1 - np.exp(-tail / 0.004))
        end = min(start + tail.size, n)
        noise[start:end] += sound[: end - start]
    return _normalised(noise)
