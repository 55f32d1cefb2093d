"""The noise of factories: rumble, mains hum, air, and what is struck far away.

The paper's noise comes from three groups of factories: one for the target domain of fan 02, one for
that of pump 04, and the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_asd.clips import Domain
from edge_asd.train.synthesis.signals import SAMPLE_RATE, Float64, coloured, normalised, ringing, tone, wander

__all__ = ["FACTORIES", "Factory", "factory_noise", "factory_of"]


@dataclass(frozen=True, slots=True)
class Factory:
    """Ranges from which each recording of its noise is drawn.

    Attributes
    ----------
    corner : (float, float) [Hz]
        Where the rumble starts to fall.
    slope : float
        Its amplitude falls as f^-slope.
    hum : (float, float)
        Amplitude of the mains hum; the rumble has RMS 1.
    hiss : (float, float)
        Amplitude of leaking air.
    tone : float [Hz]
        Rate of a compressor that always runs; 0 for none.
    impact_rate : (float, float) [1/s]
    impact_level : (float, float)
        Logarithm (base 10) of their amplitude: how far away they work.
    rhythm : float [1/s]
        Strokes of a press; 0 where impacts come at random.
    """

    corner: tuple[float, float] = (150, 300)
    slope: float = 1.2
    hum: tuple[float, float] = (0.1, 0.4)
    hiss: tuple[float, float] = (0.015, 0.03)
    tone: float = 0.0
    impact_rate: tuple[float, float] = (0.1, 0.5)
    impact_level: tuple[float, float] = (-1.0, -0.5)
    rhythm: float = 0.0


FACTORIES = {
    "assembly hall": Factory(),
    "press shop": Factory(corner=(250, 500), slope=1.1, impact_level=(-0.7, -0.3), rhythm=1.6, hiss=(0.03, 0.09)),
    "compressor hall": Factory(corner=(90, 180), slope=0.95, tone=24.5, hum=(0.3, 0.6), hiss=(0.03, 0.09)),
}
"""Factories by name."""


def factory_of(machine: str, section: str, domain: Domain) -> str:
    """Return the factory whose noise a section and domain gets."""
    shifted = {("fan", "02", "target"): "press shop", ("pump", "04", "target"): "compressor hall"}
    return shifted.get((machine, section, domain), "assembly hall")


def factory_noise(factory: str, n: int, rng: np.random.Generator) -> Float64:
    """Return n samples of a factory, of unit power."""
    hall = FACTORIES[factory]
    corner, hum, hiss = rng.uniform(*hall.corner), rng.uniform(*hall.hum), rng.uniform(*hall.hiss)
    uneven_db = rng.uniform(0.2, 1.5)  # how unevenly the hall carries sound to this place
    ripples = rng.uniform((1, 0), (12, 2 * np.pi), (12, 2))  # per octave (roughly) and phase

    def rumble_response(f: Float64) -> Float64:
        octave = np.log2(1 + f / 200)
        uneven = sum(np.cos(rate * octave + phase) for rate, phase in ripples) * uneven_db / np.sqrt(6)
        return np.asarray(10 ** (uneven / 20) / (1 + (f / corner) ** 2) ** (hall.slope / 2))

    noise = coloured(n, rng, rumble_response) * (1 + 0.1 * wander(n, 0.7, rng))
    noise += hiss * rng.standard_normal(n, dtype=np.float32)
    tones: list[tuple[float, float]] = [(50 * k, hum * size) for k, size in ((1, 0.6), (2, 1.0), (4, 0.5), (6, 0.3))]
    if hall.tone:
        tones += [(hall.tone * rng.uniform(0.99, 1.01) * k, 0.35 / k**0.5) for k in (1, 2, 3, 4, 6, 8, 12)]
    for frequency, size in tones:
        noise += size * tone(frequency, n, rng)
    starts = rng.integers(0, n, rng.poisson(rng.uniform(*hall.impact_rate) * n / SAMPLE_RATE))
    if hall.rhythm:
        period = SAMPLE_RATE / (hall.rhythm * rng.uniform(0.9, 1.1))
        starts = np.append(starts, np.arange(rng.uniform(0, period), n, period).astype(np.int64))
    level = 10 ** rng.uniform(*hall.impact_level)
    for start in starts:
        sound = _impact(rng) * level * rng.lognormal(0, 0.2)
        end = min(start + sound.size, n)
        noise[start:end] += sound[: end - start]
    return normalised(noise)


def _impact(rng: np.random.Generator) -> Float64:
    """A struck part rings, and the hall answers with a diffuse tail."""
    part = 30 * ringing(np.sort(rng.uniform(250, 2500, 4)), rng.uniform(0.03, 0.08))
    tail = np.arange(int(0.6 * SAMPLE_RATE)) / SAMPLE_RATE
    answer = coloured(tail.size, rng, lambda f: 1 / (1 + (f / 600) ** 2)) * np.exp(-tail / 0.12)
    answer[: part.size] += part[: tail.size]
    return np.asarray(answer * (1 - np.exp(-tail / 0.004)))
