"""A solenoid valve that opens and closes after a timed pattern, on a line that a pump feeds.

Opening, the plunger strikes its stop; closing, the spring seats it; between, the coil hums and
the flow hisses. The fault of Table 2:

============== =================================================================================
contamination  a small piece of metal is caught: the plunger closes late and bounces, grinds
               it, does not seat, and the closed valve leaks with a fine hiss
============== =================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from edge_asd.clips import Domain
from edge_asd.train.synthesis.machines.base import NO_FAULT, Machine
from edge_asd.train.synthesis.signals import (
    SAMPLE_RATE,
    Float64,
    coloured,
    hits_at,
    hump,
    over_angle,
    resonances,
    ringing,
    struck,
    tone,
    turns_of,
    wander,
    waveform,
)

_SHIFTS = {"00": "timing", "01": "pump", "02": "two", "03": "timing", "04": "pump water", "05": "two"}
# Seconds open and closed, in turn.
_PATTERNS: dict[int, tuple[float, ...]] = {
    0: (0.5, 0.5),
    1: (0.12, 0.15),
    2: (0.3, 0.3, 0.3, 1.6),
    3: (1.8, 0.7),
}


@dataclass(frozen=True, slots=True)
class Product:
    """What all valves of one product share."""

    body: Float64  # resonances, Hz
    seat: Float64
    jet: float  # where the flow's noise peaks, Hz
    pump: float  # rate of the pump's shaft, turns/s


@dataclass(frozen=True, slots=True)
class Running:
    """How a valve runs during one clip."""

    pattern: int
    pump: bool
    water: bool
    valves: int


class Valve(Machine):
    """A valve of one section."""

    NAME = "valve"
    FAULTS = ("contamination",)

    def _product(self, rng: np.random.Generator) -> list[Product]:
        return [
            Product(
                body=rng.uniform((1300, 3000, 5200), (1900, 4200, 6800)),
                seat=rng.uniform((700, 1800, 3600), (1100, 2500, 5000)),
                jet=rng.uniform(2500, 4000),
                pump=rng.uniform(23, 25),
            )
            for _ in range(2)
        ]

    def condition(self, domain: Domain, rng: np.random.Generator) -> Running:
        shift = _SHIFTS[self.section]
        target = domain == "target"
        pattern = 0
        if shift == "timing" and target:
            pattern = int(rng.choice([1, 2, 3]))
        pump = target if "pump" in shift else True
        return Running(pattern, pump, "water" in shift and target, 2 if shift == "two" and target else 1)

    def attributes(self, condition: Running) -> str:
        line = ("water" if condition.water else "air") if condition.pump else "none"
        return f"pat_{condition.pattern:02d}_pump_{line}_valves_{condition.valves}"

    def sound(
        self, condition: Running, n: int, rng: np.random.Generator, fault: str = NO_FAULT, severity: float = 0.0
    ) -> Float64:
        broken = int(rng.integers(condition.valves))
        total = np.zeros(n)
        for number in range(condition.valves):
            total += _one(self.product[number], condition, n, rng, severity if number == broken else 0.0)
        if condition.pump:
            total += 0.35 * _pump(self.product[0], condition.water, n, rng)
        return total


def _one(valve: Product, running: Running, n: int, rng: np.random.Generator, caught: float) -> Float64:
    opens, closes = _timing(running.pattern, n, rng)
    late = caught * 0.03 * SAMPLE_RATE
    closes_late = np.minimum((closes + late).astype(np.int64), n - 1)
    strength = rng.lognormal(0, 0.12, n)
    click = struck(hits_at(opens, 1.0, n) * strength, ringing(valve.body, 0.0025))
    seating = hits_at(closes_late, 0.75 * (1 - 0.7 * caught), n)
    for bounce in (1, 2, 3):
        again = np.minimum(closes_late + round((0.012 + 0.009 * bounce) * SAMPLE_RATE), n - 1)
        seating += hits_at(again, 0.6 * caught / bounce, n)
    seat = struck(seating * strength, ringing(valve.seat, 0.003))
    opened = np.zeros(n)
    opened[opens] += 1
    opened[closes_late] -= 1
    # A clip may begin in the open state: it does where the first event closes.
    opened = np.cumsum(opened) + (closes.size > 0 and (opens.size == 0 or closes[0] < opens[0]))
    smooth = np.asarray(signal.lfilter([0.01], [1, -0.99], np.clip(opened, 0, 1)))
    jet_at = valve.jet * (0.6 if running.water else 1.0)
    flow = coloured(n, rng, lambda f: hump(f, jet_at, 1.5, 1.2) * resonances(f, valve.body, 0.8))
    hiss = coloured(n, rng, lambda f: hump(f, 1.4 * jet_at, 4.0, 3.0))
    hum = tone(100, n, rng) + 0.5 * tone(300, n, rng)
    running_line = 1.0 if running.pump else 0.2
    sound = 40 * click + 40 * seat + running_line * smooth * (0.45 * flow + 0.15 * hum)
    if caught:
        # The piece is ground between plunger and seat whenever they move.
        moves = hits_at(opens, 1.0, n) + hits_at(closes_late, 1.4, n)
        rub = np.asarray(signal.lfilter([1.0], [1, -np.exp(-1 / (0.07 * SAMPLE_RATE))], moves))
        force = 1.15 if running.pump else 0.6  # the line's pressure adds to the spring's force
        sound += force * caught * rub * coloured(n, rng, lambda f: hump(f, 5200, 3.0, 2.0))
        sound += 0.3 * caught * running_line * (1 - 0.5 * smooth) * hiss
    return sound


def _timing(pattern: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples of opening and of closing."""
    times = _PATTERNS[pattern]
    period = sum(times)
    edges = np.cumsum((0.0, *times))[:-1]
    start = np.arange(-1, int(n / SAMPLE_RATE / period) + 2) * period + rng.uniform(0, period)
    events = np.rint((start[:, None] + edges) * SAMPLE_RATE).astype(np.int64)
    kinds = [events[:, first::2].ravel() for first in (0, 1)]
    opens, closes = (np.sort(kind[(kind >= 0) & (kind < n)]) for kind in kinds)
    return opens, closes


def _pump(valve: Product, water: bool, n: int, rng: np.random.Generator) -> Float64:
    turns = turns_of(valve.pump, n, rng, wobble=0.002)
    tones = over_angle(turns, waveform({k: 0.8**k for k in range(2, 24, 2)}))
    flow = coloured(n, rng, lambda f: hump(f, 500 if water else 900, 1.0, 0.8))
    if water:
        flow *= np.exp(0.3 * wander(n, 6, rng))
    return np.asarray(0.6 * tones + (1.4 if water else 0.8) * flow)
