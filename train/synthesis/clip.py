"""One synthetic clip, from nothing but its plan and the data set's seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from edge_asd.clips import DOMAINS, ClipName, Domain, Label, Split
from edge_asd.train.data.table1 import MACHINES, table1
from edge_asd.train.synthesis.factory import factory_noise, factory_of
from edge_asd.train.synthesis.machines import NO_FAULT, machine_of
from edge_asd.train.synthesis.recipe import GAIN_DB, MEAN_POWER, draw_snr, section_scale, to_pcm, tuned
from edge_asd.train.synthesis.room import in_room, room_response
from edge_asd.train.synthesis.signals import SAMPLE_RATE, Float64, normalised

SEVERITIES = (0.7, 1.0, 0.45)
"""Severities of faulty clips, in turn; 1 is a machine about to fail."""

SECONDS = 10.0

NoiseSource = Callable[[int, np.random.Generator], Float64]
"""Returns n samples of noise, of any power."""


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """One clip to be: with the seed, all that decides its samples.

    Attributes
    ----------
    machine, section : str
        One of Table 1's; a section is a product, the same whatever the seed.
    domain, split, label
        As in the file name.
    index : int >= 0
        The clip's number; it also picks fault and severity of a faulty clip, in turn.
    """

    machine: str
    section: str
    domain: Domain
    split: Split
    label: Label
    index: int

    @property
    def fault(self) -> tuple[str, float]:
        """Fault and severity, 0 for a healthy clip."""
        if self.label == "normal":
            return NO_FAULT, 0.0
        faults = machine_of(self.machine, self.section).FAULTS
        return faults[self.index % len(faults)], SEVERITIES[self.index // len(faults) % len(SEVERITIES)]

    def generator(self, seed: int) -> np.random.Generator:
        """Return the clip's own random numbers, so that the order of work cannot matter."""
        kind = 4 * DOMAINS.index(self.domain) + 2 * (self.split == "test") + (self.label == "anomaly")
        return np.random.default_rng([seed, MACHINES.index(self.machine), int(self.section), kind, self.index])

    def name(self, attributes: str = "") -> ClipName:
        """Return the clip's name; only those of training clips hold attributes, as in MIMII DUE."""
        attributes = attributes if self.split == "train" else ""
        return ClipName(self.section, self.domain, self.split, self.label, f"{self.index:04d}", attributes)


@dataclass(frozen=True, slots=True)
class Parts:
    """A clip before it is mixed.

    Attributes
    ----------
    machine, noise : ndarray, float64 [shape=(n,)]
        The recipe's two clips, before the factor of the section.
    snr_db : float [dB]
        gamma of the recipe.
    attributes : str
    """

    machine: Float64
    noise: Float64
    snr_db: float
    attributes: str


def machine_power(plan: ClipPlan, seed: int) -> float:
    """Return the power of a plan's machine clip, without making it."""
    return float(10 ** (_gain_db(plan.generator(seed)) / 10))


def _gain_db(rng: np.random.Generator) -> float:
    return rng.uniform(-GAIN_DB, GAIN_DB)  # the clip's first random number


def make_parts(
    plan: ClipPlan,
    rng: np.random.Generator,
    *,
    seconds: float = SECONDS,
    a: float = MEAN_POWER,
    easier_db: float = 0.0,
    noise: NoiseSource | None = None,
) -> Parts:
    """Make the two parts of a clip (see `make_clip`) with the plan's generator."""
    n = round(SAMPLE_RATE * seconds)
    gain_db = _gain_db(rng)
    counts = table1()[plan.machine, plan.section].domain(plan.domain)
    snr_db = draw_snr(counts, easier_db, rng)
    machine = machine_of(plan.machine, plan.section)
    condition = machine.condition(plan.domain, rng)
    if machine.ANECHOIC:
        response = room_response(plan.machine, plan.section)
        # The room fills first; a length of small prime factors keeps the Fourier transforms fast.
        longer = fft.next_fast_len(n + response.size - 1, real=True)
        sound = in_room(machine.sound(condition, longer, rng, *plan.fault), response)[-n:]
    else:
        sound = machine.sound(condition, n, rng, *plan.fault)
    hall = noise or (lambda n, rng: factory_noise(factory_of(plan.machine, plan.section, plan.domain), n, rng))
    attributes = f"{machine.attributes(condition)}_snr_{'m' if snr_db < 0 else ''}{abs(snr_db):.0f}dB"
    return Parts(normalised(sound) * 10 ** (gain_db / 20), tuned(hall(n, rng), a, snr_db), snr_db, attributes)


def make_clip(
    plan: ClipPlan,
    *,
    seed: int = 0,
    seconds: float = SECONDS,
    a: float = MEAN_POWER,
    easier_db: float = 0.0,
    noise: NoiseSource | None = None,
) -> tuple[npt.NDArray[np.int16], str]:
    """Synthesise one clip.

    Parameters
    ----------
    plan : ClipPlan
        Which clip.
    seed : int >= 0
        Seed of the data set.
    seconds : float > 0
        Its length.
    a : float > 0
        Average power of the section's machine clips; what it is expected to be by default.
    easier_db : float [dB]
        Added to the signal-to-noise ratios of Table 1.
    noise : callable, optional
        Noise in place of the synthetic factory's.

    Returns
    -------
    pcm : ndarray, int16 [shape=(round(16000 * seconds),)]
        Samples at 16 kHz.
    name : str
        Its file name.

    Raises
    ------
    DataError
        If Table 1 has no such machine or section.
    """
    machine_of(plan.machine, plan.section)
    rng = plan.generator(seed)
    parts = make_parts(plan, rng, seconds=seconds, a=a, easier_db=easier_db, noise=noise)
    scale = section_scale(table1()[plan.machine, plan.section], a, easier_db)
    return to_pcm(parts.machine + parts.noise, scale, rng), plan.name(parts.attributes).file_name()
