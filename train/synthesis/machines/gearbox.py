"""A gearbox between a DC motor and a slider-crank mechanism that raises and lowers a weight.

The motor's speed follows the voltage and gives way under the crank's torque. Two pairs of gears
mesh at the teeth's rates, with sidebands from eccentric wheels; brushes hiss over the commutator;
teeth rattle where the torque changes its sign; the weight rubs in its guide. The faults of Table 2:

============= ==================================================================================
gear damage   a chipped tooth of the wheel: a knock once a turn, harder under load, and
              sidebands around the mesh
overload      more weight than allowed: the speed gives way further, meshing gets harsher, and
              arcs crackle at the commutator
over voltage  the motor turns faster than it should, with arcs at the commutator
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
    crossings,
    filtered,
    hits_at,
    hump,
    normalised,
    over_angle,
    resonances,
    ringing,
    struck,
    turns_of,
    waveform,
)

_SHIFTS = {"00": "voltage", "01": "arm", "02": "weight", "03": "voltage", "04": "arm", "05": "voltage arm"}

_ROD_MM = 160.0  # connecting rod of the slider-crank


@dataclass(frozen=True, slots=True)
class Product:
    """What all gearboxes of one product share."""

    rate_per_volt: float  # of the motor's shaft without load, turns/s
    slots: int  # of the commutator
    pinion: int  # teeth, first pair
    wheel: int
    pinion2: int  # teeth, second pair
    wheel2: int
    housing: Float64  # resonances, Hz
    phases: Float64


@dataclass(frozen=True, slots=True)
class Running:
    """How a gearbox runs during one clip."""

    volts: float
    arm_mm: float  # length of the crank
    weight_g: float


class Gearbox(Machine):
    """A gearbox of one section."""

    NAME = "gearbox"
    FAULTS = ("gear damage", "overload", "over voltage")
    ANECHOIC = True

    def _product(self, rng: np.random.Generator) -> Product:
        return Product(
            rate_per_volt=rng.uniform(13, 16),
            slots=int(rng.choice([5, 7])),
            pinion=int(rng.choice([13, 14, 15, 17])),
            wheel=int(rng.choice([53, 57, 61])),
            pinion2=int(rng.choice([11, 12, 13])),
            wheel2=int(rng.choice([59, 67, 71])),
            housing=rng.uniform((500, 1300, 2400, 3800), (900, 2000, 3400, 5600)),
            phases=rng.uniform(0, 2 * np.pi, 64),
        )

    def condition(self, domain: Domain, rng: np.random.Generator) -> Running:
        shift = _SHIFTS[self.section] if domain == "target" else ""
        volts, arm, weight = float(rng.choice([2.8, 3.0])), float(rng.choice([35.0, 40.0])), float(rng.choice([50, 75]))
        if "voltage" in shift:
            volts = float(rng.choice([2.0, 2.4, 3.4]))
        if "arm" in shift:
            arm = float(rng.choice([10.0, 20.0, 65.0]))
        if "weight" in shift:
            weight = float(rng.choice([0.0, 25.0, 130.0]))
        return Running(volts, arm, weight)

    def attributes(self, condition: Running) -> str:
        return f"volt_{condition.volts:.1f}_arm_{condition.arm_mm:.0f}_weight_{condition.weight_g:.0f}"

    def sound(
        self, condition: Running, n: int, rng: np.random.Generator, fault: str = NO_FAULT, severity: float = 0.0
    ) -> Float64:
        gear = self.product
        level = levels_of(fault, severity, self.FAULTS)
        rate = (
            gear.rate_per_volt * condition.volts * (1 + rng.uniform(-0.01, 0.01)) * (1 + 0.45 * level["over voltage"])
        )
        ratio1, ratio2 = gear.pinion / gear.wheel, gear.pinion2 / gear.wheel2
        crank = 2 * np.pi * (rate * ratio1 * ratio2 * np.arange(n) / SAMPLE_RATE + rng.random())
        weight = condition.weight_g + 40 + 220 * level["overload"]
        torque = _torque(crank, condition.arm_mm) * weight / 90
        # Falling weight drives, rising weight brakes: the speed gives way in proportion (a DC motor's line).
        turns = turns_of(rate * (1 - 0.03 * torque - 0.05 * np.abs(torque)), n, rng, wobble=0.004)
        teeth = 0.5 + np.abs(torque)

        damage = level["gear damage"]
        first = over_angle(turns, self._mesh(gear.pinion, 0.2, 0))
        second_turns = turns * ratio1
        second = over_angle(second_turns, self._mesh(gear.pinion2, 0.25 + 0.5 * damage, 20))
        commutator = over_angle(turns, self._mesh(2 * gear.slots, 0.1, 40))
        brushes = coloured(n, rng, lambda f: hump(f, 3200, 1.5, 1.0)) * (1 + 0.4 * commutator)
        grind = coloured(n, rng, lambda f: hump(f, 1500, 1.0, 1.0)) * (1 + 0.5 * first) * teeth
        rattle = hits_at(np.flatnonzero(np.diff(np.sign(torque))), rng.uniform(0.6, 1.4), n)
        sound = 0.8 * teeth * first + 0.6 * teeth * second + 0.35 * commutator + 0.45 * brushes + 0.6 * grind
        # The weight's guide rubs with its speed: a longer arm, a longer way in the same time.
        guide = np.abs(np.sin(crank)) * (condition.arm_mm / 38) ** 1.5 * (condition.volts / 3)
        sound += 0.8 * guide * coloured(n, rng, lambda f: hump(f, 6500, 2.5, 1.0))
        sound += 6 * struck(rattle, ringing(gear.housing[1:], 0.006))
        if damage:
            at = crossings(second_turns)
            knocks = hits_at(at, damage * (0.5 + np.abs(torque[at])), n)
            sound += 65 * struck(knocks, ringing(gear.housing, 0.005))
        if level["overload"]:
            sound += 1.6 * level["overload"] * np.abs(torque) * normalised(np.abs(first) * second)
        if arcing := level["overload"] + level["over voltage"]:
            # Too much current or voltage draws an arc at every bar of the commutator that leaves a brush.
            at = crossings(turns, 2 * gear.slots)
            load = np.abs(torque[at]) if level["overload"] else 1.0
            arcs = hits_at(at, arcing * load * rng.lognormal(0, 0.3, at.size), n)
            sound += 3.0 * struck(arcs, ringing([3500, 5200], 0.0006))
        return filtered(sound, lambda f: resonances(f, gear.housing, 3.0) * hump(f, 900, 1.0, 0.0))

    def _mesh(self, teeth: int, eccentricity: float, key: int) -> Float64:
        """One turn of a wheel whose teeth mesh: harmonics of the mesh, each with sidebands of the turn's rate."""
        orders: dict[int, complex] = {}
        for harmonic in range(1, 6):
            amplitude = 0.65 ** (harmonic - 1) * np.exp(1j * self.product.phases[key + harmonic])
            centre = teeth * harmonic
            orders[centre] = orders.get(centre, 0) + amplitude
            for side in (1, 2):
                for order in (centre - side, centre + side):
                    orders[order] = orders.get(order, 0) + amplitude * eccentricity / side
        return waveform(orders)


def _torque(crank: Float64, arm_mm: float) -> Float64:
    """Torque of a weight on a slider-crank, 1 at most for a crank of 40 mm: dx/dphi of its position x.

    x = r cos(phi) + sqrt(l^2 - r^2 sin^2(phi)), the kinematics of any textbook.
    """
    sine, cosine = np.sin(crank), np.cos(crank)
    root = np.sqrt(_ROD_MM**2 - (arm_mm * sine) ** 2)
    return np.asarray((arm_mm * sine + arm_mm**2 * sine * cosine / root) / 40)
