"""Section 2.2 of the MIMII DUE paper: how a machine's clip and a noise clip become one.

1. a is the average power over all machine clips of the section.
2. For each clip, gamma is drawn from the section's range of Table 1, a noise clip is chosen, and its power
   b is tuned so that gamma = 10 log10(a / b); the two are added.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from edge_asd.train.data.table1 import DomainCounts, Section
from edge_asd.train.synthesis.signals import Float64

GAIN_DB = 2.0
"""The gain of a synthetic machine is uniform over +- this [dB], healthy or faulty."""

MEAN_POWER = float(np.sinh(GAIN_DB * np.log(10) / 10) / (GAIN_DB * np.log(10) / 10))
"""The expected a of synthetic machines: the mean of 10^(g/10) over that range."""

MIX_RMS = 0.05  # of an average clip, full scale 1: impacts stay clear of clipping
MICROPHONE_RMS = 1e-4


def average_power(powers: Iterable[float]) -> float:
    """Return a of the recipe, from the power of each machine clip of a section."""
    return float(np.mean(list(powers)))


def draw_snr(counts: DomainCounts, easier_db: float, rng: np.random.Generator) -> float:
    """Draw gamma [dB] from Table 1's range, moved up by `easier_db`."""
    return easier_db + counts.snr_db + float(rng.uniform(-counts.snr_spread_db, counts.snr_spread_db))


def tuned(noise: Float64, a: float, snr_db: float) -> Float64:
    """Scale a noise clip to the power b = a / 10^(gamma/10)."""
    return np.asarray(noise * np.sqrt(a / 10 ** (snr_db / 10) / np.mean(noise**2)))


def section_scale(row: Section, a: float, easier_db: float) -> float:
    """Return the factor for all clips of a section, both domains: the louder domain gets the RMS `MIX_RMS`."""
    snr_db = easier_db + min(row.source.snr_db, row.target.snr_db)
    return float(MIX_RMS / np.sqrt(a * (1 + 10 ** (-snr_db / 10))))


def to_pcm(mixed: Float64, scale: float, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """Record with a microphone that has a little noise of its own; saturates."""
    heard = scale * mixed + MICROPHONE_RMS * rng.standard_normal(mixed.size, dtype=np.float32)
    return np.asarray(np.clip(np.rint(heard * 32768), -32768, 32767), dtype=np.int16)
