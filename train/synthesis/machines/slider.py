"""A slide rail: a platform that goes to and fro after a program, on a ball screw or a toothed belt.

Sound follows the motion: screw or belt turn with the platform, rolling noise grows with its
velocity, and every start and stop gives the frame a push. The faults of Table 2:

============ ===================================================================================
rail damage  a dent: the carriage's rolling elements knock whenever they pass one place
loose belt   slack: it slaps while running and knocks when the direction turns (a ball screw's
             motor drives it through a short belt, too)
no grease    dry rolling: much more noise at high frequencies, and squeal
============ ===================================================================================
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
    filtered,
    hits_at,
    hump,
    over_angle,
    resonances,
    ringing,
    struck,
    waveform,
)

_SHIFTS = {"00": "velocity", "01": "mode", "02": "material", "03": "velocity", "04": "mode", "05": "material"}
_BELT = ("02", "05")
_RAIL_MM = 400.0
# All products stand on one kind of base: else a knock, which makes it ring, would tell the product.
_FRAME_HZ = np.array([500.0, 1200.0, 2400.0, 4300.0])
# Stops along the rail (of its length), and seconds of rest at each.
_MODES: dict[int, tuple[tuple[float, ...], float]] = {
    0: ((0.0, 1.0), 0.35),
    1: ((0.0, 0.5, 1.0, 0.5), 0.25),
    2: ((0.1, 0.35, 0.2, 0.45, 0.3, 0.6), 0.12),
    3: ((0.2, 0.9), 0.8),
}


@dataclass(frozen=True, slots=True)
class Product:
    """What all slide rails of one product share."""

    lead_mm: float  # travel a turn: the screw's lead, or the pulley's circumference
    orders: dict[int, complex]  # of a turn: balls, poles of the motor, teeth of the belt
    frame: Float64  # resonances, Hz
    rolling: float  # where rolling noise peaks, Hz
    velocity: float  # mm/s
    dent: float  # place of a damage, of the rail's length


@dataclass(frozen=True, slots=True)
class Running:
    """How a slide rail runs during one clip."""

    velocity: float  # mm/s
    mode: int
    material: int  # of the belt: 0 is the first, others are harder


class Slider(Machine):
    """A slide rail of one section."""

    NAME = "slider"
    FAULTS = ("rail damage", "loose belt", "no grease")
    ANECHOIC = True

    def _product(self, rng: np.random.Generator) -> Product:
        belt = self.section in _BELT
        # Teeth of the belt; poles of the motor and balls of the screw: whines that follow the velocity.
        base = [20, 40, 60, 80, 240, 400] if belt else [4, 8, 12, 22, 57, 76, 114]
        sizes = [0.85**i for i in range(len(base))]
        phases = rng.uniform(0, 2 * np.pi, len(base))
        return Product(
            lead_mm=rng.uniform(55, 65) if belt else rng.uniform(9, 12),
            orders={o: s * np.exp(1j * p) for o, s, p in zip(base, sizes, phases, strict=True)},
            frame=_FRAME_HZ * rng.uniform(0.96, 1.04, 4),
            rolling=rng.uniform(1300, 2200),
            velocity=rng.uniform(380, 440),
            dent=rng.uniform(0.35, 0.6),
        )

    def condition(self, domain: Domain, rng: np.random.Generator) -> Running:
        shift = _SHIFTS[self.section] if domain == "target" else ""
        velocity, mode, material = float(rng.choice([1.0, 1.08])), 0, 0
        if shift == "velocity":
            velocity = float(rng.choice([0.5, 0.75, 1.4, 1.7]))
        if shift == "mode":
            mode = int(rng.choice([1, 2, 3]))
        if shift == "material":
            material = int(rng.choice([1, 2]))
        return Running(self.product.velocity * velocity, mode, material)

    def attributes(self, condition: Running) -> str:
        belt = f"_belt_{condition.material}" if self.section in _BELT else ""
        return f"vel_{condition.velocity:.0f}_mode_{condition.mode}{belt}"

    def sound(
        self, condition: Running, n: int, rng: np.random.Generator, fault: str = NO_FAULT, severity: float = 0.0
    ) -> Float64:
        rail = self.product
        level = levels_of(fault, severity, self.FAULTS)
        velocity, pushes = _motion(condition, n, rng)
        speed = np.abs(velocity)
        relative = speed / rail.velocity
        travel = np.cumsum(speed) / SAMPLE_RATE
        turns = travel / rail.lead_mm + rng.random()
        hard = condition.material

        tones = over_angle(turns, waveform(rail.orders)) * relative**0.8
        dry = level["no grease"]
        # Faster rolling excites higher modes, and so does a harder belt.
        peak = rail.rolling * (condition.velocity / rail.velocity) * (1 + 0.25 * hard)
        roll = coloured(n, rng, lambda f: hump(f, peak, 1.2, 0.9 - 0.15 * hard))
        roll *= relative * (1 + 0.3 * np.cos(2 * np.pi * travel / 7.0))
        sound = (0.6 + 0.3 * hard) * tones + 0.9 * roll
        sound += 7 * struck(pushes * rng.lognormal(0, 0.15, n), ringing(rail.frame[:3], 0.012))
        tough = 0.7 if self.section in _BELT else 1.35  # a belt swallows what a screw carries on
        if dry:
            scrape = coloured(n, rng, lambda f: hump(f, 4500, 2.0, 1.0))
            squeal = np.sin(2 * np.pi * 2 * rail.rolling * np.arange(n) / SAMPLE_RATE + 4 * np.sin(2 * np.pi * turns))
            sound += tough * dry * relative * (1.3 * scrape + 0.6 * squeal * (relative > 0.7))
        if dented := level["rail damage"]:
            place = np.cumsum(velocity) / SAMPLE_RATE / _RAIL_MM
            near = np.abs((place - place.min()) - rail.dent * np.ptp(place)) < 0.13
            balls = crossings(travel / 4.0)
            knocks = hits_at(balls, rng.lognormal(0, 0.3, balls.size), n) * near * relative
            sound += 20 * tough * dented * struck(knocks, ringing(rail.frame[1:], 0.004))
        if slack := level["loose belt"]:
            slaps = crossings(travel / 31.0)
            hits = hits_at(slaps, rng.lognormal(0, 0.4, slaps.size), n) * relative + 3 * pushes
            sound += 13 * tough * slack * struck(hits, ringing(rail.frame, 0.007))
        # Motor and drive whisper also at rest.
        idle = coloured(n, rng, lambda f: hump(f, 3000, 1.0, 1.0))
        return filtered(sound + 0.06 * idle, lambda f: resonances(f, rail.frame, 1.5))


def _motion(running: Running, n: int, rng: np.random.Generator) -> tuple[Float64, Float64]:
    """Return the velocity [mm/s], trapezoids after the program, and the pushes at the ramps' ends."""
    stops, rest = _MODES[running.mode]
    ramp = max(2, round(0.08 * SAMPLE_RATE))
    pieces, pushes, length = [], [], 0
    now = 0
    while length < 2 * n + SAMPLE_RATE * 4:
        here, there = stops[now % len(stops)], stops[(now + 1) % len(stops)]
        cruise = max(0, round((abs(there - here) * _RAIL_MM / running.velocity) * SAMPLE_RATE) - ramp)
        sign = np.sign(there - here)
        move = np.concatenate([np.linspace(0, 1, ramp), np.ones(cruise), np.linspace(1, 0, ramp)]) * sign
        pushes += [length, length + ramp + cruise + ramp - 1]
        pieces += [move * running.velocity, np.zeros(round(rest * SAMPLE_RATE))]
        length += move.size + pieces[-1].size
        now += 1
    period_start = int(rng.integers(0, min(n, length - n)))
    velocity = np.concatenate(pieces)[period_start : period_start + n]
    marks = np.array(pushes) - period_start
    marks = marks[(marks >= 0) & (marks < n)]
    return velocity, hits_at(marks, running.velocity / 400, n)
