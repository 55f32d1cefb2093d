"""An industrial fan: blade-pass harmonics over broadband flow.

Everything periodic is a function of the shaft's angle, which follows a slowly wandering speed;
turbulence is noise whose spectrum moves with the speed. The faults of Table 2:

============= ==================================================================================
wing damage   one blade pulls less and sheds vortices: the blade-pass tones gain sidebands at
              the shaft's rate, and a puff of broadband noise passes once a turn
unbalance     the shaft shakes the frame: tones at the shaft's rate and its multiples, the
              frame rattles, and everything swells once a turn
clogging      stalled flow: turbulence moves to lower frequencies and surges, blade tones fade
over voltage  the fan turns faster than it should: tones, and with the fifth power of the speed
              the flow's noise, move up; the motor's saturated iron whines
============= ==================================================================================
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
    hump,
    normalised,
    over_angle,
    resonances,
    turns_of,
    wander,
    waveform,
)

_SHIFTS = {"00": "wind", "01": "product", "02": "factory", "03": "wind", "04": "wind", "05": "temperature"}

_SLOTS = 36  # of the motor's stator


@dataclass(frozen=True, slots=True)
class Product:
    """What all fans of one product share."""

    blades: int
    rpm: float  # at wind strength 1
    blade_errors: Float64  # how far each blade's pressure pulse is off [shape=(blades,)]
    ducts: Float64  # resonances of the duct at 20 degrees, Hz
    size: float  # diameter, relative


@dataclass(frozen=True, slots=True)
class Running:
    """How a fan runs during one clip."""

    strength: float  # of the wind: speed relative to the product's
    celsius: float
    second: bool  # the other product of the section


class Fan(Machine):
    """A fan of one section."""

    NAME = "fan"
    FAULTS = ("wing damage", "unbalance", "clogging", "over voltage")

    def _product(self, rng: np.random.Generator) -> tuple[Product, Product]:
        first = _draw(rng, 1.0)
        return first, _draw(rng, 1.3)

    def condition(self, domain: Domain, rng: np.random.Generator) -> Running:
        shift = _SHIFTS[self.section] if domain == "target" else ""
        strength = float(rng.choice([1.0, 1.0, 1.06]))
        celsius = rng.uniform(18, 24)
        if shift == "wind":
            strength = float(rng.choice([0.6, 0.8, 1.35, 1.6]))
        if shift == "temperature":
            celsius = rng.uniform(45, 85)
        return Running(strength * (1 + rng.uniform(-0.01, 0.01)), celsius, shift == "product")

    def attributes(self, condition: Running) -> str:
        temperature = f"heated_{condition.celsius:.0f}C" if condition.celsius > 30 else "ambient"
        return f"strength_{condition.strength:.1f}_{temperature}_size_{2 if condition.second else 1}"

    def sound(
        self, condition: Running, n: int, rng: np.random.Generator, fault: str = NO_FAULT, severity: float = 0.0
    ) -> Float64:
        """Return n samples.

        The same random numbers are drawn whatever the fault: from one seed, two severities give one
        fan in one air flow, in two states, and can be faded into each other.
        """
        fan = self.product[condition.second]
        level = levels_of(fault, severity, self.FAULTS)
        wing, unbalance, clogging = (level[name] for name in self.FAULTS[:3])
        rate = fan.rpm / 60 * condition.strength * (1 + 0.3 * level["over voltage"])
        turns = turns_of(rate, n, rng)
        surge = wander(n, 5.0, rng)
        shaft = np.cos(2 * np.pi * turns)

        tones = over_angle(turns, _blade_pulses(fan, wing, unbalance)) * (1 - 0.5 * clogging)
        # Sound travels faster in warm air, and the duct's resonances with it: c ~ sqrt(T).
        ducts = fan.ducts * np.sqrt((273 + condition.celsius) / 293)
        peak = rate * 24 / fan.size * (1 - 0.5 * clogging)

        def flow_response(f: Float64) -> Float64:
            return (hump(f, peak, 1.0, 0.75 + 0.35 * clogging)) * resonances(f, ducts, 0.9)

        flow = coloured(n, rng, flow_response)
        puff = np.exp(-(((turns % 1) - 0.5) ** 2) / (2 * 0.06**2))
        flow *= 1 + 0.15 * np.cos(2 * np.pi * fan.blades * turns) + 3.0 * wing * puff
        flow *= np.exp(0.55 * clogging * surge) * (rate / (fan.rpm / 60)) ** 2.5
        sound = 0.7 * tones + flow
        if level["over voltage"]:
            # Saturated iron whines at the rate of the motor's slots and its multiples.
            orders = {_SLOTS * k: 0.8 ** (k - 1) * np.exp(1j * k**2) for k in (1, 2, 3, 4)}
            sound += 0.8 * level["over voltage"] * over_angle(turns, waveform(orders))
        if unbalance:
            loose = coloured(n, rng, lambda f: hump(f, 3000, 2, 2)) * np.maximum(shaft, 0) ** 3
            sound = (sound + 1.8 * unbalance * loose) * (1 + 0.5 * unbalance * shaft)
        return sound


def _draw(rng: np.random.Generator, size: float) -> Product:
    blades = int(rng.integers(5, 9))
    return Product(
        blades=blades,
        rpm=float(rng.integers(20, 29)) * 50 / size,
        blade_errors=rng.normal(0, 0.02, blades),
        ducts=rng.uniform((300, 900, 2000), (600, 1600, 3500)) / size,
        size=size,
    )


def _blade_pulses(fan: Product, wing: float, unbalance: float) -> Float64:
    """One turn of the pressure at the microphone: each blade pushes a pulse past it.

    The pulse has the shape of Poisson's kernel, whose harmonics fall by a fixed ratio. Equal blades
    cancel all but the multiples of the blade-pass rate.
    """
    grid = np.arange(SAMPLE_RATE // 4) / (SAMPLE_RATE // 4)
    pulls = 1 + fan.blade_errors
    pulls[0] -= wing * 0.7
    ratio = 0.55 ** (1 / fan.blades)
    table = np.zeros_like(grid)
    for blade, pull in enumerate(pulls):
        angle = 2 * np.pi * (grid - blade / fan.blades)
        table += pull * (1 - ratio**2) / (1 - 2 * ratio * np.cos(angle) + ratio**2)
    table = normalised(table - table.mean())
    table += 0.15 * np.cos(2 * np.pi * grid + 2)  # what balancing leaves
    for harmonic, size in ((1, 1.0), (2, 0.7), (3, 0.5), (4, 0.35), (5, 0.2)):
        table += 0.8 * unbalance * size * np.cos(2 * np.pi * harmonic * grid + harmonic**2)
    return table
