"""A water pump: the impeller's vane-pass tones, the motor's hum, flow, bubbles and a little cavitation.

The faults of Table 2:

============== =================================================================================
contamination  grains strike impeller and casing at random
clogging       little flow: it recirculates at low frequencies and surges, vane-pass tones grow
leakage        a jet hisses out of the seal, and air that is drawn in gurgles
dry run        no water: flow and bubbles are gone, bearings and seal run dry and screech
============== =================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asd.clips import Domain
from edge_asd.train.synthesis.machines.base import NO_FAULT, Machine, levels_of
from edge_asd.train.synthesis.signals import (
    SAMPLE_RATE,
    Float64,
    coloured,
    crossings,
    hits_at,
    hump,
    normalised,
    over_angle,
    resonances,
    ringing,
    scattered,
    struck,
    tone,
    turns_of,
    wander,
    waveform,
)

_SHIFTS = {"00": "viscosity", "01": "snr", "02": "several", "03": "viscosity", "04": "factory", "05": "several"}
_SUBMERSIBLE = ("00", "03")

_BUBBLE = round(0.03 * SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Product:
    """What all pumps of one product share."""

    rate: float  # of the shaft, turns/s
    vanes: int
    casing: Float64  # resonances, Hz
    flow: float  # where the flow's noise peaks, Hz
    bubbles: float  # 1/s
    phases: Float64


@dataclass(frozen=True, slots=True)
class Running:
    """How a pump runs during one clip."""

    viscosity: float  # relative to water's
    pumps: int


class Pump(Machine):
    """A pump of one section."""

    NAME = "pump"
    FAULTS = ("contamination", "clogging", "leakage", "dry run")

    def _product(self, rng: np.random.Generator) -> list[Product]:
        return [_draw(rng, self.section in _SUBMERSIBLE) for _ in range(3)]

    def condition(self, domain: Domain, rng: np.random.Generator) -> Running:
        shift = _SHIFTS[self.section] if domain == "target" else ""
        viscosity, pumps = rng.uniform(0.95, 1.05), 1
        if shift == "viscosity":
            viscosity = float(rng.choice([2.0, 4.0, 12.0])) * rng.uniform(0.95, 1.05)
        if shift == "several":
            pumps = int(rng.choice([2, 3]))
        return Running(viscosity, pumps)

    def attributes(self, condition: Running) -> str:
        return f"viscosity_{condition.viscosity:.1f}_pumps_{condition.pumps}"

    def sound(
        self, condition: Running, n: int, rng: np.random.Generator, fault: str = NO_FAULT, severity: float = 0.0
    ) -> Float64:
        broken = int(rng.integers(condition.pumps))
        total = np.zeros(n)
        for number in range(condition.pumps):
            hurt = severity if number == broken else 0.0
            total += normalised(_one(self.product[number], condition, n, rng, levels_of(fault, hurt, self.FAULTS)))
        return total


def _draw(rng: np.random.Generator, submersible: bool) -> Product:
    casing = rng.uniform((400, 1000, 2300, 4000), (800, 1800, 3500, 5500))
    return Product(
        rate=rng.uniform(46, 49),  # two poles at 50 Hz, less the slip
        vanes=int(rng.integers(5, 8)),
        casing=casing * (0.8 if submersible else 1.0),  # water around it adds mass
        flow=rng.uniform(700, 1300),
        bubbles=rng.uniform(10, 20) * (2 if submersible else 1),
        phases=rng.uniform(0, 2 * np.pi, 32),
    )


def _one(pump: Product, running: Running, n: int, rng: np.random.Generator, level: dict[str, float]) -> Float64:
    thick = np.log2(running.viscosity)
    clogging, leakage, dry = level["clogging"], level["leakage"], level["dry run"]
    # A load off the impeller lets it catch up with the field.
    rate = pump.rate * (1 - 0.012 * thick + 0.01 * clogging + 0.02 * dry) * (1 + rng.uniform(-0.003, 0.003))
    turns = turns_of(rate, n, rng, wobble=0.002)
    orders = {1: 0.25 * np.exp(1j * pump.phases[0]), 2: 0.15 * np.exp(1j * pump.phases[1])}
    for harmonic in range(1, 8):
        size = 0.7 ** (harmonic - 1) * (1 + 0.9 * clogging) * (1 - 0.7 * dry)
        orders[pump.vanes * harmonic] = size * np.exp(1j * pump.phases[harmonic + 1])
    tones = over_angle(turns, waveform(orders))
    hum = sum(size * tone(f, n, rng) for f, size in ((100, 0.5), (200, 0.25), (300, 0.15)))

    peak = pump.flow * (1 - 0.13 * thick) * (1 - 0.5 * clogging)

    def flow_response(f: Float64) -> Float64:
        # Viscosity damps the small, fast eddies first.
        return hump(f, peak, 1.0, 0.8 + 0.2 * thick) * resonances(f, pump.casing, 1.2)

    flow = coloured(n, rng, flow_response) * np.exp(0.12 * (1 + 3 * clogging) * wander(n, 4, rng))
    crackle = coloured(n, rng, lambda f: hump(f, 5000, 2.0, 1.0))
    crackle *= np.maximum(0, 1 + 0.8 * np.cos(2 * np.pi * pump.vanes * turns))
    sound = 0.55 * tones + 0.4 * hum + (1 - 0.75 * dry) * flow + 0.12 * (1 - dry) * crackle
    bubbles = pump.bubbles * (1 + 2.5 * leakage) * (1 - dry) / running.viscosity**0.5
    sound += 1.0 * _bubbles(bubbles, n, rng)
    if leakage:
        jet = coloured(n, rng, lambda f: hump(f, 4500, 2.0, 0.8))
        sound += 0.55 * leakage * jet * np.exp(0.2 * wander(n, 8, rng))
    if dry:
        screech = coloured(n, rng, lambda f: resonances(f, pump.casing[1:] * 1.13, 12, 0.02) - 1)
        sound += 0.35 * dry * screech * (1 + 0.6 * np.cos(2 * np.pi * turns))
    if grains := level["contamination"]:
        starts = rng.integers(0, n, rng.poisson((10 + 50 * grains) * n / SAMPLE_RATE))
        hits = hits_at(starts, rng.lognormal(0, 0.6, starts.size), n)
        rub = crossings(turns)
        hits += hits_at(rub, 0.35 * rng.lognormal(0, 0.3, rub.size), n)
        sound += 6.0 * grains**0.5 * struck(hits, ringing(pump.casing[1:], 0.004))
    return sound


def _bubbles(per_second: float, n: int, rng: np.random.Generator) -> Float64:
    """Bubbles breathe at their own rates: f = 3.26 m/s / radius (Minnaert 1933); 2 to 8 mm here."""
    count = rng.poisson(per_second * n / SAMPLE_RATE)
    t = np.arange(_BUBBLE) / SAMPLE_RATE
    frequency = 3.26 / rng.uniform(0.002, 0.008, count)[:, None]
    decay = 0.13 * frequency + 0.0072 * frequency**1.5 * 0.05  # per second; grows with frequency
    waves = rng.lognormal(0, 0.5, count)[:, None] * np.sin(2 * np.pi * frequency * t * (1 + 3 * t)) * np.exp(-decay * t)
    return scattered(rng.integers(0, n, count), waves, n)
